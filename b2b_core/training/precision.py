"""Device and number format of training, chosen once."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import nn

from b2b_core.errors import UsageError


class Numerics:
    """Where and in which format networks compute.

    Args:
        device: "auto", "cpu", "cuda" or "cuda:N".
        precision: "auto" (bf16 where the hardware is made for it), "bf16" or "float32".
    """

    def __init__(self, device: str = "auto", precision: str = "auto") -> None:
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        if device.startswith("cuda") and not torch.cuda.is_available():
            raise UsageError("no CUDA device here", where=device, mend="use --device cpu")
        self.device = torch.device(device)
        self.half = precision == "bf16" or (precision == "auto" and fast_bf16(self.device))

    def place(self, module: nn.Module) -> nn.Module:
        """Move a network to the device, in the memory layout that convolutions like."""
        return module.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

    def autocast(self) -> AbstractContextManager[object]:
        """Return the context in which networks run forward."""
        if not self.half:
            return nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16)


def fast_bf16(device: torch.device) -> bool:
    """Say whether bf16 convolutions are faster than float32 ones on this device.

    On a CPU that takes tile instructions (AMX). Vector instructions alone (AVX512-BF16) are not
    enough: on a machine with these alone U-Net and NAFNet took a fifth to a third longer
    (benchmarks/networks.md).
    """
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    # torch 2.5, the oldest that we take, has no public name for it
    return bool(torch.cpu._is_amx_tile_supported())  # pyright: ignore[reportPrivateUsage]

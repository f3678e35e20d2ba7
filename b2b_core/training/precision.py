"""Device and number format of training, chosen once."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import nn

from b2b_core.errors import UsageError
from b2b_core.training.fast_bf16 import fast_bf16


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

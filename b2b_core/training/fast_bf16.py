"""Whether bf16 is the faster number format for convolutions on a device."""

from __future__ import annotations

from functools import cache
from time import perf_counter

import torch
from torch.nn.functional import conv2d

#: How many times as fast as float32 bf16 has to be. Where it pays at all it is twice as fast, on
#: other CPUs slower (benchmarks/networks.md): nothing lies near.
_WORTH = 1.25
_REPEATS = 4


@cache
def fast_bf16(device: torch.device) -> bool:
    """Say whether bf16 convolutions are faster than float32 ones on this device.

    A CPU with tile instructions (AMX) is made for them. Vector instructions alone (AVX512-BF16)
    halve the time on some CPUs and lengthen it on others, so there one convolution is timed in both
    formats, once per process, which takes some hundredths of a second.
    """
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    # torch 2.5, the oldest that we take, has no public names for these
    if torch.cpu._is_amx_tile_supported():  # pyright: ignore[reportPrivateUsage]
        return True
    if not torch.cpu._is_avx512_bf16_supported():  # pyright: ignore[reportPrivateUsage]
        return False
    return convolution_seconds(torch.float32) > _WORTH * convolution_seconds(torch.bfloat16)


def convolution_seconds(dtype: torch.dtype) -> float:
    """Return the shortest of a few times for one middling convolution on the CPU.

    Args:
        dtype: of pictures `(1, 64, 96, 96)`, channels last, and of kernels `(64, 64, 3, 3)`.
    """
    pictures = torch.zeros(1, 64, 96, 96, dtype=dtype).to(memory_format=torch.channels_last)
    kernels = torch.zeros(64, 64, 3, 3, dtype=dtype).to(memory_format=torch.channels_last)
    times: list[float] = []
    with torch.inference_mode():
        for _ in range(1 + _REPEATS):  # the first prepares
            start = perf_counter()
            conv2d(pictures, kernels, padding=1)
            times.append(perf_counter() - start)
    return min(times[1:])

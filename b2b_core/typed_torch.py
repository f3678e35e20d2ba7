"""The parts of torch that it leaves without types, with the types of their documentation.

Each is torch's own module, seen through a protocol that lists what is used of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol, cast

import torch
from torch import Tensor


class Fourier(Protocol):
    """Of `torch.fft`; `s` is the size of the transformed dimensions, the last two."""

    def fft2(self, image: Tensor, /) -> Tensor:
        """Return the complex spectrum, of the same shape."""
        ...

    def rfft2(self, image: Tensor, /, s: Sequence[int] | None = None) -> Tensor:
        """Return half of the complex spectrum `(..., H, W // 2 + 1)` of a real image."""
        ...

    def irfft2(self, spectrum: Tensor, /, s: Sequence[int] | None = None) -> Tensor:
        """Return the real image whose half spectrum this is."""
        ...

    def fftfreq(self, n: int, /, *, device: torch.device) -> Tensor:
        """Return the `n` frequencies in cycles per sample, zero first."""
        ...


class LinearAlgebra(Protocol):
    """Of `torch.linalg`."""

    def eigvalsh(self, matrix: Tensor, /) -> Tensor:
        """Return the eigenvalues `(..., n)` of symmetric matrices, ascending."""
        ...

    def eigh(self, matrix: Tensor, /) -> tuple[Tensor, Tensor]:
        """Return the eigenvalues `(..., n)`, ascending, and vectors as columns `(..., n, n)`."""
        ...


class Random(Protocol):
    """Of `torch.random`."""

    def manual_seed(self, seed: int) -> torch.Generator:
        """Seed the generators of all devices."""
        ...

    def fork_rng(self, devices: Sequence[int]) -> AbstractContextManager[None]:
        """Put the state of the CPU's generator, and of `devices`, back at the end."""
        ...


class DeviceProperties(Protocol):
    """What CUDA says of a device."""

    #: Built-in memory in bytes.
    total_memory: int


class Cuda(Protocol):
    """Of `torch.cuda`."""

    def get_device_properties(self, device: torch.device) -> DeviceProperties:
        """Return what CUDA says of a device."""
        ...


fft = cast("Fourier", torch.fft)
linalg = cast("LinearAlgebra", torch.linalg)
random = cast("Random", torch.random)
cuda = cast("Cuda", torch.cuda)

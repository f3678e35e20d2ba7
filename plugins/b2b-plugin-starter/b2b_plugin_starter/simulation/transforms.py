"""What the simulation uses of scipy, with types; scipy has none of its own."""

from __future__ import annotations

from typing import Protocol, cast

import numpy as np
import scipy.fft  # pyright: ignore[reportMissingTypeStubs] it has no types
import scipy.signal  # pyright: ignore[reportMissingTypeStubs] it has no types
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Fourier(Protocol):
    """Of `scipy.fft`; `shape` is the size of the two axes."""

    def rfft2(
        self,
        image: NDArray[np.float32],
        shape: tuple[int, ...],
        axes: tuple[int, int] = (-2, -1),
        /,
    ) -> NDArray[np.complex64]:
        """Return half of the spectrum of a real image."""
        ...

    def irfft2(
        self,
        spectrum: NDArray[np.complex64],
        shape: tuple[int, ...],
        axes: tuple[int, int] = (-2, -1),
        /,
    ) -> NDArray[np.float32]:
        """Return the real image of half a spectrum."""
        ...

    def next_fast_len(self, target: int, real: bool, /) -> int:
        """Return the length, at least `target`, that is transformed fastest."""
        ...


class Signal(Protocol):
    """Of `scipy.signal`."""

    def fftconvolve(
        self, image: Array, kernel: Array, mode: str, axes: tuple[int, ...] | None = None, /
    ) -> Array:
        """Return the convolution over `axes` (all by default); "same" or "valid" size."""
        ...


fourier = cast("Fourier", scipy.fft)
signal = cast("Signal", scipy.signal)

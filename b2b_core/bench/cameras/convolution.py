"""Pictures under kernels, by Fourier transforms that are shared between kernels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from b2b_core.bench.cameras.base import Array

_AXES = (0, 1)


class Blurrer:
    """Puts kernels on one picture `(H, W, C)`; the border is mirrored.

    Args:
        light: the picture.
        size: side of the kernels in pixels, odd.
    """

    def __init__(self, light: Array, size: int) -> None:
        self._size, self._half = size, size // 2
        self._height, self._width = light.shape[:2]
        margin = (self._half, self._half)
        padded = np.pad(light, (margin, margin, (0, 0)), mode="reflect")
        self._shape = tuple(fast_length(side) for side in padded.shape[:2])
        self._spectrum = np.fft.rfft2(padded, self._shape, _AXES)

    def blur(self, kernel: Array) -> Array:
        """Return the picture under a `(size, size)` kernel, same shape."""
        response = np.fft.rfft2(kernel, self._shape)[..., None]
        blurred = np.fft.irfft2(self._spectrum * response, self._shape, _AXES)
        first = self._size - 1
        inner = blurred[first : first + self._height, first : first + self._width]
        return np.asarray(inner, np.float64)

    def blur_varying(self, kernels: Sequence[Sequence[Array]]) -> Array:
        """Return the picture under a square grid of kernels, blended bilinearly between places."""
        places = len(kernels)
        result: Array | None = None
        for row, line in enumerate(kernels):
            for column, kernel in enumerate(line):
                weight = blend_weight(self._height, self._width, places, row, column)
                part = self.blur(kernel) * weight[..., None]
                result = part if result is None else result + part
        if result is None:
            raise ValueError("no kernels")
        return result


def blend_weight(height: int, width: int, places: int, row: int, column: int) -> Array:
    """Return the `(height, width)` bilinear weight of one place of a grid; the weights sum to 1."""
    return np.outer(_tent(height, places, row), _tent(width, places, column))


def _tent(length: int, places: int, place: int) -> Array:
    position = (np.arange(length) + 0.5) / length * places - 0.5
    distance = np.abs(position.clip(0, places - 1) - place)
    return np.asarray((1 - distance).clip(0), np.float64)


def fast_length(least: int) -> int:
    """Return the smallest length of at least `least` whose only factors are 2, 3 and 5."""
    length = least
    while True:
        rest = length
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return length
        length += 1

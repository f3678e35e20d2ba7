"""The unknown camera of the demo: a simulated phone.

It is often out of focus, its focal plane is tilted, and the hand translates and rolls a little, so
that its blur varies over the picture. Its lights are brighter than white and clip, its noise
depends on the light, its response is sRGB, and its files are JPEG. It is a simulation on real
photographs, and the demo says so.
"""

from __future__ import annotations

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from b2b_core.bench.cameras.kernels import disk, splat
from b2b_plugin_starter.simulation.kernels import hand_path
from b2b_plugin_starter.simulation.light import to_levels, to_light
from b2b_plugin_starter.simulation.transforms import fourier, signal

Array = NDArray[np.float64]
Levels = NDArray[np.uint8]

KERNEL = 25
#: The field of kernels is computed at this many places along each side and blended between.
PLACES = 4
#: Linear intensity above which a pixel of the original counts as a clipped light.
LIGHT = 0.92


@frozen
class Phone:
    """Ranges from which each exposure draws; lengths in pixels of the stored picture."""

    motion: tuple[float, float] = (0.5, 3.0)
    #: Roll of the hand in degrees, the standard deviation over exposures.
    roll: float = 0.15
    defocus: tuple[float, float] = (1.2, 2.6)
    #: Change of the defocus radius from the middle to an edge: twice the standard deviation.
    tilt: float = 0.8
    #: Light of a white pixel relative to white, at most.
    highlights: tuple[float, float] = (1.0, 2.0)
    read_noise: float = 0.001
    shot_noise: float = 0.004
    #: JPEG quality of its files, 4:2:0.
    quality: tuple[int, int] = (85, 95)

    def expose(self, levels: Levels, rng: np.random.Generator, *, blur: bool) -> Levels:
        """Take one picture `(H, W, 3)` of a scene given by its 8-bit sharp original."""
        light = to_light(levels)
        gain = rng.uniform(*self.highlights)
        # Only what is almost white was a light; a white wall keeps its tone.
        light = light + (gain - 1) * (np.clip(light - LIGHT, 0, None) / (1 - LIGHT)) ** 2
        if blur:
            light = self._blur(light, rng)
        noise = np.sqrt(self.read_noise**2 + self.shot_noise**2 * light.clip(0))
        return to_levels(light + noise * rng.standard_normal(light.shape))

    def jpeg_quality(self, rng: np.random.Generator) -> int:
        """Draw the quality of one file."""
        return int(rng.integers(self.quality[0], self.quality[1] + 1))

    def _blur(self, light: Array, rng: np.random.Generator) -> Array:
        height, width = light.shape[:2]
        path = hand_path(rng, rng.uniform(*self.motion))
        sweep = np.deg2rad(rng.normal(0, self.roll)) * np.linspace(-0.5, 0.5, len(path))
        radius = rng.uniform(*self.defocus)
        slope = rng.normal(0, self.tilt / 2, 2)
        half = KERNEL // 2
        padded = np.pad(light, ((half, half), (half, half), (0, 0)), mode="reflect")
        shape = tuple(fourier.next_fast_len(side, True) for side in padded.shape[:2])
        spectrum = fourier.rfft2(padded.astype(np.float32), shape, (0, 1))
        result = np.zeros_like(light)
        for row in range(PLACES):
            for column in range(PLACES):
                # Position of this place relative to the middle, in pixels and in half sides.
                u, v = (2 * np.array([column, row]) + 1) / PLACES - 1
                x, y = u * width / 2, v * height / 2
                moved = path + np.stack([-y * sweep, x * sweep], -1)
                lens = disk(max(0.0, radius + float(slope @ np.array([u, v]))), 13)
                kernel = signal.fftconvolve(splat(moved, KERNEL), lens, "same").clip(0)
                kernel /= kernel.sum()
                response = fourier.rfft2(kernel.astype(np.float32), shape)[..., None]
                blurred = fourier.irfft2(spectrum * response, shape, (0, 1))
                blurred = blurred[2 * half : 2 * half + height, 2 * half : 2 * half + width]
                result += blurred * blend_weight(height, width, row, column)[..., None]
        return result


def blend_weight(height: int, width: int, row: int, column: int) -> Array:
    """Return the `(height, width)` bilinear weight of one place; the weights sum to one."""
    return np.outer(_tent(height, row), _tent(width, column))


def _tent(length: int, place: int) -> Array:
    position = (np.arange(length) + 0.5) / length * PLACES - 0.5
    position = position.clip(0, PLACES - 1)
    return (1 - np.abs(position - place)).clip(0)

"""Camera (d): a phone. Blur that varies over the picture, lights that clip, noise, JPEG.

It is often out of focus, its focal plane is tilted, and the hand translates and rolls a little.
"""

from __future__ import annotations

import numpy as np
from attrs import frozen

from b2b_core.bench.cameras.base import Array, Levels
from b2b_core.bench.cameras.convolution import Blurrer
from b2b_core.bench.cameras.encode import jpeg, whole_number
from b2b_core.bench.cameras.kernels import disk, hand_path, joined, splat
from b2b_core.bench.cameras.light import light_to_srgb, srgb_to_light, with_noise

_SIZE = 25
#: The field of kernels is computed at this many places along each side and blended between.
PLACES = 3
#: Linear intensity above which a pixel of the original counts as a clipped light.
_LIGHT = 0.92


@frozen
class Phone:
    """A field of kernels per picture."""

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
    #: JPEG quality of its files, chroma 4:2:0.
    quality: tuple[int, int] = (85, 95)

    @property
    def suffix(self) -> str:
        """JPEG."""
        return ".jpg"

    def expose(self, scene: Levels, rng: np.random.Generator, *, blur: bool) -> Levels:
        """Take one picture `(H, W, 3)`."""
        light = saturated(srgb_to_light(scene), rng.uniform(*self.highlights))
        if blur:
            light = self._blur(light, rng)
        return light_to_srgb(with_noise(light, rng, self.read_noise, self.shot_noise))

    def encode(self, picture: Levels, rng: np.random.Generator) -> bytes:
        """Return a JPEG file."""
        return jpeg(picture, whole_number(rng, self.quality))

    def reference(self, scene: Levels) -> Levels:
        """Return the scene itself: this camera adds no look of its own."""
        return scene

    def _blur(self, light: Array, rng: np.random.Generator) -> Array:
        height, width = light.shape[:2]
        path = hand_path(rng, rng.uniform(*self.motion))
        sweep = np.deg2rad(rng.normal(0, self.roll)) * np.linspace(-0.5, 0.5, len(path))
        radius = rng.uniform(*self.defocus)
        slope = rng.normal(0, self.tilt / 2, 2)

        def kernel(row: int, column: int) -> Array:
            # the place relative to the middle, in half sides
            u, v = (2 * np.array([column, row]) + 1) / PLACES - 1
            moved = path + np.stack([-v * height / 2 * sweep, u * width / 2 * sweep], -1)
            lens = disk(max(0.0, radius + slope[0] * u + slope[1] * v), 13)
            return joined(splat(moved, _SIZE), lens)

        grid = [[kernel(row, column) for column in range(PLACES)] for row in range(PLACES)]
        return Blurrer(light, _SIZE).blur_varying(grid)


def saturated(light: Array, gain: float) -> Array:
    """Return light in which what is almost white was `gain` times as bright before clipping.

    A white wall keeps its tone: only the last steps below white are raised.
    """
    return light + (gain - 1) * (np.clip(light - _LIGHT, 0, None) / (1 - _LIGHT)) ** 2

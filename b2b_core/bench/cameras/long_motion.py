"""Camera (b): long, curved, continuous motion of the hand, with noise that depends on the light."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from b2b_core.bench.cameras.base import Levels
from b2b_core.bench.cameras.convolution import Blurrer
from b2b_core.bench.cameras.encode import png
from b2b_core.bench.cameras.kernels import hand_path, splat
from b2b_core.bench.cameras.light import light_to_srgb, srgb_to_light, with_noise

_SIZE = 31


@frozen
class LongMotion:
    """One path per picture. Files are lossless."""

    motion: tuple[float, float] = (5.0, 16.0)
    #: How much the path bends; see `hand_path`.
    turning: float = 0.24
    read_noise: float = 0.003
    shot_noise: float = 0.008

    @property
    def suffix(self) -> str:
        """PNG."""
        return ".png"

    def expose(self, scene: Levels, rng: np.random.Generator, *, blur: bool) -> Levels:
        """Take one picture `(H, W, 3)`."""
        light = srgb_to_light(scene)
        if blur:
            path = hand_path(rng, rng.uniform(*self.motion), self.turning)
            light = Blurrer(light, _SIZE).blur(splat(path, _SIZE))
        return light_to_srgb(with_noise(light, rng, self.read_noise, self.shot_noise))

    def encode(self, picture: Levels, rng: np.random.Generator) -> bytes:  # noqa: ARG002 - as in Camera
        """Return a PNG file."""
        return png(picture)

    def reference(self, scene: Levels) -> Levels:
        """Return the scene itself: this camera adds no look of its own."""
        return scene

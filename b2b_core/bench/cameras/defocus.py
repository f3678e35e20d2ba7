"""Camera (a): out of focus, with slight curved motion, and a tone curve of its own."""

from __future__ import annotations

import numpy as np
from attrs import field, frozen

from b2b_core.bench.cameras.base import Levels
from b2b_core.bench.cameras.convolution import Blurrer
from b2b_core.bench.cameras.encode import png
from b2b_core.bench.cameras.kernels import disk, hand_path, joined, splat
from b2b_core.bench.cameras.light import Tone, with_noise

_SIZE = 21


@frozen
class Defocus:
    """One kernel per picture: a disk under a short path. Files are lossless."""

    radius: tuple[float, float] = (1.2, 2.6)
    motion: tuple[float, float] = (0.5, 3.0)
    tone: Tone = field(factory=Tone)
    read_noise: float = 0.002
    shot_noise: float = 0.003

    @property
    def suffix(self) -> str:
        """PNG."""
        return ".png"

    def expose(self, scene: Levels, rng: np.random.Generator, *, blur: bool) -> Levels:
        """Take one picture `(H, W, 3)`."""
        light = self.tone.to_light(scene)
        if blur:
            path = splat(hand_path(rng, rng.uniform(*self.motion)), _SIZE)
            kernel = joined(path, disk(rng.uniform(*self.radius), 9))
            light = Blurrer(light, _SIZE).blur(kernel)
        return self.tone.to_levels(with_noise(light, rng, self.read_noise, self.shot_noise))

    def encode(self, picture: Levels, rng: np.random.Generator) -> bytes:  # noqa: ARG002 - as in Camera
        """Return a PNG file."""
        return png(picture)

    def reference(self, scene: Levels) -> Levels:
        """Return the scene itself: this camera adds no look of its own."""
        return scene

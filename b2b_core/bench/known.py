"""The known domains of the bench: photographs under discrete straight motion."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from b2b_core.bench.cameras.base import Levels
from b2b_core.bench.cameras.convolution import Blurrer
from b2b_core.bench.cameras.kernels import splat, straight_path
from b2b_core.bench.cameras.light import light_to_srgb, srgb_to_light

_SIZE = 13


@frozen
class StraightMotion:
    """A burst of few exposures along a straight line, averaged in light."""

    #: Blurred versions of each photograph.
    variants: int = 4
    length: tuple[float, float] = (2.0, 9.0)
    taps: tuple[int, int] = (5, 7)
    noise: float = 0.002

    def move(self, scene: Levels, rng: np.random.Generator) -> Levels:
        """Return a photograph `(H, W, 3)` under one motion."""
        taps = int(rng.integers(self.taps[0], self.taps[1] + 1))
        path = straight_path(rng, rng.uniform(*self.length), taps)
        light = Blurrer(srgb_to_light(scene), _SIZE).blur(splat(path, _SIZE))
        return light_to_srgb(light + self.noise * rng.standard_normal(light.shape))

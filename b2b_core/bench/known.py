"""The known domains of the bench: photographs under discrete straight motion, averaged frames."""

from __future__ import annotations

from collections.abc import Sequence

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


@frozen
class Video:
    """Averages of consecutive frames of a fast video, as GoPro's pairs are made."""

    #: How many frames are averaged into one; odd, so that one is the middle.
    lengths: tuple[int, ...] = ()
    #: Frames from one window's beginning to the next's.
    stride: int = 2

    def windows(self, frames: int) -> list[tuple[int, int]]:
        """Return (first frame, length) of all windows that fit among `frames`."""
        return [
            (first, length)
            for length in self.lengths
            for first in range(0, frames - length + 1, self.stride)
        ]


def average(frames: Sequence[Levels]) -> Levels:
    """Average frames of one size in light."""
    total = sum((srgb_to_light(frame) for frame in frames), np.zeros(frames[0].shape))
    return light_to_srgb(total / len(frames))


def half_size(picture: Levels) -> Levels:
    """Return a picture at half its size, each pixel the mean of four; odd rows are cut off."""
    height, width = picture.shape[0] // 2, picture.shape[1] // 2
    squares = picture[: 2 * height, : 2 * width].reshape(height, 2, width, 2, -1)
    return np.asarray(squares.mean((1, 3)).round(), np.uint8)

"""The known blur of the starter domain: short straight motion, and real averaged GoPro frames."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from b2b_core.bench.cameras.kernels import splat, straight_path
from b2b_plugin_starter.simulation.light import to_levels, to_light
from b2b_plugin_starter.simulation.transforms import signal

Levels = NDArray[np.uint8]


def move(levels: Levels, rng: np.random.Generator) -> Levels:
    """Blur a photograph by 5 to 7 exposures along 2 to 9 pixels, in light, with little noise."""
    path = straight_path(rng, rng.uniform(2, 9), int(rng.integers(5, 8)))
    kernel = splat(path, 13)
    padded = np.pad(to_light(levels), ((6, 6), (6, 6), (0, 0)), mode="reflect")
    light = signal.fftconvolve(padded, kernel[..., None], "valid", (0, 1))
    return to_levels(light + 0.002 * rng.standard_normal(light.shape))


def average(frames: Sequence[Levels]) -> Levels:
    """Average consecutive frames of a fast video in light, as GoPro's pairs are made."""
    return to_levels(np.mean([to_light(frame) for frame in frames], axis=0))

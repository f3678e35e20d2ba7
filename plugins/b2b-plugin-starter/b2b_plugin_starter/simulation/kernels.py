"""The path of the phone's hand; kernels themselves are those of the core's simulated cameras."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def hand_path(rng: np.random.Generator, length: float, steps: int = 64) -> Array:
    """Return a smooth, curved `(steps, 2)` path of about `length` pixels, centred on its mean.

    A velocity that turns and changes slowly (an Ornstein-Uhlenbeck process) stands for the
    tremor of a hand during one exposure.
    """
    heading = rng.uniform(0, 2 * np.pi)
    velocity = np.array([np.cos(heading), np.sin(heading)])
    points = np.zeros((steps, 2))
    for step in range(1, steps):
        velocity = 0.96 * velocity + 0.16 * rng.standard_normal(2)
        points[step] = points[step - 1] + velocity
    travelled = np.linalg.norm(np.diff(points, axis=0), axis=1).sum()
    points *= length / travelled
    centred: Array = points - points.mean(0)
    return centred

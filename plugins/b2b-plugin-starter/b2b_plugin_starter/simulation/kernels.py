"""Blur kernels drawn from physics: paths of a hand, disks of a lens."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def splat(points: Array, size: int) -> Array:
    """Return the `(size, size)` kernel of a path of `(N, 2)` points (x, y) about the centre.

    Every point leaves the same light, shared bilinearly among its four pixels; light that would
    fall outside the kernel lands on its border.
    """
    kernel = np.zeros((size, size))
    place = np.clip(points + size // 2, 0, size - 1.001)
    corner = np.floor(place).astype(int)
    part = place - corner
    for dy in (0, 1):
        for dx in (0, 1):
            weight = np.abs(1 - dx - part[:, 0]) * np.abs(1 - dy - part[:, 1])
            np.add.at(kernel, (corner[:, 1] + dy, corner[:, 0] + dx), weight)
    normalised: Array = kernel / kernel.sum()
    return normalised


def disk(radius: float, size: int, oversampling: int = 8) -> Array:
    """Return a uniform disk of `radius` pixels, its edge antialiased; radius 0 is a point."""
    fine = (np.arange(size * oversampling) + 0.5) / oversampling - size / 2
    inside = (fine[:, None] ** 2 + fine[None] ** 2 <= max(radius, 0.5) ** 2).astype(float)
    kernel = inside.reshape(size, oversampling, size, oversampling).sum((1, 3))
    normalised: Array = kernel / kernel.sum()
    return normalised


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


def straight_path(rng: np.random.Generator, length: float, taps: int) -> Array:
    """Return `(taps, 2)` equally spaced points of a straight line: a burst of few exposures."""
    angle = rng.uniform(0, np.pi)
    along = np.linspace(-length / 2, length / 2, taps)
    return np.stack([along * np.cos(angle), along * np.sin(angle)], -1)

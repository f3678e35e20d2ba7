"""Blur kernels from physics: paths of a hand, disks of a lens. All are non-negative, of sum 1."""

from __future__ import annotations

import numpy as np

from b2b_core.bench.cameras.base import Array

#: Points in which a continuous path is drawn.
PATH_POINTS = 128


def splat(points: Array, size: int) -> Array:
    """Return the `(size, size)` kernel of a path of `(N, 2)` points (x, y) about the middle.

    Every point leaves the same light, shared bilinearly among its four pixels; light that would
    fall outside lands on the border.
    """
    kernel = np.zeros((size, size))
    place = np.clip(points + size // 2, 0, size - 1.001)
    corner = np.floor(place).astype(int)
    part = place - corner
    for dy in (0, 1):
        for dx in (0, 1):
            weight = np.abs(1 - dx - part[:, 0]) * np.abs(1 - dy - part[:, 1])
            np.add.at(kernel, (corner[:, 1] + dy, corner[:, 0] + dx), weight)
    return np.asarray(kernel / kernel.sum(), np.float64)


def disk(radius: float, size: int, oversampling: int = 8) -> Array:
    """Return a uniform disk of `radius` pixels with an antialiased edge; radius 0 is a point."""
    fine = (np.arange(size * oversampling) + 0.5) / oversampling - size / 2
    inside = (fine[:, None] ** 2 + fine[None] ** 2 <= max(radius, 0.5) ** 2).astype(np.float64)
    kernel = inside.reshape(size, oversampling, size, oversampling).sum((1, 3))
    return np.asarray(kernel / kernel.sum(), np.float64)


def hand_path(rng: np.random.Generator, length: float, turning: float = 0.16) -> Array:
    """Return a smooth, curved `(PATH_POINTS, 2)` path of `length` pixels, centred on its mean.

    A velocity that turns and changes slowly (an Ornstein-Uhlenbeck process) stands for the tremor
    of a hand during one exposure; with a larger `turning` the path is more curved.
    """
    heading = rng.uniform(0, 2 * np.pi)
    velocity = np.array([np.cos(heading), np.sin(heading)])
    points = np.zeros((PATH_POINTS, 2))
    for step in range(1, PATH_POINTS):
        # steps are half as long as those of 64 points: the same path, drawn finer
        velocity = 0.98 * velocity + turning / np.sqrt(2) * rng.standard_normal(2)
        points[step] = points[step - 1] + velocity
    points *= length / np.linalg.norm(np.diff(points, axis=0), axis=1).sum()
    return np.asarray(points - points.mean(0), np.float64)


def straight_path(rng: np.random.Generator, length: float, taps: int) -> Array:
    """Return `(taps, 2)` equally spaced points of a straight line: a burst of few exposures."""
    angle = rng.uniform(0, np.pi)
    along = np.linspace(-length / 2, length / 2, taps)
    return np.stack([along * np.cos(angle), along * np.sin(angle)], -1)


def joined(first: Array, second: Array) -> Array:
    """Return the convolution of two kernels at the size of the first; light outside is lost."""
    size, other = first.shape[0], second.shape[0]
    shape = (size + other - 1,) * 2
    product = np.fft.rfft2(first, shape) * np.fft.rfft2(second, shape)
    start = other // 2
    kernel = np.fft.irfft2(product, shape)[start : start + size, start : start + size].clip(0)
    return np.asarray(kernel / kernel.sum(), np.float64)

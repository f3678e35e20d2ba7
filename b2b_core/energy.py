"""The energy distance (Szekely and Rizzo, 2013): how far two samples are from one distribution.

Zero for equal distributions only, and unbiased in batches: no estimate of a density, no network.
"""

from __future__ import annotations

from torch import Tensor


def energy_distance(points: Tensor, others: Tensor, others_spread: Tensor) -> Tensor:
    """Return the energy distance of points `(n, d)`, at least two, from others `(m, d)`.

    Args:
        points: the sample that is judged; gradients flow to it.
        others: the sample that it is held against.
        others_spread: `spread(others)`, which does not change.
    """
    return 2 * _length(points[:, None] - others).mean() - spread(points) - others_spread


def spread(points: Tensor) -> Tensor:
    """Return the mean distance between two different points of `(n, d)`."""
    count = len(points)
    return _length(points[:, None] - points).sum() / (count * (count - 1))


def _length(difference: Tensor) -> Tensor:
    return (difference.square().sum(-1) + 1e-12).sqrt()

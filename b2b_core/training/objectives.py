"""The error and the learning rate that all supervised training here shares."""

from __future__ import annotations

import math

from torch import Tensor


def charbonnier(image: Tensor, target: Tensor, epsilon: float = 1e-3) -> Tensor:
    """Return the mean of `sqrt((image - target)^2 + epsilon^2)` (Charbonnier et al., 1994).

    Args:
        image: `(B, 3, H, W)` in [0, 1].
        target: the same shape.
        epsilon: below this difference the error is quadratic.
    """
    return ((image - target) ** 2 + epsilon**2).sqrt().mean()


def cosine(progress: float) -> float:
    """Return the factor of a learning rate that falls from 1 to 0 as half a cosine.

    Args:
        progress: share of the steps that are done, in [0, 1].
    """
    return 0.5 * (1 + math.cos(math.pi * progress))

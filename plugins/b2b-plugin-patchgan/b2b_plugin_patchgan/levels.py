"""What all discriminators do with a pyramid."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd

from torch import Tensor, nn

from b2b_core.errors import UsageError


def checked_levels(pyramid: Sequence[Tensor] | Tensor, minimum: int) -> Sequence[Tensor]:
    """Return the levels of `pyramid` if a discriminator can take them.

    Raises:
        TypeError: for a bare tensor, whose batch would pass for a pyramid.
        UsageError: if a level is smaller than `minimum` pixels.
    """
    if isinstance(pyramid, Tensor):
        raise TypeError("a discriminator takes a sequence of levels, not one tensor")
    for level in pyramid:
        height, width = level.shape[-2:]
        if min(height, width) < minimum:
            raise UsageError(
                f"a pyramid level of {height}x{width} pixels is too small for this discriminator",
                mend=f"use larger crops or fewer scales; a level needs {minimum}x{minimum}",
            )
    return pyramid


def group_norm(channels: int) -> nn.GroupNorm:
    """Return group normalisation with 8 groups, or as many as divide `channels`."""
    return nn.GroupNorm(gcd(8, channels), channels)

"""A function of a whole map, computed in overlapping windows instead (TLC).

Chu et al. (Improving Image Restoration by Revisiting Global Information Aggregation, ECCV 2022): a
network trained on crops sees at test time the statistics it was trained with if it looks at a
window of that size around each pixel. Attention for every pixel's own window would cost too much,
so that windows lie half a side apart, and between their centres the results are interpolated: no
step shows where a window ends.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import torch
from torch import Tensor


def blend_windows(function: Callable[[Tensor], Tensor], x: Tensor, window: int | None) -> Tensor:
    """Return `function` of `(B, C, H, W)`, in windows where the map is larger than `window`.

    Args:
        function: maps `(B, C, h, w)` to `(B, C', h, w)`.
        x: the map.
        window: side of the windows in pixels of the map; None: one window for everything.
    """
    height, width = x.shape[-2:]
    if window is None or window >= max(height, width):
        return function(x)
    sides = min(window, height), min(window, width)
    share = (_tent(sides[0])[:, None] * _tent(sides[1])).to(x.device)
    shares = torch.zeros(height, width, device=x.device)
    total: Tensor | None = None
    for top, left in product(window_starts(height, window), window_starts(width, window)):
        place = (..., slice(top, top + sides[0]), slice(left, left + sides[1]))
        made = function(x[place])
        if total is None:
            wide = torch.promote_types(made.dtype, torch.float32)
            total = made.new_zeros(*made.shape[:2], height, width, dtype=wide)
        total[place] += share * made
        shares[place] += share
    assert total is not None  # there is at least one window
    return (total / shares).to(x.dtype)


def window_starts(size: int, window: int) -> list[int]:
    """Return where windows begin: evenly from 0 to `size - window`, half a window apart or less."""
    if size <= window:
        return [0]
    free = size - window
    steps = min(free, -(-2 * free // window))
    return [round(step * free / steps) for step in range(steps + 1)]


def _tent(side: int) -> Tensor:
    """Return weights 1, 2, ..., 2, 1: those of linear interpolation between centres."""
    places = torch.arange(side)
    return torch.minimum(places + 1, side - places).float()

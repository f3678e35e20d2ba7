"""Numbers as a camera stores them, without leaving the levels to tell pictures apart by."""

from __future__ import annotations

import torch
from torch import Tensor


def stored(image: Tensor, generator: torch.Generator) -> Tensor:
    """Return `image` `(..., H, W)` rounded to 8 bits, then spread evenly over each level.

    A discriminator that compares pictures on exact 8-bit levels with pictures off them learns the
    levels and nothing else. After this, both sides have rounding's error and no levels; apply it
    to both. Values are clamped to [0, 1]; no gradient passes.

    Args:
        image: values around [0, 1].
        generator: CPU generator of the spread.
    """
    with torch.no_grad():
        levels = (image.float().clamp(0, 1) * 255).round()
        spread = torch.rand(image.shape, generator=generator).to(image.device) - 0.5
        return ((levels + spread) / 255).clamp(0, 1)

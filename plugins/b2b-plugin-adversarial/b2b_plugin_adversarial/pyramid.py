"""Pyramids whose parts are all resampled alike, or D learns resampling instead of blur."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from torch import Tensor
from torch.nn import functional as F

Size = tuple[int, int]
How = Literal["area", "bilinear"]


def level_sizes(outputs: Sequence[Tensor], scales: Sequence[float]) -> list[Size]:
    """Return the sizes that D compares: those of `scales`, or those of G's outputs.

    Args:
        outputs: G's pyramid, coarse to fine.
        scales: relative to G's last output, in any order; empty for G's own.
    """
    height, width = outputs[-1].shape[-2:]
    if not scales:
        return [(output.shape[-2], output.shape[-1]) for output in outputs]
    return [(round(height * scale), round(width * scale)) for scale in sorted(set(scales))]


def pyramid(image: Tensor, sizes: Sequence[Size], how: How) -> list[Tensor]:
    """Return `image` `(B, C, H, W)` at each size."""
    return [resampled(image, size, how) for size in sizes]


def translated_pyramid(
    outputs: Sequence[Tensor], sizes: Sequence[Size], how: How, *, own: bool
) -> list[Tensor]:
    """Return G's pyramid at each size: its own output of that size, or its last one resampled."""
    made = {tuple(output.shape[-2:]): output for output in outputs} if own else {}
    return [made.get(size, resampled(outputs[-1], size, how)) for size in sizes]


def resampled(image: Tensor, size: Size, how: How) -> Tensor:
    """Return `image` at another size; untouched if it has it."""
    if tuple(image.shape[-2:]) == size:
        return image
    return F.interpolate(image, size=size, mode=how)

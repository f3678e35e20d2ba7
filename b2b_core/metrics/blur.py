"""Blur without a reference.

F. Crete, T. Dolmiere, P. Ladret, M. Nicolas, "The blur effect: perception and estimation with a new
no-reference perceptual blur metric", Proc. SPIE 6492, 2007: a sharp picture loses much of its
variation when it is blurred once more, a blurry one little.
"""

from __future__ import annotations

import torch
from torch import Tensor

from b2b_core.errors import UsageError

#: Grey by BT.709 weights, box of 11 pixels, the worse of the two directions; as scikit-image.
BLUR_PROTOCOL = "crete2007-grey-11"

_BOX = 11
_GREY = (0.2125, 0.7154, 0.0721)


def blur_effect(image: Tensor, reference: Tensor | None = None) -> Tensor:  # noqa: ARG001
    """Return the blur, `(B,)`, of pictures `(B, 3, H, W)`: 0 = sharp, 1 = blurred; lower is better.

    It needs no reference and ignores one. Compare pictures of one scene only, and beware that noise
    and ringing count as sharp.

    Raises:
        UsageError: if a side is shorter than 4 pixels.
    """
    if min(image.shape[-2:]) < 4:
        raise UsageError("the blur of pictures with less than 4 pixels a side is not defined")
    weights = torch.tensor(_GREY, dtype=torch.float64, device=image.device)
    grey = (image.detach().double() * weights.view(1, 3, 1, 1)).sum(dim=1)
    return torch.maximum(_blur_along(grey, 1), _blur_along(grey, 2))


def _blur_along(grey: Tensor, dim: int) -> Tensor:
    least = torch.finfo(grey.dtype).eps
    sharp = _slope(grey, dim).clamp_min(least)
    blurred = _slope(_box(grey, dim), dim).clamp_min(least)
    before = sharp.sum(dim=(1, 2))
    lost = (sharp - blurred).clamp_min(0).sum(dim=(1, 2))
    return (before - lost).abs() / before


def _box(grey: Tensor, dim: int) -> Tensor:
    """Return the mean over `_BOX` pixels along `dim`, the picture mirrored with its edge."""
    size, margin = grey.shape[dim], _BOX // 2
    place = torch.arange(-margin, size + margin, device=grey.device) % (2 * size)
    place = torch.where(place < size, place, 2 * size - 1 - place)
    return grey.index_select(dim, place).unfold(dim, _BOX, 1).mean(dim=-1)


def _slope(grey: Tensor, dim: int) -> Tensor:
    """Return the Sobel filter's size along `dim` at the pixels 2 ... size - 2."""
    across = 3 - dim
    smooth = (_shifted(grey, across, -1) + 2 * _shifted(grey, across, 0)) / 4
    smooth = smooth + _shifted(grey, across, 1) / 4
    return (_shifted(smooth, dim, 1) - _shifted(smooth, dim, -1)).abs() / 2


def _shifted(grey: Tensor, dim: int, by: int) -> Tensor:
    return grey.narrow(dim, 2 + by, grey.shape[dim] - 3)

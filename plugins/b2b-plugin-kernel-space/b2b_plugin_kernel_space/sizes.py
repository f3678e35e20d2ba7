"""Any picture for a network of fixed steps: padding, and codes of another size."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def pad_by_reflection(image: Tensor, multiple: int, minimum: int) -> Tensor:
    """Enlarge `(B, C, H, W)` to the right and below, to multiples and a minimum of pixels.

    The picture is mirrored as often as it takes, without repeating its border; a side of one
    pixel is repeated. A mirrored picture has the mirrored blur, so no step at the border
    misleads the extractor. Nothing is copied if the size already fits.
    """
    for dim in (-2, -1):
        size = image.shape[dim]
        target = -(-max(size, minimum) // multiple) * multiple
        if target != size:
            image = image.index_select(dim, _mirrored(size, target).to(image.device))
    return image


def resample_code(code: Tensor, height: int, width: int) -> Tensor:
    """Bring a code map `(B, C, h, w)` to `(B, C, height, width)`.

    A larger map is averaged over areas and a smaller one interpolated bilinearly, so that a code
    that is the same everywhere stays as it is.
    """
    if code.shape[-2:] == (height, width):
        return code
    smaller = (min(code.shape[-2], height), min(code.shape[-1], width))
    code = F.adaptive_avg_pool2d(code, smaller)
    if smaller == (height, width):
        return code
    return F.interpolate(code, size=(height, width), mode="bilinear", align_corners=False)


def _mirrored(size: int, target: int) -> Tensor:
    """Return indices 0, 1, ..., size - 1, size - 2, ..., 1, 0, 1, ... of length `target`."""
    if size == 1:
        return torch.zeros(target, dtype=torch.long)
    phase = torch.arange(target) % (2 * size - 2)
    return torch.minimum(phase, 2 * size - 2 - phase)

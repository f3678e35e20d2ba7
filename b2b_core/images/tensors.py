"""Pixels to tensors and back."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from b2b_core.images.read import Pixels

_WHITE: Mapping[np.dtype[np.generic], int] = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 65535}


def to_tensor(pixels: Pixels) -> Tensor:
    """Return `(3, H, W)` float32 in [0, 1] from `(H, W, 3)` uint8 or uint16.

    Raises:
        ValueError: for any other type; the range is never guessed from the values.
    """
    white = _white(pixels.dtype)
    planes = np.ascontiguousarray(pixels.transpose(2, 0, 1), dtype=np.float32)
    return torch.as_tensor(planes).div_(white)


def to_pixels(image: Tensor, dtype: np.typing.DTypeLike = np.uint8) -> Pixels:
    """Return `(H, W, 3)` of `dtype` (uint8 or uint16) from `(3, H, W)`: clamped, then rounded."""
    kind = np.dtype(dtype)
    scaled = image.detach().float().clamp(0, 1).mul(_white(kind)).round()
    return np.ascontiguousarray(scaled.permute(1, 2, 0).cpu().numpy().astype(kind))


def _white(dtype: np.dtype[np.generic]) -> int:
    try:
        return _WHITE[dtype]
    except KeyError as error:
        raise ValueError(f"pixels must be uint8 or uint16, got {dtype}") from error

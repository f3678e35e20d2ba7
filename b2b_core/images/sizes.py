"""Pictures of any size for networks that take only some: pad, run, crop."""

from __future__ import annotations

import torch
from torch import Tensor

from b2b_core.specs import SizeRule


def pad_to(image: Tensor, rule: SizeRule) -> tuple[Tensor, tuple[int, int]]:
    """Return `image` `(..., H, W)` padded right and below to what `rule` takes, and `(H, W)`.

    The picture is mirrored at its edge without repeating it (numpy's "reflect"), back and forth
    if the padding is longer than the picture; a single row or column is repeated.
    """
    height, width = image.shape[-2:]
    for dim, size in ((-2, height), (-1, width)):
        if rule.fit(size) != size:
            image = image.index_select(dim, _mirrored(size, rule.fit(size), image.device))
    return image, (height, width)


def crop_to(image: Tensor, size: tuple[int, int]) -> Tensor:
    """Return the upper left `(height, width)` of `image` `(..., H, W)`: undoes `pad_to`."""
    return image[..., : size[0], : size[1]]


def _mirrored(size: int, target: int, device: torch.device) -> Tensor:
    if size == 1:
        return torch.zeros(target, dtype=torch.long, device=device)
    period = 2 * (size - 1)
    place = torch.arange(target, device=device) % period
    return torch.where(place < size, place, period - place)

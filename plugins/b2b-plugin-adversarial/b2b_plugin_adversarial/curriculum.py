"""The curriculum: from the least blurry half to the whole, of B or of every batch.

The paper (section 4.1) sorts pictures by the variance of their Laplacian, begins with about half
of the data "within a single batch" and, after 200,000 steps, grows to the full batch. That the
least blurry half comes first, and how fast it grows, is our reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

if TYPE_CHECKING:
    from b2b_core.data.pictures import PictureSet
    from b2b_plugin_adversarial.config import CurriculumConfig


class Curriculum:
    """Which pictures of B a step may draw from, and which of those drawn it learns from.

    Args:
        pictures: B.
        config: share, of what, and steps.
    """

    def __init__(self, pictures: PictureSet, config: CurriculumConfig) -> None:
        self._config = config
        self._by_batch = config.of == "batch"
        ordered = config.start < 1 and not self._by_batch
        self._order = least_blurry_first(pictures) if ordered else list(range(len(pictures)))

    def among(self, step: int) -> Sequence[int]:
        """Return indices into B; at least one."""
        share = 1.0 if self._by_batch else self.share(step)
        return self._order[: max(1, round(len(self._order) * share))]

    def kept(self, crops: Tensor, step: int) -> Tensor:
        """Return those of a batch `(B, 3, c, c)` in [0, 1] that the step learns from; one at least.

        All of them, unless the share is one of the batch; then the least blurry.
        """
        count = max(1, round(len(crops) * self.share(step))) if self._by_batch else len(crops)
        if count == len(crops):
            return crops
        variance = torch.tensor([laplacian_variance(crop) for crop in crops])
        return crops[variance.argsort(descending=True, stable=True)[:count]]

    def share(self, step: int) -> float:
        """Return the share of B, or of a batch, that is in use."""
        config = self._config
        grown = (step - config.hold) / config.grow if config.grow else float(step >= config.hold)
        return config.start + (1 - config.start) * min(max(grown, 0.0), 1.0)


def least_blurry_first(pictures: PictureSet) -> list[int]:
    """Return the indices of the pictures by falling variance of the Laplacian."""
    variance = [laplacian_variance(picture.pixels / 255) for picture in pictures]
    return sorted(range(len(pictures)), key=lambda index: -variance[index])


def laplacian_variance(image: Tensor) -> float:
    """Return the variance of the 5-point Laplacian of the mean channel; `(3, H, W)` in [0, 1]."""
    grey = image.mean(0)[None, None]
    kernel = torch.tensor([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])
    return float(F.conv2d(grey, kernel[None, None]).var())

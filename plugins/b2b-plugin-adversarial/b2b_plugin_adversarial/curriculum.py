"""The curriculum: from the least blurry half of B to the whole of it.

The paper (section 4.1) sorts pictures by the variance of their Laplacian, begins with about half
of the data and grows to all of it; that the easy, least blurry half comes first is our reading.
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
    """Which pictures of B a step may draw from.

    Args:
        pictures: B.
        config: share and steps.
    """

    def __init__(self, pictures: PictureSet, config: CurriculumConfig) -> None:
        self._config = config
        count = len(pictures)
        self._order = least_blurry_first(pictures) if config.start < 1 else list(range(count))

    def among(self, step: int) -> Sequence[int]:
        """Return indices into B; at least one."""
        return self._order[: max(1, round(len(self._order) * self.share(step)))]

    def share(self, step: int) -> float:
        """Return the share of B that is in use."""
        config = self._config
        grown = (step - config.hold) / config.grow if config.grow else float(step >= config.hold)
        return config.start + (1 - config.start) * min(max(grown, 0.0), 1.0)


def least_blurry_first(pictures: PictureSet) -> list[int]:
    """Return the indices of the pictures by falling variance of the Laplacian."""
    variance = [laplacian_variance(picture.pixels) for picture in pictures]
    return sorted(range(len(pictures)), key=lambda index: -variance[index])


def laplacian_variance(pixels: Tensor) -> float:
    """Return the variance of the 5-point Laplacian of the mean channel; `(3, H, W)` uint8."""
    grey = pixels.float().mean(0)[None, None] / 255
    kernel = torch.tensor([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])
    return float(F.conv2d(grey, kernel[None, None]).var())

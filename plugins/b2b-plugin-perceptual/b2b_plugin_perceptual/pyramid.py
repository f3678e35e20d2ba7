"""The picture at several scales, by area."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor
from torch.nn import functional as F

from b2b_plugin_perceptual.frozen import FrozenModule

if TYPE_CHECKING:
    from b2b_plugin_perceptual.config import PixelPyramidConfig


def area_pyramid(image: Tensor, scales: int) -> list[Tensor]:
    """Return `(B, C, H, W)` at 1, 1/2, 1/4, ...; each pixel is the mean of 2x2 finer ones.

    An odd last row or column is averaged alone, so every size from 1x1 works.
    """
    levels = [image]
    for _ in range(scales - 1):
        # The divisor counts real pixels only, also in the incomplete last window.
        levels.append(F.avg_pool2d(levels[-1], 2, ceil_mode=True, count_include_pad=False))
    return levels


class PixelPyramid(FrozenModule):
    """Feature maps that are the pictures themselves: the loss then ties colour and brightness.

    Args:
        config: number of scales.
    """

    def __init__(self, config: PixelPyramidConfig) -> None:
        super().__init__()
        self.scales = config.scales
        self.freeze()

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return `(B, 3, H, W)` and its halvings, fine to coarse."""
        return area_pyramid(image, self.scales)

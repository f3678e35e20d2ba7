"""A discriminator of edges: small patches of the Laplacian, and nothing else.

It sees neither colours nor what is shown, only how fast brightness turns within 11 pixels of a
level: the smallest D that sees blur. No normalisation, which would hide how strong edges are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from b2b_plugin_patchgan.laplacian import laplacian
from b2b_plugin_patchgan.levels import checked_levels

if TYPE_CHECKING:
    from b2b_plugin_patchgan.config import EdgePatchGanConfig

#: Side of what one logit sees of the Laplacian; a level has to be as large.
PATCH = 11


class EdgePatchGan(nn.Module):
    """The discriminator; the same weights see every level.

    Args:
        config: width and gain of the Laplacian.
    """

    def __init__(self, config: EdgePatchGanConfig) -> None:
        super().__init__()
        width = config.width
        self.gain = config.gain
        self.model = nn.Sequential(
            nn.Conv2d(3, width, 5, 1, 2), nn.LeakyReLU(0.2),
            nn.Conv2d(width, 2 * width, 3, 2, 1), nn.LeakyReLU(0.2),
            nn.Conv2d(2 * width, 4 * width, 3, 1, 1), nn.LeakyReLU(0.2),
            nn.Conv2d(4 * width, 1, 1),
        )  # fmt: skip

    def forward(self, pyramid: Sequence[Tensor]) -> list[Tensor]:
        """Return one map of logits `(B, 1, h, w)`, half as wide, per level `(B, 3, H, W)`.

        Raises:
            TypeError: if `pyramid` is a tensor.
            UsageError: if a level is smaller than 11 pixels.
        """
        return [self._judge(level) for level in checked_levels(pyramid, PATCH)]

    def _judge(self, image: Tensor) -> Tensor:
        image = image.to(torch.promote_types(image.dtype, torch.float32))
        logits: Tensor = self.model(self.gain * laplacian(image))
        return logits

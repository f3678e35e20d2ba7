"""The residual U-Net with three inputs and three outputs, as in Table 4 of the Blur2Blur paper.

The paper adapts the U-Net "to handle inputs at various scales" and does not say how. Here the
encoder levels at 1/2 and 1/4 are shown the picture of their size beside the features from above,
and the decoder levels of the three scales each predict a correction to the picture of their size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn
from torch.nn import functional as F

from b2b_plugin_unet.config import SCALES
from b2b_plugin_unet.network import UNetBody

if TYPE_CHECKING:
    from b2b_plugin_unet.config import MultiscaleUNetConfig


class MultiscaleUNet(UNetBody):
    """The U-Net as a translator at scales 1/4, 1/2 and 1.

    To the names of the U-Net it adds `enters` and `exits`, fine to coarse; a fresh network returns
    the resampled input.

    Args:
        config: widths, depths and resampling.
    """

    def __init__(self, config: MultiscaleUNetConfig) -> None:
        super().__init__(config)
        self.resample = config.resample
        widths = [config.width * 2**level for level in range(1, SCALES)]
        self.enters = nn.ModuleList(nn.Conv2d(3, width, 3, padding=1) for width in widths)
        self.exits = nn.ModuleList(nn.Conv2d(width, 3, 3, padding=1) for width in widths)
        for parameter in self.exits.parameters():
            nn.init.zeros_(parameter)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Map `(B, 3, H, W)` in [0, 1] to the pyramid, coarse to fine; nothing is clamped.

        H and W are multiples of `2^(levels - 1)`.
        """
        pictures = [image, self._smaller(image, 2), self._smaller(image, 4)]
        maps = self._decode(self._encode(pictures))[-SCALES:]
        heads = (*reversed(self.exits), self.last)
        return [
            picture + head(features)
            for picture, head, features in zip(reversed(pictures), heads, maps, strict=True)
        ]

    def _encode(self, pictures: list[Tensor]) -> list[Tensor]:
        """Return the features of every level, fine to coarse."""
        x = self.encoders[0](self.first(pictures[0]))
        maps = [x]
        for level, (encoder, down) in enumerate(
            zip(self.encoders[1:], self.downs, strict=True), start=1
        ):
            x = down(x)
            if level < SCALES:
                x = x + self.enters[level - 1](pictures[level])
            x = encoder(x)
            maps.append(x)
        return maps

    def _decode(self, skips: list[Tensor]) -> list[Tensor]:
        """Return the decoded features of every level, coarse to fine."""
        maps = [skips[-1]]
        levels = zip(reversed(self.decoders), reversed(self.ups), reversed(skips[:-1]), strict=True)
        for decoder, up, skip in levels:
            maps.append(decoder(up(maps[-1]) + skip))
        return maps

    def _smaller(self, image: Tensor, factor: int) -> Tensor:
        if self.resample == "area":
            return F.avg_pool2d(image, factor)
        return F.interpolate(image, scale_factor=1 / factor, mode="bilinear")

"""Restormer: a U-Net of transformer blocks that attend between channels (Zamir et al., CVPR 2022).

Parameter names and shapes are those of the published weights, 494 tensors at the default size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from b2b_plugin_restormer.layers import Downsample, Embedding, TransformerBlock, Upsample

if TYPE_CHECKING:
    from b2b_plugin_restormer.config import RestormerConfig


class RestormerBody(nn.Module):
    """The network, whichever role it plays; parameter names are the same in every role.

    Args:
        config: channels, blocks and heads per level, and the window of the attention.
    """

    def __init__(self, config: RestormerConfig) -> None:
        super().__init__()
        dim, bias = config.dim, config.bias
        self.patch_embed = Embedding(dim)
        self.encoder_level1 = _stage(config, 0, dim)
        self.down1_2 = Downsample(dim)
        self.encoder_level2 = _stage(config, 1, 2 * dim)
        self.down2_3 = Downsample(2 * dim)
        self.encoder_level3 = _stage(config, 2, 4 * dim)
        self.down3_4 = Downsample(4 * dim)
        self.latent = _stage(config, 3, 8 * dim)
        self.up4_3 = Upsample(8 * dim)
        self.reduce_chan_level3 = nn.Conv2d(8 * dim, 4 * dim, 1, bias=bias)
        self.decoder_level3 = _stage(config, 2, 4 * dim)
        self.up3_2 = Upsample(4 * dim)
        self.reduce_chan_level2 = nn.Conv2d(4 * dim, 2 * dim, 1, bias=bias)
        self.decoder_level2 = _stage(config, 1, 2 * dim)
        self.up2_1 = Upsample(2 * dim)
        # At full resolution nothing is reduced: features and skip stay side by side.
        self.decoder_level1 = _stage(config, 0, 2 * dim)
        self.refinement = _stage(config, 0, 2 * dim, config.refinement)
        self.output = nn.Conv2d(2 * dim, 3, 3, padding=1, bias=bias)
        if config.zero_init_residual:
            for parameter in self.output.parameters():
                nn.init.zeros_(parameter)

    def restore(self, image: Tensor) -> Tensor:
        """Map `(B, 3, H, W)` in [0, 1] to the same shape; H, W multiples of 8.

        Values may leave [0, 1] slightly; nothing is clamped.
        """
        fine = self.encoder_level1(self.patch_embed(image))
        middle = self.encoder_level2(self.down1_2(fine))
        coarse = self.encoder_level3(self.down2_3(middle))
        x = self.latent(self.down3_4(coarse))
        x = self.reduce_chan_level3(torch.cat([self.up4_3(x), coarse], dim=1))
        x = self.up3_2(self.decoder_level3(x))
        x = self.reduce_chan_level2(torch.cat([x, middle], dim=1))
        x = self.up2_1(self.decoder_level2(x))
        x = self.decoder_level1(torch.cat([x, fine], dim=1))
        correction: Tensor = self.output(self.refinement(x))
        return image + correction


class Restormer(RestormerBody):
    """Restormer as a deblurrer: image to image of the same size."""

    def forward(self, image: Tensor) -> Tensor:
        """Return the restored `(B, 3, H, W)`; see `RestormerBody.restore`."""
        return self.restore(image)


class RestormerTranslator(RestormerBody):
    """Restormer as a translator: its pyramid has the full scale only."""

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return `[restored]`, one level `(B, 3, H, W)`; see `RestormerBody.restore`."""
        return [self.restore(image)]


def _stage(
    config: RestormerConfig, level: int, channels: int, blocks: int | None = None
) -> nn.Sequential:
    """Return the blocks of a level; as many as the config says, unless `blocks` does."""
    count = config.blocks[level] if blocks is None else blocks
    window = None if config.tlc_window is None else config.tlc_window // 2**level
    heads = config.heads[level]
    return nn.Sequential(*(TransformerBlock(channels, heads, config, window) for _ in range(count)))

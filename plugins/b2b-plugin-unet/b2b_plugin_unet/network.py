"""A residual U-Net without normalisation: what a CPU computes fastest in bfloat16.

The skeleton is that of Ronneberger et al. (MICCAI 2015) with skips by addition; the blocks are
those of EDSR (Lim et al., CVPRW 2017): conv-ReLU-conv plus identity. The network predicts a
correction to its input, and starts as the identity because its last convolution starts at zero.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

if TYPE_CHECKING:
    from b2b_plugin_unet.config import UNetConfig


class ResidualBlock(nn.Module):
    """`x + conv(relu(conv(x)))` on maps `(B, C, H, W)`."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return a map of the same shape."""
        residual: Tensor = self.conv2(F.relu(self.conv1(x)))
        return x + residual


class Upsample(nn.Module):
    """`(B, C, H, W)` to `(B, C', 2H, 2W)`: a 1x1 convolution, then pixel shuffle.

    The four subpixels of an output channel start with equal weights (ICNR, Aitken et al. 2017),
    so that a fresh network upsamples by repetition and shows no checkerboard.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, 4 * outputs, 1)
        with torch.no_grad():
            for parameter in self.conv.parameters():
                parameter.copy_(parameter[::4].repeat_interleave(4, dim=0))

    def forward(self, x: Tensor) -> Tensor:
        """Return the enlarged map."""
        return F.pixel_shuffle(self.conv(x), 2)


class UNetBody(nn.Module):
    """The network, whichever role it plays; parameter names are the same in every role.

    Args:
        config: widths and depths.
    """

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        widths = [config.width * 2**level for level in range(config.levels)]
        self.first = nn.Conv2d(3, config.width, 3, padding=1)
        self.encoders = nn.ModuleList(_stack(width, config.blocks) for width in widths)
        self.downs = nn.ModuleList(
            nn.Conv2d(fine, coarse, 3, stride=2, padding=1) for fine, coarse in pairwise(widths)
        )
        self.ups = nn.ModuleList(Upsample(coarse, fine) for fine, coarse in pairwise(widths))
        self.decoders = nn.ModuleList(_stack(width, config.blocks) for width in widths[:-1])
        self.last = nn.Conv2d(config.width, 3, 3, padding=1)
        for parameter in self.last.parameters():
            nn.init.zeros_(parameter)

    def restore(self, image: Tensor) -> Tensor:
        """Map `(B, 3, H, W)` in [0, 1] to the same shape; H, W multiples of `2^(levels - 1)`.

        Values may leave [0, 1] slightly; nothing is clamped.
        """
        x = self.first(image)
        skips: list[Tensor] = []
        for encoder, down in zip(self.encoders, self.downs, strict=False):
            x = encoder(x)
            skips.append(x)
            x = down(x)
        x = self.encoders[-1](x)
        for decoder, up in zip(reversed(self.decoders), reversed(self.ups), strict=True):
            x = decoder(up(x) + skips.pop())
        correction: Tensor = self.last(x)
        return image + correction


class UNet(UNetBody):
    """The U-Net as a deblurrer: image to image of the same size."""

    def forward(self, image: Tensor) -> Tensor:
        """Return the restored `(B, 3, H, W)`; see `UNetBody.restore`."""
        return self.restore(image)


class UNetTranslator(UNetBody):
    """The U-Net as a translator: its pyramid has the full scale only."""

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return `[restored]`, one level `(B, 3, H, W)`; see `UNetBody.restore`."""
        return [self.restore(image)]


def _stack(channels: int, blocks: int) -> nn.Sequential:
    return nn.Sequential(*(ResidualBlock(channels) for _ in range(blocks)))

"""The blur kernel space: read the blur of a pair, apply it to another picture.

Tran et al., Explore Image Deblurring via Encoded Blur Kernel Space, CVPR 2021. Parameter names and
shapes are those of the published weights (159 tensors). Unlike the published code this takes
pictures of any size, codes of any size, and runs on any device.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Generator, Tensor, nn

from b2b_core.contracts import BlurCode
from b2b_core.errors import UsageError
from b2b_plugin_kernel_space.adapter import Adapter
from b2b_plugin_kernel_space.extractor import CodeExtractor
from b2b_plugin_kernel_space.layers import ResBlock, start_at_unit_gain
from b2b_plugin_kernel_space.sizes import pad_by_reflection

if TYPE_CHECKING:
    from b2b_plugin_kernel_space.config import KernelSpaceConfig


class KernelSpace(nn.Module):
    """Extractor and adapter with their common feature extractor.

    A fresh network leaves pictures as they are: its last convolution starts at zero.

    Args:
        config: widths, depths, and whether the code is a distribution.
    """

    def __init__(self, config: KernelSpaceConfig) -> None:
        super().__init__()
        width, code = config.width, config.code_channels
        self.cell = config.cell
        self.code_channels = code
        self.vae = config.vae
        self.feature_extractor = _feature_extractor(width, config.front_blocks)
        self.kernel_extractor = CodeExtractor(
            width, 2 * code if config.vae else code, config.downsamplings, config.code_blocks
        )
        self.adapter = Adapter(width, code, config.downsamplings)
        self.recon_trunk = _reconstruction_trunk(width, config.back_blocks)
        convs = [
            layer
            for part in (self.feature_extractor, self.recon_trunk)
            for layer in part
            if isinstance(layer, nn.Conv2d)
        ]
        for conv in convs:
            start_at_unit_gain(conv)
        nn.init.zeros_(convs[-1].weight)

    def extract(self, sharp: Tensor, blurry: Tensor) -> BlurCode:
        """Return the blur code of aligned pairs `(B, 3, H, W)` in [0, 1], of any size.

        The code map has one pixel per 128x128 of the picture (at the default depth), at least
        2x2. The published network's deviation may be negative, which changes nothing in what is
        drawn; here its absolute value is returned.

        Raises:
            UsageError: if the two do not have the same shape.
        """
        if sharp.shape != blurry.shape:
            raise UsageError(
                f"a pair must have one size: sharp {tuple(sharp.shape)}, "
                f"blurry {tuple(blurry.shape)}"
            )
        sharp, blurry = (
            pad_by_reflection(image, self.cell, 2 * self.cell) for image in (sharp, blurry)
        )
        features = [self.feature_extractor(sharp), self.feature_extractor(blurry)]
        code = self.kernel_extractor(torch.cat(features, dim=1))
        if not self.vae:
            return BlurCode(code)
        mean, sigma = code.split(self.code_channels, dim=1)
        return BlurCode(mean, sigma.abs())

    def reblur(self, sharp: Tensor, code: Tensor) -> Tensor:
        """Return `sharp` `(B, 3, H, W)` in [0, 1] under the blur of `code`; any size, unclamped.

        Args:
            sharp: pictures.
            code: `(B, C, h, w)` or, for one blur on all pictures, `(1, C, h, w)`; a map of
                another size than the picture asks for is resampled.

        Raises:
            UsageError: if the code has another number of channels.
        """
        if code.shape[1] != self.code_channels:
            raise UsageError(
                f"the blur code has {code.shape[1]} channels, this extractor takes "
                f"{self.code_channels}",
                mend="take codes and apply them with the same extractor",
            )
        padded = pad_by_reflection(sharp, self.cell, self.cell)
        features = self.adapter(self.feature_extractor(padded), code)
        height, width = sharp.shape[-2:]
        blurry: Tensor = padded + self.recon_trunk(features)
        return blurry[..., :height, :width]

    def prior(
        self,
        size: tuple[int, int],
        count: int = 1,
        *,
        deviation: float = 1.0,
        generator: Generator | None = None,
    ) -> Tensor:
        """Draw codes of no pair, for pictures of any size: every number from N(0, deviation^2).

        They are drawn on the CPU, so that a device does not change what is drawn.

        Args:
            size: height and width of the pictures in pixels.
            count: how many codes.
            deviation: 1 is what the training brings codes to; the authors' script uses 1.2.
            generator: where they come from; None: torch's default generator.

        Returns:
            Codes `(count, C, h, w)` with one pixel per 128x128 of the picture, begun ones included.

        Raises:
            UsageError: if the codes of this extractor are not a distribution.
        """
        if not self.vae:
            raise UsageError(
                "the codes of this kernel extractor are no distribution that could be sampled",
                mend="use weights of the kind vae = true",
            )
        height, width = (-(-side // self.cell) for side in size)
        drawn = torch.randn(count, self.code_channels, height, width, generator=generator)
        return deviation * drawn.to(next(self.parameters()))

    def forward(self, sharp: Tensor, blurry: Tensor, generator: Generator | None = None) -> Tensor:
        """Return the pair's sharp picture under the pair's own blur: what training compares."""
        return self.reblur(sharp, self.extract(sharp, blurry).sample(generator))


def _feature_extractor(width: int, blocks: int) -> nn.Sequential:
    """Map `(B, 3, H, W)` to `(B, width, H/4, W/4)`."""
    return nn.Sequential(
        nn.Conv2d(3, width, 3, padding=1),
        nn.LeakyReLU(0.1),
        nn.Conv2d(width, width, 3, stride=2, padding=1),
        nn.LeakyReLU(0.1),
        nn.Conv2d(width, width, 3, stride=2, padding=1),
        nn.LeakyReLU(0.1),
        *(ResBlock(width) for _ in range(blocks)),
    )


def _reconstruction_trunk(width: int, blocks: int) -> nn.Sequential:
    """Map `(B, width, h, w)` to `(B, 3, 4h, 4w)`."""
    return nn.Sequential(
        *(ResBlock(width) for _ in range(blocks)),
        nn.Conv2d(width, 4 * width, 3, padding=1),
        nn.PixelShuffle(2),
        nn.LeakyReLU(0.1),
        nn.Conv2d(width, 4 * width, 3, padding=1),
        nn.PixelShuffle(2),
        nn.LeakyReLU(0.1),
        nn.Conv2d(width, width, 3, padding=1),
        nn.LeakyReLU(0.1),
        nn.Conv2d(width, 3, 3, padding=1),
    )

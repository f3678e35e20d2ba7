"""MIMO-UNet: one U-Net with three inputs and three outputs (Cho et al., ICCV 2021).

Parameter names and shapes are those of the published weights, 244 tensors (plus: 532).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from b2b_plugin_mimo_unet.layers import (
    ConvUnit,
    FeatureAttention,
    FeatureFusion,
    ResBlocks,
    ShallowConv,
)

if TYPE_CHECKING:
    from b2b_plugin_mimo_unet.config import MimoUNetConfig


class MimoUNetBody(nn.Module):
    """The network, whichever role it plays; parameter names are the same in every role.

    Args:
        config: widths, depths, start and resampling.
    """

    def __init__(self, config: MimoUNetConfig) -> None:
        super().__init__()
        fine, middle, coarse = config.width, 2 * config.width, 4 * config.width
        self.resample = config.resample
        self.Encoder = nn.ModuleList(ResBlocks(c, config.depth) for c in (fine, middle, coarse))
        self.feat_extract = nn.ModuleList(
            [
                ConvUnit(3, fine, 3),
                ConvUnit(fine, middle, 3, stride=2),
                ConvUnit(middle, coarse, 3, stride=2),
                ConvUnit(coarse, middle, 4, stride=2, transposed=True),
                ConvUnit(middle, fine, 4, stride=2, transposed=True),
                ConvUnit(fine, 3, 3, relu=False),
            ]
        )
        self.Decoder = nn.ModuleList(ResBlocks(c, config.depth) for c in (coarse, middle, fine))
        self.Convs = nn.ModuleList([ConvUnit(coarse, middle, 1), ConvUnit(middle, fine, 1)])
        self.ConvsOut = nn.ModuleList(ConvUnit(c, 3, 3, relu=False) for c in (coarse, middle))
        self.AFFs = nn.ModuleList(FeatureFusion(fine + middle + coarse, c) for c in (fine, middle))
        self.FAM1, self.SCM1 = FeatureAttention(coarse), ShallowConv(coarse)
        self.FAM2, self.SCM2 = FeatureAttention(middle), ShallowConv(middle)
        self.drop = nn.Dropout2d(0.1) if config.plus else nn.Identity()
        if config.init == "published":
            self.apply(_start_near_zero)
        if config.zero_init_residual:
            for last in (*self.ConvsOut, self.feat_extract[5]):
                for parameter in last.parameters():
                    nn.init.zeros_(parameter)

    def restore(self, image: Tensor) -> list[Tensor]:
        """Map `(B, 3, H, W)` in [0, 1], H and W multiples of 4, to scales 1/4, 1/2, 1.

        Each output is the input of its scale plus a correction; nothing is clamped.
        """
        half = self._halve(image)
        quarter = self._halve(half)
        fine, middle, z = self._encode(image, half, quarter)

        z = self.Decoder[0](z)
        coarse_out = quarter + self.ConvsOut[0](z)

        z = self.Convs[0](torch.cat([self.feat_extract[3](z), middle], dim=1))
        z = self.Decoder[1](z)
        middle_out = half + self.ConvsOut[1](z)

        z = self.Convs[1](torch.cat([self.feat_extract[4](z), fine], dim=1))
        z = self.Decoder[2](z)
        return [coarse_out, middle_out, image + self.feat_extract[5](z)]

    def _encode(
        self, image: Tensor, half: Tensor, quarter: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the fused skips at scales 1 and 1/2, and the features at 1/4."""
        fine = self.Encoder[0](self.feat_extract[0](image))
        middle = self.FAM2(self.feat_extract[1](fine), self.SCM2(half))
        middle = self.Encoder[1](middle)
        coarse = self.FAM1(self.feat_extract[2](middle), self.SCM1(quarter))
        coarse = self.Encoder[2](coarse)

        coarse_twice = _double(coarse)
        fused_middle = self.AFFs[1](_nearest_half(fine), middle, coarse_twice)
        fused_fine = self.AFFs[0](fine, _double(middle), _double(coarse_twice))
        return self.drop(fused_fine), self.drop(fused_middle), coarse

    def _halve(self, image: Tensor) -> Tensor:
        return F.avg_pool2d(image, 2) if self.resample == "area" else _nearest_half(image)


class MimoUNet(MimoUNetBody):
    """MIMO-UNet as a translator: the pyramid at scales 1/4, 1/2, 1."""

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return the pyramid, coarse to fine; see `MimoUNetBody.restore`."""
        return self.restore(image)


class MimoUNetDeblurrer(MimoUNetBody):
    """MIMO-UNet as a deblurrer: the finest output."""

    def forward(self, image: Tensor) -> Tensor:
        """Return the restored `(B, 3, H, W)`; see `MimoUNetBody.restore`."""
        return self.restore(image)[-1]


def _nearest_half(x: Tensor) -> Tensor:
    # What interpolate(scale_factor=0.5, mode="nearest") picks, without its copy.
    return x[..., ::2, ::2]


def _double(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="nearest")


def _start_near_zero(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)

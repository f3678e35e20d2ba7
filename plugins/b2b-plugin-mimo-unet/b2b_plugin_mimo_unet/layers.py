"""The building blocks of MIMO-UNet (Cho et al., ICCV 2021, section 3).

Every convolution sits at `main.0` of a `ConvUnit`; these names are those of the published
weights.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ConvUnit(nn.Module):
    """A convolution with bias and, unless `relu` is off, a ReLU.

    Args:
        inputs: channels in.
        outputs: channels out.
        kernel: side of the kernel; padding keeps the size at stride 1.
        stride: 1, or 2 to halve (or, transposed, to double) the size.
        relu: whether a ReLU follows.
        transposed: use a transposed convolution.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        *,
        stride: int = 1,
        relu: bool = True,
        transposed: bool = False,
    ) -> None:
        super().__init__()
        conv: nn.Module
        if transposed:
            conv = nn.ConvTranspose2d(inputs, outputs, kernel, stride, kernel // 2 - 1)
        else:
            conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2)
        self.main = nn.Sequential(conv, nn.ReLU()) if relu else nn.Sequential(conv)

    def forward(self, x: Tensor) -> Tensor:
        """Map `(B, inputs, H, W)` to `(B, outputs, H', W')`."""
        y: Tensor = self.main(x)
        return y


class ResBlock(nn.Module):
    """`x + conv(relu(conv(x)))`, 3x3."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            ConvUnit(channels, channels, 3), ConvUnit(channels, channels, 3, relu=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return a map of the same shape."""
        residual: Tensor = self.main(x)
        return x + residual


class ResBlocks(nn.Module):
    """The residual blocks of one encoder or decoder level."""

    def __init__(self, channels: int, depth: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*(ResBlock(channels) for _ in range(depth)))

    def forward(self, x: Tensor) -> Tensor:
        """Return a map of the same shape."""
        y: Tensor = self.layers(x)
        return y


class ShallowConv(nn.Module):
    """SCM: features of a downsampled picture, with the picture itself kept beside them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            ConvUnit(3, channels // 4, 3),
            ConvUnit(channels // 4, channels // 2, 1),
            ConvUnit(channels // 2, channels // 2, 3),
            ConvUnit(channels // 2, channels - 3, 1),
        )
        self.conv = ConvUnit(channels, channels, 1, relu=False)

    def forward(self, image: Tensor) -> Tensor:
        """Map `(B, 3, H, W)` to `(B, channels, H, W)`."""
        y: Tensor = self.conv(torch.cat([image, self.main(image)], dim=1))
        return y


class FeatureAttention(nn.Module):
    """FAM: lets the features of the coarser picture weigh those of the encoder."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.merge = ConvUnit(channels, channels, 3, relu=False)

    def forward(self, encoded: Tensor, shallow: Tensor) -> Tensor:
        """Return `encoded + conv(encoded * shallow)`, all of one shape."""
        merged: Tensor = self.merge(encoded * shallow)
        return encoded + merged


class FeatureFusion(nn.Module):
    """AFF: joins the features of all encoder levels, brought to one size."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            ConvUnit(inputs, outputs, 1), ConvUnit(outputs, outputs, 3, relu=False)
        )

    def forward(self, fine: Tensor, middle: Tensor, coarse: Tensor) -> Tensor:
        """Map three maps of one size to `(B, outputs, H, W)`."""
        y: Tensor = self.conv(torch.cat([fine, middle, coarse], dim=1))
        return y

"""The building blocks of NAFNet (Chen et al., ECCV 2022, figure 3).

Parameter names are those of the published weights.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from b2b_plugin_nafnet.pooling import WindowMean


class LayerNorm2d(nn.Module):
    """Layer normalisation over the channels of each pixel, in float32 at least.

    Sums of squares over the channels of a trained NAFNet overflow float16.
    """

    def __init__(self, channels: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Return `(B, C, H, W)` in the type of `x`, mean 0 and variance 1 before the scaling."""
        wide = torch.promote_types(x.dtype, torch.float32)
        pixels = x.to(wide).permute(0, 2, 3, 1)
        normed = F.layer_norm(
            pixels, self.weight.shape, self.weight.to(wide), self.bias.to(wide), self.eps
        )
        return normed.permute(0, 3, 1, 2).to(x.dtype)


def simple_gate(x: Tensor) -> Tensor:
    """Return the product of the two halves of the channels: `(B, 2C, H, W)` to `(B, C, H, W)`."""
    first, second = x.chunk(2, dim=1)
    return first * second


class NafBlock(nn.Module):
    """A gated depthwise convolution with channel attention, then a gated feed-forward part.

    Args:
        channels: channels in and out.
        window: side of the attention's window on this map; None: the whole map.
    """

    def __init__(self, channels: int, window: int | None = None) -> None:
        super().__init__()
        self.norm1, self.norm2 = LayerNorm2d(channels), LayerNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, 2 * channels, 1)
        self.conv2 = nn.Conv2d(2 * channels, 2 * channels, 3, padding=1, groups=2 * channels)
        self.sca = nn.Sequential(WindowMean(window), nn.Conv2d(channels, channels, 1))
        self.conv3 = nn.Conv2d(channels, channels, 1)
        self.conv4 = nn.Conv2d(channels, 2 * channels, 1)
        self.conv5 = nn.Conv2d(channels, channels, 1)
        self.beta = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.gamma = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Return a map of the same shape; a fresh block is the identity."""
        gated = simple_gate(self.conv2(self.conv1(self.norm1(x))))
        x = x + self.beta * self.conv3(gated * self.sca(gated))
        forwarded: Tensor = self.conv5(simple_gate(self.conv4(self.norm2(x))))
        return x + self.gamma * forwarded

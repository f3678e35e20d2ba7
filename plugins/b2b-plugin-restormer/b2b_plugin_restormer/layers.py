"""The building blocks of Restormer (Zamir et al., CVPR 2022, section 3, figure 2).

Parameter names are those of the published weights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from b2b_plugin_restormer.attention import TransposedAttention

if TYPE_CHECKING:
    from b2b_plugin_restormer.config import RestormerConfig


class ChannelNorm(nn.Module):
    """Normalisation over the channels of each pixel, in float32 at least.

    Args:
        channels: channels in and out.
        shift: subtract the mean and learn a shift (layer normalisation); without, the pixel is
            divided by its channels' deviation and nothing is added, so that a brighter or darker
            picture is treated alike (bias-free, Mohan et al., ICLR 2020).
    """

    def __init__(self, channels: int, *, shift: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels)) if shift else None
        self.eps = 1e-5

    def forward(self, x: Tensor) -> Tensor:
        """Return `(B, C, H, W)` in the type of `x`."""
        wide = torch.promote_types(x.dtype, torch.float32)
        pixels, weight = x.to(wide).permute(0, 2, 3, 1), self.weight.to(wide)
        if self.bias is None:
            variance = pixels.var(-1, correction=0, keepdim=True)
            normed = pixels * (variance + self.eps).rsqrt() * weight
        else:
            normed = F.layer_norm(pixels, weight.shape, weight, self.bias.to(wide), self.eps)
        return normed.permute(0, 3, 1, 2).to(x.dtype)


class LayerNorm(nn.Module):
    """The normalisation under the name of the published weights."""

    def __init__(self, channels: int, *, shift: bool = True) -> None:
        super().__init__()
        self.body = ChannelNorm(channels, shift=shift)

    def forward(self, x: Tensor) -> Tensor:
        """Return `(B, C, H, W)` in the type of `x`."""
        normed: Tensor = self.body(x)
        return normed


class GatedFeedForward(nn.Module):
    """GDFN: of two depthwise-filtered projections one, through GELU, gates the other.

    Args:
        channels: channels in and out.
        expansion: channels inside per channel outside; rounded down.
        bias: whether the convolutions have biases.
    """

    def __init__(self, channels: int, expansion: float, *, bias: bool = False) -> None:
        super().__init__()
        hidden = int(channels * expansion)
        self.project_in = nn.Conv2d(channels, 2 * hidden, 1, bias=bias)
        self.dwconv = nn.Conv2d(2 * hidden, 2 * hidden, 3, padding=1, groups=2 * hidden, bias=bias)
        self.project_out = nn.Conv2d(hidden, channels, 1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return a map `(B, C, H, W)` of the same shape."""
        gate, content = self.dwconv(self.project_in(x)).chunk(2, dim=1)
        y: Tensor = self.project_out(F.gelu(gate) * content)
        return y


class TransformerBlock(nn.Module):
    """Transposed attention, then the gated feed-forward part, each normalised and added.

    Args:
        channels: channels in and out.
        heads: heads of the attention; they divide the channels.
        config: expansion, kind of normalisation, biases.
        window: side of the attention's windows on this map; None: the whole map.
    """

    def __init__(
        self, channels: int, heads: int, config: RestormerConfig, window: int | None = None
    ) -> None:
        super().__init__()
        shift = config.norm == "with-bias"
        self.norm1 = LayerNorm(channels, shift=shift)
        self.attn = TransposedAttention(channels, heads, bias=config.bias, window=window)
        self.norm2 = LayerNorm(channels, shift=shift)
        self.ffn = GatedFeedForward(channels, config.expansion, bias=config.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return a map `(B, C, H, W)` of the same shape."""
        x = x + self.attn(self.norm1(x))
        fed: Tensor = self.ffn(self.norm2(x))
        return x + fed


class Embedding(nn.Module):
    """The first convolution, from a picture to features."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, channels, 3, padding=1, bias=False)

    def forward(self, image: Tensor) -> Tensor:
        """Map `(B, 3, H, W)` to `(B, C, H, W)`."""
        features: Tensor = self.proj(image)
        return features


class Downsample(nn.Module):
    """`(B, C, H, W)` to `(B, 2C, H/2, W/2)`: a convolution, then pixel unshuffle."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        conv = nn.Conv2d(channels, channels // 2, 3, padding=1, bias=False)
        self.body = nn.Sequential(conv, nn.PixelUnshuffle(2))

    def forward(self, x: Tensor) -> Tensor:
        """Return the smaller map."""
        y: Tensor = self.body(x)
        return y


class Upsample(nn.Module):
    """`(B, C, H, W)` to `(B, C/2, 2H, 2W)`: a convolution, then pixel shuffle."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        conv = nn.Conv2d(channels, 2 * channels, 3, padding=1, bias=False)
        self.body = nn.Sequential(conv, nn.PixelShuffle(2))

    def forward(self, x: Tensor) -> Tensor:
        """Return the larger map."""
        y: Tensor = self.body(x)
        return y

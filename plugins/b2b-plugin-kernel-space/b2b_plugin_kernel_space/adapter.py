"""From sharp features and a blur code to blurry features: a U-Net with the code at its bottom.

The order of every concatenation is part of the published weights: the code comes before the
features at the bottom, and the path from below comes before the skip.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from b2b_plugin_kernel_space.sizes import resample_code

#: Widest level, as a multiple of the first.
_WIDEST = 8


class AdapterLevel(nn.Module):
    """One level below the first: halve, go deeper (or meet the code), double, join the skip.

    Args:
        widths: channels of the level above, of this level and of those below.
        code_channels: channels of the blur code.
    """

    def __init__(self, widths: list[int], code_channels: int) -> None:
        super().__init__()
        outer, inner, *below = widths
        self.down = nn.Sequential(nn.LeakyReLU(0.2), nn.Conv2d(outer, inner, 4, 2, 1, bias=False))
        self.submodule = AdapterLevel(widths[1:], code_channels) if below else None
        joined = 2 * inner if below else inner + code_channels
        self.up = nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(joined, outer, 4, 2, 1, bias=False))

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        """Map `(B, outer, h, w)` to `(B, 2 * outer, h, w)`; the skip is the activated input."""
        # The published network activates in place, so its skip carries the activated features.
        activated = self.down[0](x)
        deep = self.down[1](activated)
        if self.submodule is None:
            code = resample_code(code, deep.shape[-2], deep.shape[-1])
            joined = torch.cat([code.expand(len(deep), -1, -1, -1), deep], dim=1)
        else:
            joined = self.submodule(deep, code)
        return torch.cat([self.up(joined), activated], dim=1)


class AdapterTop(nn.Module):
    """The first level of the adapter; it ends in a hyperbolic tangent."""

    def __init__(self, width: int, code_channels: int, depth: int) -> None:
        super().__init__()
        widths = [width * min(2**level, _WIDEST) for level in range(depth)]
        self.down = nn.Sequential(nn.Conv2d(width, width, 4, 2, 1, bias=False))
        self.submodule = AdapterLevel(widths, code_channels)
        self.up = nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(2 * width, width, 4, 2, 1), nn.Tanh())

    def forward(self, features: Tensor, code: Tensor) -> Tensor:
        """Map features `(B, width, h, w)` to the same shape, in (-1, 1)."""
        blurred: Tensor = self.up(self.submodule(self.down(features), code))
        return blurred


class Adapter(nn.Module):
    """The adapter under the name of the published weights.

    Args:
        width: channels of the features.
        code_channels: channels of the blur code.
        depth: levels, each of which halves the features; at least 2.
    """

    def __init__(self, width: int, code_channels: int, depth: int) -> None:
        super().__init__()
        self.model = AdapterTop(width, code_channels, depth)

    def forward(self, features: Tensor, code: Tensor) -> Tensor:
        """Return blurred features; h and w multiples of `2^depth`, a code map of any size."""
        blurred: Tensor = self.model(features, code)
        return blurred

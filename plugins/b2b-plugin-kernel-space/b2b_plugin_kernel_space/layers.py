"""The two kinds of residual block.

Parameter names are those of the published weights.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def start_at_unit_gain(conv: nn.Conv2d, scale: float = 1.0) -> None:
    """Draw a convolution's weights (Kaiming normal, times `scale`); its bias starts at zero.

    There is no normalisation to repair what torch's smaller start takes away: in a dozen layers
    the code would shrink to 1e-4 of its size, and short trainings would never use it.
    """
    nn.init.kaiming_normal_(conv.weight)
    with torch.no_grad():
        conv.weight.mul_(scale)
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)


class ResBlock(nn.Module):
    """`x + conv(relu(conv(x)))` on features; starts near the identity (Kaiming normal x 0.1)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        for conv in (self.conv1, self.conv2):
            start_at_unit_gain(conv, 0.1)

    def forward(self, x: Tensor) -> Tensor:
        """Return a map of the same shape."""
        residual: Tensor = self.conv2(F.relu(self.conv1(x)))
        return x + residual


class CodeBlock(nn.Module):
    """A residual block on the blur code: mirrored borders, no bias, no normalisation."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        first, second = (nn.Conv2d(channels, channels, 3, bias=False) for _ in range(2))
        start_at_unit_gain(first)
        start_at_unit_gain(second, 0.1)
        # The empty places keep the published indices, where the normalisations would be.
        self.conv_block = nn.Sequential(
            nn.ReflectionPad2d(1),
            first,
            nn.Identity(),
            nn.ReLU(),
            nn.ReflectionPad2d(1),
            second,
            nn.Identity(),
        )

    def forward(self, code: Tensor) -> Tensor:
        """Return a map of the same shape; sides of at least 2."""
        residual: Tensor = self.conv_block(code)
        return code + residual

"""From the features of a sharp and a blurry picture to the blur code (Tran et al., section 3.2)."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from b2b_plugin_kernel_space.layers import CodeBlock, start_at_unit_gain


class CodeExtractor(nn.Module):
    """A convolutional encoder without normalisation and without biases.

    Args:
        width: channels of one picture's features; the input has twice as many.
        channels: channels out: those of the code, twice as many for a distribution.
        downsamplings: halvings.
        blocks: residual blocks at the end.
    """

    def __init__(self, width: int, channels: int, downsamplings: int, blocks: int) -> None:
        super().__init__()
        widths = [width] + [min(width * 2**i, channels) for i in range(1, downsamplings + 1)]
        widths[-1] = channels
        layers: list[nn.Module] = [
            nn.ReflectionPad2d(3),
            nn.Conv2d(2 * width, width, 7, bias=False),
            nn.Identity(),
            nn.ReLU(),
        ]
        for inputs, outputs in pairwise(widths):
            layers += [
                nn.Conv2d(inputs, outputs, 3, 2, 1, bias=False),
                nn.Identity(),
                nn.ReLU(),
            ]
        for layer in layers:
            if isinstance(layer, nn.Conv2d):
                start_at_unit_gain(layer)
        layers += [CodeBlock(channels) for _ in range(blocks)]
        self.model = nn.Sequential(*layers)

    def forward(self, features: Tensor) -> Tensor:
        """Map `(B, 2 * width, h, w)` to `(B, channels, h / 2^n, w / 2^n)`."""
        code: Tensor = self.model(features)
        return code

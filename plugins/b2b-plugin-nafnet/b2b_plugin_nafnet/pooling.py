"""The mean over a picture, or over a window that slides with the pixel."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class WindowMean(nn.Module):
    """Mean of each channel, over everything or over a window around each pixel.

    With a window this is the test-time local converter (TLC, Chu et al., ECCV 2022): a network
    trained on crops of that size sees at test time the statistics it was trained with. Where the
    window would leave the picture it stays at the border.

    Args:
        window: side of the window in pixels of this map; None: the whole map.
    """

    def __init__(self, window: int | None = None) -> None:
        super().__init__()
        self.window = window

    def forward(self, x: Tensor) -> Tensor:
        """Map `(B, C, H, W)` to `(B, C, 1, 1)`, or to `(B, C, H, W)` with a smaller window."""
        height, width = x.shape[-2:]
        if self.window is None or self.window >= max(height, width):
            return x.mean(dim=(-2, -1), keepdim=True)
        return box_mean(box_mean(x, self.window, dim=-2), self.window, dim=-1)


def box_mean(x: Tensor, window: int, dim: int) -> Tensor:
    """Return the mean of `window` neighbours along `dim` (-2 or -1) of `(B, C, H, W)`, same shape.

    Sums run in float32 at least: half precision overflows on pictures of ordinary size.
    """
    size = x.shape[dim]
    window = min(window, size)
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    total = wide.cumsum(dim)
    total = torch.cat([torch.zeros_like(total.narrow(dim, 0, 1)), total], dim)
    span = size - window + 1
    mean = (total.narrow(dim, window, span) - total.narrow(dim, 0, span)) / window
    before, after = (window - 1) // 2, window // 2
    padding = (before, after, 0, 0) if dim == -1 else (0, 0, before, after)
    return F.pad(mean, padding, mode="replicate").to(x.dtype)

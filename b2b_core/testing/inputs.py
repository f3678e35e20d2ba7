"""Pictures and other tensors to try components with: textured, in range, the same every time."""

from __future__ import annotations

import torch
from torch import Generator, Tensor
from torch.nn import functional as F


def pictures(count: int, height: int, width: int, seed: int = 0) -> Tensor:
    """Return pictures `(count, 3, height, width)` in [0, 1] with smooth areas, edges and grain.

    Picture i is the same whatever `count` is.
    """
    return torch.stack([_picture(height, width, 1000 * seed + i) for i in range(count)])


def _picture(height: int, width: int, seed: int) -> Tensor:
    draw = Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, height // 16 + 2, width // 16 + 2, generator=draw)
    smooth = F.interpolate(coarse, size=(height, width), mode="bilinear", align_corners=False)
    blocks = torch.rand(1, 3, height // 6 + 2, width // 6 + 2, generator=draw)
    edges = F.interpolate(blocks, size=(height, width), mode="nearest")
    grain = torch.randn(3, height, width, generator=draw)
    return (0.5 * smooth[0] + 0.45 * edges[0] + 0.02 * grain).clamp(0, 1)


def blurred(image: Tensor, radius: int = 1) -> Tensor:
    """Return `(B, C, H, W)` under a box of side `2 * radius + 1`; the border is repeated."""
    padded = F.pad(image, (radius,) * 4, mode="replicate")
    return F.avg_pool2d(padded, 2 * radius + 1, stride=1)


def pyramid(image: Tensor, scales: tuple[float, ...]) -> list[Tensor]:
    """Return `(B, C, H, W)` at each of the scales, by area."""
    height, width = image.shape[-2:]
    sizes = [(round(height * scale), round(width * scale)) for scale in scales]
    return [F.interpolate(image, size=size, mode="area") for size in sizes]

"""What a part of the camera's chain leaves in a picture, whatever the picture shows.

Each cue maps crops `(B, 3, h, w)` in [0, 1] to a few numbers each, `(B, n)`; a crop that says
nothing gets NaN. That of noise is `grain`.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

#: Windows about whose mean detail is judged, in pixels: as small as there are, for the larger ones
#: show what the scene is rather than how edges were blurred.
WINDOWS = (3, 5)
#: Stored values from here on are white: the last of 8-bit levels.
WHITE = 254.5 / 255
#: Borders of white, in pixel sides, below which a crop says nothing of lights.
FEWEST = 20
#: JPEG's block without subsampling, in pixels.
BLOCK = 8


def asymmetry(image: Tensor) -> Tensor:
    """Return how much stronger bright detail is than dark detail, `(B, 2)`.

    Blur in light, seen in stored values, moves an edge to its dark side and bends it sharply
    there; blur of stored values treats both sides alike. The logarithm of the ratio of mean cubes,
    of luminance above and below the mean of small windows. Lights that are cut off bend edges too.
    """
    grey = image.float().mean(1, keepdim=True)
    ratios: list[Tensor] = []
    for side in WINDOWS:
        border = side // 2
        inner = grey[..., border:-border, border:-border]
        cubes = (inner - F.avg_pool2d(grey, side, 1)) ** 3
        above, below = cubes.clamp_min(0).mean((1, 2, 3)), (-cubes).clamp_min(0).mean((1, 2, 3))
        # A hundredth of a level, cubed, keeps flat crops at zero.
        floor = (0.01 / 255) ** 3
        ratios.append(((above + floor) / (below + floor)).log())
    return torch.stack(ratios, 1)


def white_edges(image: Tensor) -> Tensor:
    """Return how steeply green falls beside white, `(B, 1)`; NaN where little is white.

    A light brighter than white is cut off: its blurred edge is steep where it leaves white. One
    that is just white ends in a round shoulder. The logarithm of the mean fall to the next pixel.
    """
    green = image[:, 1].float()
    fall, sides = torch.zeros(len(green)), torch.zeros(len(green))
    pairs = (green[:, :, :-1], green[:, :, 1:]), (green[:, :-1], green[:, 1:])
    for first, second in pairs:
        for inside, outside in ((first, second), (second, first)):
            border = (inside >= WHITE) & (outside < WHITE)
            fall += ((1 - outside) * border).sum((1, 2)).cpu()
            sides += border.sum((1, 2)).cpu()
    steepness = (fall / sides.clamp_min(1)).clamp_min(1 / 255).log()
    return torch.where(sides >= FEWEST, steepness, torch.nan)[:, None].to(image.device)


def blocking(image: Tensor) -> Tensor:
    """Return how much luminance jumps at the borders of 8x8 blocks, `(B, 2)`: across, down.

    Where the grid begins is not known: of the 8 phases the strongest, relative to their median.
    """
    grey = image.float().mean(1)
    return torch.stack([_jumps(grey), _jumps(grey.transpose(1, 2))], 1)


def _jumps(grey: Tensor) -> Tensor:
    step = grey[..., 1:] - grey[..., :-1]
    # What a smooth slope would give anyway is no jump.
    jump = (step[..., 1:-1] - (step[..., :-2] + step[..., 2:]) / 2).abs().mean(1)
    whole = jump[:, : jump.shape[1] // BLOCK * BLOCK].reshape(len(jump), -1, BLOCK).mean(1)
    return ((whole.amax(1) + 1e-6) / (whole.median(1).values + 1e-6)).log()

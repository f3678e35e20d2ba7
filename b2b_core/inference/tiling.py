"""Tiles of one shape over a picture, blended without seams.

All tiles have one shape, so that a compiled network is compiled once; the last ones are shifted
inwards. Where tiles overlap, the outer quarter of the overlap is thrown away, since a tile's edge
lacks surroundings, and in the middle half the weights change smoothly.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

#: Least and largest overlap asked of neighbouring tiles, in pixels.
LEAST_OVERLAP, LARGEST_OVERLAP = 32, 64


def overlap_of(tile: int) -> int:
    """Return how far neighbours of tiles with side `tile` overlap at least, in pixels."""
    return min(LARGEST_OVERLAP, max(LEAST_OVERLAP, tile // 8))


def tile_starts(length: int, tile: int, overlap: int) -> list[int]:
    """Return where tiles begin along one side of a picture; one tile if it fits.

    Raises:
        ValueError: if the tile is not longer than the overlap.
    """
    if length <= tile:
        return [0]
    if tile <= overlap:
        raise ValueError(f"a tile of {tile} cannot overlap by {overlap}")
    count = math.ceil((length - overlap) / (tile - overlap))
    return [min(index * (tile - overlap), length - tile) for index in range(count)]


def even_tile(length: int, tile: int, overlap: int) -> int:
    """Return the shortest tile, at most `tile`, with which no more tiles are needed."""
    if length <= tile:
        return length
    count = len(tile_starts(length, tile, overlap))
    return math.ceil((length + (count - 1) * overlap) / count)


def largest_tile(height: int, width: int, pixels: int) -> tuple[int, int]:
    """Return the sides of the largest tile of at most `pixels`; a square where there is room."""
    high = min(height, max(math.isqrt(pixels), pixels // width))
    return high, min(width, pixels // high)


def run_tiled(
    network: Callable[[Tensor], Tensor], image: Tensor, tile: tuple[int, int], overlap: int
) -> Tensor:
    """Return `network` of `image` `(1, 3, H, W)`, computed tile by tile, as float32.

    What is blended is the network's change of the picture: where it changes nothing, the input
    comes back bit for bit. The accumulators are float32 and on the image's device; `network` may
    move tiles elsewhere.

    Args:
        network: image to image of the same size, on any device.
        image: at least as large as `tile`.
        tile: height and width of all tiles.
        overlap: least overlap in pixels.
    """
    height, width = tile
    change = torch.zeros(image.shape, dtype=torch.float32, device=image.device)
    total = torch.zeros(image.shape[-2:], dtype=torch.float32, device=image.device)
    for (top, row_weights), (left, column_weights) in _places(image, tile, overlap):
        here = (..., slice(top, top + height), slice(left, left + width))
        weights = torch.outer(row_weights, column_weights).to(image.device)
        part = image[here]
        change[here] += weights * (network(part).to(part.device, torch.float32) - part)
        total[here] += weights
    return image + change / total


def _places(
    image: Tensor, tile: tuple[int, int], overlap: int
) -> Iterator[tuple[tuple[int, Tensor], tuple[int, Tensor]]]:
    rows, columns = (
        list(_weighted(tile_starts(length, side, overlap), side, overlap))
        for length, side in zip(image.shape[-2:], tile, strict=True)
    )
    return ((row, column) for row in rows for column in columns)


def _weighted(starts: list[int], tile: int, overlap: int) -> Iterator[tuple[int, Tensor]]:
    """Pair each start with the weights `(tile,)` of its tile: ramps only towards neighbours."""
    place = (torch.arange(overlap, dtype=torch.float32) + 0.5) / overlap
    ramp = torch.sin(torch.pi / 2 * ((place - 0.25) * 2).clamp(0, 1)).square()
    for index, start in enumerate(starts):
        weights = torch.ones(tile)
        if index > 0:
            weights[:overlap] = ramp
        if index < len(starts) - 1:
            weights[tile - overlap :] *= ramp.flip(0)
        yield start, weights

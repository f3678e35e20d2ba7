"""Pictures for the page: shrunk, cropped where there is something to see, embedded."""

from __future__ import annotations

import base64
from io import BytesIO

import numpy as np
from attrs import frozen
from PIL import Image

from b2b_core.images.read import Pixels

#: Widest embedded picture in pixels; crops are shown at full resolution.
WIDEST = 960


@frozen
class Crop:
    """A square of a picture, in pixels."""

    top: int
    left: int
    side: int

    def of(self, pixels: Pixels) -> Pixels:
        """Return this part of `pixels` `(H, W, 3)`."""
        square = slice(self.top, self.top + self.side), slice(self.left, self.left + self.side)
        return pixels[square]


def data_uri(pixels: Pixels, *, widest: int = WIDEST) -> str:
    """Return `pixels` `(H, W, 3)` uint8 as a JPEG data URI, shrunk to `widest` if wider."""
    image = Image.fromarray(np.ascontiguousarray(pixels))
    if image.width > widest:
        height = max(1, round(image.height * widest / image.width))
        image = image.resize((widest, height), Image.Resampling.LANCZOS)
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=92, subsampling="4:4:4")
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def most_detail(pixels: Pixels) -> Crop:
    """Return the square with the strongest edges, a quarter of the shorter side and 64 at least."""
    height, width = pixels.shape[:2]
    side = min(max(64, min(height, width) // 4), height, width)
    grey = pixels.astype(np.float64).mean(axis=2)
    strength = sum(np.abs(slope) for slope in _slopes(grey))
    sums = np.pad(strength, ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
    squares = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    top, left = np.unravel_index(int(squares.argmax()), squares.shape)
    return Crop(int(top), int(left), side)


def _slopes(grey: Pixels) -> tuple[Pixels, Pixels]:
    return np.diff(grey, axis=0, append=grey[-1:]), np.diff(grey, axis=1, append=grey[:, -1:])

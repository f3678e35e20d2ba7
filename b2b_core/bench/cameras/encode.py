"""Files of cameras as bytes: PNG, JPEG, WebP."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from b2b_core.bench.cameras.base import Levels

#: Pillow's number for chroma at half the size along both axes.
CHROMA_420 = 2


def png(picture: Levels) -> bytes:
    """Return a PNG file, lossless; quick rather than small."""
    return _saved(picture, "PNG", compress_level=1)


def jpeg(picture: Levels, quality: int) -> bytes:
    """Return a JPEG file with chroma 4:2:0."""
    return _saved(picture, "JPEG", quality=quality, subsampling=CHROMA_420)


def webp(picture: Levels, quality: int) -> bytes:
    """Return a lossy WebP file, which always has chroma 4:2:0."""
    return _saved(picture, "WEBP", quality=quality, method=4)


def decoded(data: bytes) -> Levels:
    """Return the pixels of a file `(H, W, 3)`."""
    with Image.open(BytesIO(data)) as image:
        return np.array(image.convert("RGB"))


def whole_number(rng: np.random.Generator, among: tuple[int, int]) -> int:
    """Draw a whole number from first to last, both included."""
    return int(rng.integers(among[0], among[1] + 1))


def _saved(picture: Levels, kind: str, **options: Any) -> bytes:  # noqa: ANN401 - Pillow's options
    buffer = BytesIO()
    Image.fromarray(picture).save(buffer, kind, **options)
    return buffer.getvalue()

"""JPEG as a part of the camera: its tables are in the file, its codec is a layer.

What a camera's compression does need not be learned: every JPEG file carries its quantisation
tables and its chroma sampling. `recompress` applies them, by the real codec, to other pictures.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import torch
from attrs import frozen
from PIL import Image, JpegImagePlugin
from torch import Tensor


@frozen
class JpegCoding:
    """One file's quantisation tables (64 entries each) and chroma sampling (Pillow's number)."""

    tables: tuple[tuple[int, ...], ...]
    #: 0 = 4:4:4, 1 = 4:2:2, 2 = 4:2:0.
    sampling: int


def read_coding(path: Path) -> JpegCoding | None:
    """Return the coding of a JPEG file, or None for other formats."""
    with Image.open(path) as image:
        if not isinstance(image, JpegImagePlugin.JpegImageFile):
            return None
        tables = tuple(tuple(image.quantization[key]) for key in sorted(image.quantization))
        sampling = JpegImagePlugin.get_sampling(image)
    return JpegCoding(tables, sampling if sampling in (0, 1, 2) else 2)


def recompress(pixels: Tensor, coding: JpegCoding) -> Tensor:
    """Return `(3, H, W)` uint8 pixels as they come back from a JPEG file with this coding."""
    buffer = io.BytesIO()
    image = Image.fromarray(np.ascontiguousarray(pixels.permute(1, 2, 0).numpy()))
    tables = [list(table) for table in coding.tables]
    image.save(buffer, "JPEG", qtables=tables, subsampling=coding.sampling)
    buffer.seek(0)
    decoded = np.array(Image.open(buffer))
    return torch.as_tensor(decoded).permute(2, 0, 1)

"""EXIF orientation: applied to the pixels, then reset in the metadata.

The metadata bytes are patched in place and never written anew, so that maker notes, which hold
offsets of their own, stay readable. Layout: TIFF 6.0, section 2; Exif 2.32, section 4.6.
"""

from __future__ import annotations

import struct
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

PREFIX = b"Exif\x00\x00"
ORIENTATION = 0x0112
#: What a TIFF's directory says of the picture, not of its storage: camera, time, author, ...
DESCRIPTIVE_TAGS = (270, 271, 272, 282, 283, 296, 305, 306, 315, 33432)
#: Directories of their own: exposure and the like, and position.
DESCRIPTIVE_DIRECTORIES = (0x8769, 0x8825)
_SHORT = 3

PixelT = TypeVar("PixelT", bound=np.generic)


def turn_upright(pixels: NDArray[PixelT], orientation: int) -> NDArray[PixelT]:
    """Return `pixels` `(H, W, ...)` as EXIF `orientation` (1 to 8) wants them shown.

    An orientation outside 1 to 8 is ignored, as viewers do.
    """
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def upright(exif: bytes) -> bytes:
    r"""Return the EXIF bytes with orientation 1 and without the embedded thumbnail.

    The thumbnail shows the picture before it was turned and restored. Damaged EXIF becomes empty.
    The prefix `Exif\0\0` is removed.
    """
    data = bytearray(exif.removeprefix(PREFIX))
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(bytes(data[:4]))
    if order is None:
        return b""
    try:
        (first,) = struct.unpack_from(order + "I", data, 4)
        (count,) = struct.unpack_from(order + "H", data, first)
        end = first + 2 + 12 * count
        for entry in range(first + 2, end, 12):
            (tag,) = struct.unpack_from(order + "H", data, entry)
            if tag == ORIENTATION:
                struct.pack_into(order + "HHIHH", data, entry, ORIENTATION, _SHORT, 1, 1, 0)
        struct.pack_into(order + "I", data, end, 0)
    except struct.error:
        return b""
    return bytes(data)


def descriptive_tags(exif: Any) -> bytes:  # noqa: ANN401 - PIL.Image.Exif; a TIFF's own directory
    """Return as EXIF what a TIFF's directory says of the picture, without its storage tags."""
    from PIL import Image

    kept = Image.Exif()
    for tag in DESCRIPTIVE_TAGS:
        if tag in exif:
            kept[tag] = exif[tag]
    for directory in DESCRIPTIVE_DIRECTORIES:
        entries = exif.get_ifd(directory)
        if entries:
            kept.get_ifd(directory).update(entries)
            kept[directory] = dict(entries)
    return bytes(kept.tobytes()).removeprefix(PREFIX) if len(kept) else b""

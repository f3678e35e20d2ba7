"""Files that Pillow cannot write, encoded here: 16-bit PNG, and TIFF with 16 bits or with EXIF.

PNG: ISO/IEC 15948, sections 5 and 9 (filter type "Sub"). TIFF: revision 6.0, Deflate in one strip.
"""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from b2b_core.images.exif import DESCRIPTIVE_DIRECTORIES, DESCRIPTIVE_TAGS
from b2b_core.images.read import Pixels

if TYPE_CHECKING:
    from PIL import TiffImagePlugin

_SUB = 1


def encode_png16(pixels: NDArray[np.uint16], *, icc: bytes | None, exif: bytes | None) -> bytes:
    """Return a 16-bit PNG file of `pixels` `(H, W, 3)` or `(H, W, 4)`."""
    height, width, channels = pixels.shape
    rows = _bytes_of(pixels, ">u2").reshape(height, -1)
    step = 2 * channels
    filtered = np.full((height, rows.shape[1] + 1), _SUB, np.uint8)
    filtered[:, 1 : step + 1] = rows[:, :step]
    filtered[:, step + 1 :] = rows[:, step:] - rows[:, :-step]
    colour_type = {3: 2, 4: 6}[channels]
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0))]
    if icc:
        chunks.append((b"iCCP", b"ICC Profile\x00\x00" + zlib.compress(icc)))
    if exif:
        chunks.append((b"eXIf", exif))
    chunks += [(b"IDAT", zlib.compress(filtered.tobytes(), 6)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def encode_tiff(pixels: Pixels, *, icc: bytes | None, exif: bytes | None) -> bytes:
    """Return a TIFF file of `pixels` `(H, W, 3)` or `(H, W, 4)`, uint8 or uint16."""
    from PIL import TiffImagePlugin

    height, width, channels = pixels.shape
    strip = zlib.compress(_bytes_of(pixels, f"<u{pixels.itemsize}").tobytes(), 6)
    directory: TiffImagePlugin.ImageFileDirectory_v2 = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, value in _described(exif).items():
        directory[tag] = value
    entries: dict[int, Any] = {
        256: width,
        257: height,
        258: (8 * pixels.itemsize,) * channels,
        259: 8,  # Deflate
        262: 2,  # RGB
        273: 0,  # strip offset, moved by `save` to where the directory ends
        274: 1,
        277: channels,
        278: height,
        279: len(strip),
        284: 1,
    }
    if channels == 4:
        entries[338] = 2  # straight alpha
    for tag, value in entries.items():
        directory[tag] = value
    if icc:
        directory.tagtype[34675] = 7
        directory[34675] = icc
    file = BytesIO()
    directory.save(file)
    file.write(strip)
    return file.getvalue()


def _described(exif: bytes | None) -> dict[int, Any]:
    """Return EXIF as entries of a TIFF directory, without what says how its pixels are stored."""
    from PIL import Image

    described = Image.Exif()
    described.load(exif or b"")
    try:
        entries = {tag: described[tag] for tag in DESCRIPTIVE_TAGS if tag in described}
        directories = {tag: dict(described.get_ifd(tag)) for tag in DESCRIPTIVE_DIRECTORIES}
    except (ValueError, TypeError, KeyError, SyntaxError, struct.error):
        return {}
    return entries | {tag: said for tag, said in directories.items() if said}


def _bytes_of(pixels: Pixels, order: str) -> NDArray[np.uint8]:
    return np.ascontiguousarray(pixels.astype(order)).view(np.uint8)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

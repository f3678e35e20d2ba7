"""A picture file to pixels: upright, RGB, with its bit depth, alpha, colour profile and EXIF."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile

from b2b_core.errors import B2bError, UsageError
from b2b_core.images.exif import ORIENTATION, descriptive_tags, turn_upright, upright

if TYPE_CHECKING:
    from collections.abc import Callable

Pixels = NDArray[Any]

_WIDTH, _HEIGHT, _BITS_PER_SAMPLE, _PLANAR_CONFIGURATION = 256, 257, 258, 284
_GREY16 = ("I;16", "I;16B", "I;16L")
#: What a damaged file makes its reader raise.
UNREADABLE = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    EOFError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)


@frozen(eq=False)
class Picture:
    """A picture in memory, upright."""

    #: uint8 or uint16, `(H, W, 3)`, RGB.
    pixels: Pixels
    #: Opacity, same type, `(H, W)`; None where the file had none.
    alpha: Pixels | None = None
    #: ICC profile of the RGB pixels.
    icc: bytes | None = None
    #: EXIF from its TIFF header on, orientation already reset, thumbnail removed.
    exif: bytes | None = None
    #: Pillow's name of the file format, such as "PNG".
    format: str = "PNG"


def read_picture(path: Path) -> Picture:
    """Read a picture; grey and palette pictures become RGB, 16-bit PNG and TIFF stay 16-bit.

    Of a file with several frames or pages the first is read.

    Raises:
        UsageError: if the file does not exist or is a folder.
        B2bError: if it is truncated, damaged, no picture, or of a kind that would lose bits.
    """
    with _opened(path) as image:
        # Pillow turns a TIFF as it loads, and forgets; asked before, a PNG forgets what comes later
        stored = _orientation(image) if image.format == "TIFF" else 1
        image.load()
        return _picture(path, image, stored)


def picture_size(path: Path) -> tuple[int, int]:
    """Return (height, width) of the pixels that `read_picture` gives; only the header is read.

    Damage behind the header is not noticed, nor is an orientation that a PNG has behind its pixels.

    Raises:
        UsageError: if the file does not exist or is a folder.
        B2bError: if the header is damaged, or this is no picture.
    """
    with _opened(path) as image:
        width, height = image.size
        if isinstance(image, TiffImageFile):  # Pillow versions differ in when they turn it
            width, height = image.tag_v2[_WIDTH], image.tag_v2[_HEIGHT]
        return (width, height) if _orientation(image) in (5, 6, 7, 8) else (height, width)


@contextmanager
def _opened(path: Path) -> Generator[Image.Image]:
    """Open a picture for the body, whose failures become errors that name the file."""
    if not path.is_file():
        what = "this is a folder, not a picture" if path.is_dir() else "there is no such picture"
        raise UsageError(what, where=path, mend="check the path")
    try:
        # no name: Pillow 13 would map plain grey TIFFs into memory and mix up sides of turned ones
        with path.open("rb") as file, Image.open(file) as image:
            yield image
    except UnidentifiedImageError as error:
        raise B2bError(
            "this is not a picture that b2b can read",
            where=path,
            mend="convert it to PNG, JPEG, TIFF, WebP or BMP, or remove it",
        ) from error
    except UNREADABLE as error:
        raise B2bError(
            f"the picture cannot be read: {error}",
            where=path,
            mend="the file is truncated or damaged; copy it again from its source, or remove it",
        ) from error


def _orientation(image: Image.Image) -> int:
    """Return the orientation in the header, 1 if it is damaged; no pixel is decoded."""
    try:
        # a PNG's own `getexif` decodes it
        return int(Image.Image.getexif(image).get(ORIENTATION, 1))
    except UNREADABLE:
        return 1


def _picture(path: Path, image: Image.Image, stored: int) -> Picture:
    """Return a loaded picture; `stored` is the orientation that a TIFF had before that."""
    orientation, exif = _metadata(image)
    if image.format == "TIFF" and image.mode not in _GREY16 and _is_deep(path, image):
        orientation = stored  # not Pillow decodes it
    pixels = turn_upright(_decode(path, image), orientation)
    icc = image.info.get("icc_profile")
    return Picture(
        pixels=np.ascontiguousarray(pixels[..., :3]),
        alpha=np.ascontiguousarray(pixels[..., 3]) if pixels.shape[2] == 4 else None,
        # A grey or CMYK profile does not describe the RGB pixels that are returned.
        icc=icc if icc and icc[16:20] == b"RGB " else None,
        exif=exif or None,
        format=image.format or "PNG",
    )


def _metadata(image: Image.Image) -> tuple[int, bytes]:
    """Return orientation and EXIF; damaged EXIF is dropped, it does not spoil the pixels."""
    try:
        directory = image.getexif()
        orientation = int(directory.get(ORIENTATION, 1))
        if image.format == "TIFF":
            return orientation, descriptive_tags(directory)
    except UNREADABLE:
        return 1, b""
    return orientation, upright(image.info.get("exif", b""))


def _decode(path: Path, image: Image.Image) -> Pixels:
    """Return `(H, W, 3 or 4)`, uint8 or uint16."""
    if image.mode in _GREY16:
        grey = np.asarray(image).astype(np.uint16)
        return np.repeat(grey[..., None], 3, axis=2)
    if _is_deep(path, image):
        return _decode_deep(path, image)
    if image.mode in ("I", "F"):
        raise B2bError(
            f"a picture of {image.mode}-mode pixels (32 bits each) has no known white",
            where=path,
            mend="save it with 8 or 16 bits per channel",
        )
    return np.asarray(image.convert("RGBA" if image.has_transparency_data else "RGB"))


def _is_deep(path: Path, image: Image.Image) -> bool:
    """Tell whether Pillow gives only the high bytes of this file's 16-bit samples."""
    if image.format == "PNG":
        with path.open("rb") as file:
            return file.read(25)[24] == 16
    if image.format == "TIFF":
        bits = getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE, (8,))
        return len(bits) > 1 and max(bits) == 16
    return False


def _decode_deep(path: Path, image: Image.Image) -> Pixels:
    import kornia_rs.io  # pyright: ignore[reportMissingModuleSource] it is compiled

    with path.open("rb") as file:
        header = file.read(26)
    if image.format == "PNG":
        read: Callable[[str, str], Pixels] = kornia_rs.io.read_image_png_u16
        mode = {2: "rgb", 6: "rgba"}.get(header[25])
    else:
        read = kornia_rs.io.read_image_tiff_u16
        planes_together = getattr(image, "tag_v2", {}).get(_PLANAR_CONFIGURATION, 1) == 1
        mode = "rgb" if planes_together and image.mode == "RGB" else None
    if mode is None:
        raise B2bError(
            f"16-bit {image.format} of this layout ({image.mode}) cannot be read without loss",
            where=path,
            mend="save it as a 16-bit RGB or RGBA PNG",
        )
    try:
        return read(str(path), mode)
    except Exception as error:  # kornia_rs raises plain Exception
        raise OSError(str(error)) from error

"""Pixels to a picture file, with the metadata of the picture they came from."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from b2b_core.atomic import replacing
from b2b_core.errors import B2bError, UsageError
from b2b_core.images.encode import encode_png16, encode_tiff
from b2b_core.images.exif import PREFIX
from b2b_core.images.files import PICTURE_SUFFIXES
from b2b_core.images.read import Picture, Pixels

_FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
}
_OPTIONS: dict[str, dict[str, Any]] = {
    "PNG": {},
    # Subsampled colour and quality 75 would take back part of what deblurring gave.
    "JPEG": {"quality": 95, "subsampling": "4:4:4"},
    "WEBP": {"quality": 95, "method": 4},
    "BMP": {},
}
_DEEP = ("PNG", "TIFF")
_DEPTHS = (np.dtype(np.uint8), np.dtype(np.uint16))


def write_picture(path: Path, pixels: Pixels, like: Picture | None = None) -> None:
    """Write `pixels` `(H, W, 3)`, uint8 or uint16, RGB; the suffix of `path` names the format.

    ICC profile, EXIF and alpha are those of `like`. JPEG is written with quality 95 and colour
    4:4:4. Formats without 16 bits (JPEG, WebP, BMP) get the pixels rounded to 8 bits; JPEG
    has no alpha, BMP no metadata. Missing folders are made. The file appears whole or not at all.

    Raises:
        UsageError: if the suffix is unknown, or the picture is translucent and the format is JPEG.
        B2bError: if the file cannot be written.
        ValueError: if `pixels` has another shape or type, or not the size of `like`'s alpha.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype not in _DEPTHS:
        raise ValueError(
            f"pixels must be (H, W, 3) uint8 or uint16, got {pixels.shape} {pixels.dtype}"
        )
    try:
        kind = _FORMATS[path.suffix.lower()]
    except KeyError as error:
        raise UsageError(
            f"cannot write a picture with the suffix {path.suffix!r}",
            where=path,
            mend=f"use one of {', '.join(PICTURE_SUFFIXES)}",
        ) from error
    picture = like or Picture(pixels)
    try:
        data = _encode(path, kind, pixels, picture)
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            temporary.write_bytes(data)
    except OSError as error:
        raise B2bError(
            f"the picture cannot be written: {error.strerror or error}",
            where=path,
            mend="check the folder's permissions and the free space",
        ) from error


def _encode(path: Path, kind: str, pixels: Pixels, like: Picture) -> bytes:
    alpha = like.alpha
    if kind == "JPEG" and alpha is not None:
        if alpha.min() < np.iinfo(alpha.dtype).max:
            raise UsageError(
                "JPEG cannot hold a translucent picture", where=path, mend="write PNG or WebP"
            )
        alpha = None
    if pixels.dtype == np.uint16 and kind not in _DEEP:
        pixels = _to_depth(pixels, np.uint8)
    if alpha is not None:
        if alpha.shape != pixels.shape[:2]:
            raise ValueError(f"alpha of {alpha.shape} does not fit pixels of {pixels.shape[:2]}")
        pixels = np.concatenate([pixels, _to_depth(alpha, pixels.dtype.type)[..., None]], axis=2)
    if kind == "TIFF":
        return encode_tiff(pixels, icc=like.icc, exif=like.exif)
    if pixels.dtype == np.uint16:
        return encode_png16(pixels, icc=like.icc, exif=like.exif)
    return _encode_with_pillow(kind, pixels, like)


def _encode_with_pillow(kind: str, pixels: Pixels, like: Picture) -> bytes:
    options = dict(_OPTIONS[kind])
    if like.icc and kind != "BMP":
        options["icc_profile"] = like.icc
    if like.exif and kind != "BMP":
        options["exif"] = PREFIX + like.exif
    buffer = BytesIO()
    try:
        Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, format=kind, **options)
    except ValueError as error:  # Pillow's word for metadata that the format cannot hold
        raise OSError(str(error)) from error
    return buffer.getvalue()


def _to_depth(samples: Pixels, dtype: type[np.generic]) -> Pixels:
    """Return samples on the scale of `dtype`, rounded; 255 and 65535 are white."""
    if samples.dtype == dtype:
        return samples
    if dtype == np.uint8:
        return ((samples.astype(np.uint32) + 128) // 257).astype(np.uint8)
    return samples.astype(np.uint16) * np.uint16(257)

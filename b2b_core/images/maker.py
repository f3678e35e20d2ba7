"""Which camera took a picture, as its file says."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from b2b_core.images.read import UNREADABLE

_MAKE, _MODEL = 271, 272


def camera_of(path: Path) -> str | None:
    """Return maker and model from a file's EXIF, or None where it names none or is damaged.

    Only the header is read. Tags: Exif 2.32, section 4.6.4.
    """
    try:
        with Image.open(path) as image:
            # a PNG's own `getexif` decodes it
            exif = Image.Image.getexif(image)
            maker, model = _text(exif.get(_MAKE)), _text(exif.get(_MODEL))
    except UNREADABLE:
        return None
    # many models begin with their maker's name
    named = model if model.lower().startswith(maker.lower()) else f"{maker} {model}".strip()
    return named or None


def _text(value: object) -> str:
    return value.replace("\0", "").strip() if isinstance(value, str) else ""

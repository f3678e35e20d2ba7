"""Which files of a folder are pictures, and in which order."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from b2b_core.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

#: File name suffixes that are read, lower case.
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")


def is_picture(path: Path) -> bool:
    """Tell whether the name of `path` is that of a picture that is not hidden."""
    return path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith(".")


def natural_key(path: Path) -> list[list[tuple[bool, int, str]]]:
    """Return a sorting key by which `frame2` comes before `frame10`, folder by folder."""
    return [
        [
            (False, int(part), part) if index % 2 else (True, 0, part.lower())
            for index, part in enumerate(re.split(r"([0-9]+)", name))
            if part
        ]
        for name in path.parts
    ]


def find_pictures(folder: Path) -> list[Path]:
    """Return all pictures below `folder`, in natural order; hidden files and folders are skipped.

    Raises:
        UsageError: if `folder` does not exist, is a file, or holds no picture.
    """
    if not folder.exists():
        raise UsageError(
            "there is no such folder", where=folder, mend="check the path for a slip of the pen"
        )
    if not folder.is_dir():
        raise UsageError(
            "this is a file, but a folder of pictures is needed",
            where=folder,
            mend=f"name the folder that holds it: {folder.parent}",
        )
    below = [
        path.relative_to(folder)
        for path in folder.rglob("*")
        if is_picture(path) and path.is_file()
    ]
    found = [path for path in below if not any(part.startswith(".") for part in path.parts)]
    if not found:
        raise UsageError(
            f"no picture in this folder: {_contents(folder)}",
            where=folder,
            mend=f"pictures end in {', '.join(PICTURE_SUFFIXES)}",
        )
    return [folder / path for path in sorted(found, key=natural_key)]


def _contents(folder: Path) -> str:
    suffixes = sorted({path.suffix or "no suffix" for path in folder.rglob("*") if path.is_file()})
    if not suffixes:
        return "it is empty"
    shown = ", ".join(suffixes[:5]) + (", ..." if len(suffixes) > 5 else "")
    return f"only files with {shown} were found"

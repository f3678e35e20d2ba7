"""The trees in which GoPro is distributed, told apart by the names of their folders."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from b2b_core.errors import UsageError
from b2b_core.images.files import is_picture, natural_key

SPLITS = ("train", "test")
#: GoPro's sequences are called after the camera's own files: GOPR0372_07_00.
_SEQUENCE = re.compile(r"GOPR\d+_\d+_\d+")


@frozen
class Folders:
    """A folder of blurry pictures and the folder of their sharp originals."""

    blurry: Path
    sharp: Path
    #: The sequence that both show, or None where file names say it.
    sequence: str | None = None


def find_folders(split: Path, kinds: Sequence[str]) -> list[Folders]:
    """Return the folders of pairs below one split's folder; empty if it has no known layout.

    Args:
        split: folder of one split.
        kinds: names of folders of blurry pictures, the preferred first. One is used throughout,
            so that two kinds of blur are never mixed.

    Raises:
        UsageError: if a sequence lacks one of its two folders.
    """
    for blurry in (*kinds, "input"):
        sharp = "target" if blurry == "input" else "sharp"
        if (split / blurry).is_dir() and (split / sharp).is_dir():
            return [Folders(split / blurry, split / sharp)]
    sequences = sorted((path for path in split.iterdir() if path.is_dir()), key=natural_key)
    for kind in kinds:
        if any((path / kind).is_dir() for path in sequences):
            return [_of_sequence(path, kind) for path in sequences if _is_sequence(path)]
    return []


def pictures_of(folder: Path) -> list[Path]:
    """Return the pictures right in `folder`, in natural order."""
    found = (path for path in folder.iterdir() if is_picture(path) and path.is_file())
    return sorted(found, key=natural_key)


def scene_of(path: Path) -> str:
    """Return the sequence of a flattened picture such as `GOPR0372_07_00_000047.png`."""
    named = _SEQUENCE.match(path.stem)
    return named.group() if named else re.sub(r"[-_]?\d+$", "", path.stem) or path.stem


def _is_sequence(path: Path) -> bool:
    return any((path / name).is_dir() for name in ("blur", "blur_gamma", "sharp"))


def _of_sequence(path: Path, kind: str) -> Folders:
    for name in (kind, "sharp"):
        if not (path / name).is_dir():
            raise UsageError(
                f"the sequence {path.name} has no folder '{name}'",
                where=path,
                mend="fetch the sequence again or remove it",
            )
    return Folders(path / kind, path / "sharp", path.name)

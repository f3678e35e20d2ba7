"""The trees in which REDS is distributed: which file is which frame of which clip."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from b2b_core.data.matching import pictures_of
from b2b_core.images.files import is_picture

#: Our split -> REDS's: the sharp frames of its test clips are not published.
PART = {"train": "train", "test": "val"}
#: BasicSR copies the validation clips 0 to 29 into the training folders, as 240 to 269.
FIRST_VALIDATION_CLIP = 240
#: NAFNet's preparation puts all clips into one folder: 000_00000009.png.
_FLAT = re.compile(r"(\d+)_(\d+)")


class Frame(NamedTuple):
    """One file, and what it shows."""

    #: "train" or "val".
    part: str
    clip: int
    #: Eight digits.
    number: str
    path: Path

    @property
    def key(self) -> str:
        """What a blurry and a sharp frame have in common: `train/000/00000000`."""
        return f"{self.part}/{self.clip:03d}/{self.number}"


def find_folder(root: Path, part: str, name: str) -> Path | None:
    """Return the folder `train_sharp`, say, wherever the archives were unpacked below `root`."""
    for folder in (root / part / name, root / name / part / name, root / name):
        if folder.is_dir():
            return folder
    return None


def find_frames(root: Path, split: str, kind: str) -> list[Frame]:
    """Return the frames of one split and kind, sorted; empty if they are not there.

    Args:
        root: the folder that holds "train" and "val", or the folders in them.
        split: "train" or "test".
        kind: "sharp" or a track such as "blur_jpeg".
    """
    part = PART[split]
    folder = find_folder(root, part, f"{part}_{kind}")
    if folder is None and split == "test":
        # a regrouped tree keeps the validation clips beside the training clips
        folder = find_folder(root, "train", f"train_{kind}")
        return [frame for frame in _frames(folder, "train") if frame.part == part]
    return [frame for frame in _frames(folder, part) if frame.part == part]


def find_subset(root: Path, name: str) -> list[Frame]:
    """Return the frames in `val/blur_300` or `val/sharp_300`, where NAFNet copies its subset."""
    return list(_frames(find_folder(root, "val", name), "val"))


def _frames(folder: Path | None, part: str) -> Iterator[Frame]:
    for path in sorted(folder.iterdir()) if folder is not None else ():
        if path.is_dir() and path.name.isdecimal():
            for picture in pictures_of(path):
                yield _frame(part, int(path.name), picture.stem, picture)
        elif (flat := _FLAT.fullmatch(path.stem)) and is_picture(path):
            yield _frame(part, int(flat[1]), flat[2], path)


def _frame(part: str, clip: int, number: str, path: Path) -> Frame:
    if part == "train" and clip >= FIRST_VALIDATION_CLIP:
        return Frame("val", clip - FIRST_VALIDATION_CLIP, number, path)
    return Frame(part, clip, number, path)

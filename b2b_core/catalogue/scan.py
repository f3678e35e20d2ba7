"""Find distributions with entry points of b2b, without `importlib.metadata` where that is possible.

Importing `importlib.metadata` costs a listing a fifth of its time (it brings e-mail, zip and csv
along). What it does for folders on `sys.path` is little: the files of `*.dist-info` folders are
read here directly. Where something else may hold distributions (a zip file on the path, a finder
of its own), it is asked after all.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

GROUP = "b2b"
_SECTION = f"[{GROUP}]"
_INFO = (".dist-info", ".egg-info")


class Distribution(Protocol):
    """What is needed of a distribution; `importlib.metadata.Distribution` has it."""

    def read_text(self, filename: str, /) -> str | None:
        """Return the content of a file of its metadata, or None if it has no such file."""
        ...


class Folder:
    """A distribution in a `*.dist-info` folder."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def read_text(self, filename: str, /) -> str | None:
        """Return the content of a file of its metadata, or None if it has no such file."""
        try:
            return (self._path / filename).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return None


def distributions() -> Iterator[Distribution]:
    """Yield the distributions that have entry points in the group `b2b`.

    Order: of `sys.path`, and by name within a folder.
    """
    if _is_plain():
        for place in dict.fromkeys(sys.path):
            yield from _in_folder(place or ".")
        return
    from importlib import metadata

    for distribution in metadata.distributions():
        if _SECTION in (distribution.read_text("entry_points.txt") or ""):
            yield distribution


def _is_plain() -> bool:
    """Tell whether folders on `sys.path` are all that can hold distributions."""
    finders = [finder for finder in sys.meta_path if hasattr(finder, "find_distributions")]
    return len(finders) <= 1 and not any(map(os.path.isfile, sys.path))


def _in_folder(place: str) -> Iterator[Distribution]:
    try:
        names = sorted(name for name in os.listdir(place) if name.endswith(_INFO))  # noqa: PTH208
    except OSError:
        return
    for name in names:
        folder = f"{place}{os.sep}{name}"
        # hundreds of files that mostly do not matter: bytes, and no pathlib
        try:
            with open(f"{folder}{os.sep}entry_points.txt", "rb", 0) as file:  # noqa: PTH123
                matters = _SECTION.encode() in file.read()
        except OSError:
            continue
        if matters:
            yield Folder(folder)

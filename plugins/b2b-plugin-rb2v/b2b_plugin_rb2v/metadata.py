"""RB2V's metadata.json: which frame is training and which is test."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from attrs import frozen

from b2b_core.errors import UsageError
from b2b_core.narrowing import is_array, is_table

NAME = "metadata.json"


@frozen
class Entry:
    """A blurry frame and one of its sharp ones; paths are below the folder of the file."""

    #: "train", "val" or "test".
    partition: str
    blurry: PurePosixPath
    sharp: PurePosixPath

    @property
    def scene(self) -> str:
        """The sequence: the folder that holds `blur`."""
        return self.blurry.parent.parent.name


def read_metadata(file: Path, frame: int) -> list[Entry]:
    """Return the entries of a `metadata.json`, in its order.

    Args:
        file: to read.
        frame: which of the seven sharp frames, from 1.

    Raises:
        UsageError: if the file is not as HyperCUT describes it.
    """
    try:
        content: object = json.loads(file.read_bytes())
    except ValueError as error:
        raise _wrong(file, f"it is no JSON ({error})") from None
    entries = content.get("data") if is_table(content) else None
    if not is_array(entries):
        raise _wrong(file, "it has no list 'data'")
    return list(_entries(file, entries, f"frame{frame:03d}_path"))


def _entries(file: Path, found: Sequence[object], sharp: str) -> Iterator[Entry]:
    for number, entry in enumerate(found):
        if not is_table(entry):
            raise _wrong(file, f"entry {number} of 'data' is no table")
        texts: list[str] = []
        for key in ("partition", "blur_path", sharp):
            value = entry.get(key)
            if not isinstance(value, str):
                raise _wrong(file, f"entry {number} of 'data' has no text '{key}'")
            texts.append(value)
        yield Entry(texts[0], _path(file, texts[1]), _path(file, texts[2]))


def _path(file: Path, text: str) -> PurePosixPath:
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts or len(path.parts) < 3:
        raise _wrong(file, f"the path '{text}' is not like 00000/blur/0000.png")
    return path


def _wrong(file: Path, what: str) -> UsageError:
    return UsageError(
        f"RB2V's {NAME}: {what}",
        where=file,
        mend="fetch it again, or write it as https://github.com/VinAIResearch/HyperCUT says",
    )

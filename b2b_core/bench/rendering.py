"""Folders of pictures that are made once: resumed after a kill, shared by every run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from b2b_core.atomic import replacing
from b2b_core.bench.plan import Shot
from b2b_core.errors import B2bError
from b2b_core.locking import locked
from b2b_core.progress import Progress

DONE = "done.json"


def rendered(folder: Path, shots: Sequence[Shot], title: str, key: str) -> Path:
    """Make what is missing of a folder's files and mark the folder as complete.

    Args:
        folder: appears here; its name holds the key.
        shots: all files of the folder.
        title: what is made, for the progress.
        key: of everything that decides the files.

    Raises:
        B2bError: if a complete folder was made by something else.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / DONE, f"makes {title}"):
        if not _complete(folder, key):
            _make(folder, shots, title)
            with replacing(folder / DONE) as part:
                part.write_text(json.dumps({"key": key, "files": len(shots)}), encoding="utf-8")
    return folder


def _complete(folder: Path, key: str) -> bool:
    if not (folder / DONE).exists():
        return False
    found = json.loads((folder / DONE).read_text(encoding="utf-8")).get("key")
    if found != key:
        raise B2bError("these pictures were made by something else", where=folder, mend="remove it")
    return True


def _make(folder: Path, shots: Sequence[Shot], title: str) -> None:
    missing = [shot for shot in shots if not (folder / shot.path).exists()]
    with Progress(title, len(shots), start=len(shots) - len(missing)) as bar:
        for done, shot in enumerate(missing, len(shots) - len(missing) + 1):
            path = folder / shot.path
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as part:
                part.write_bytes(shot.make())
            bar.update(done)

"""A folder of files that appears whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from b2b_core.errors import UsageError


@contextmanager
def new_folder(target: Path) -> Generator[Path]:
    """Yield a new folder beside `target`; it becomes `target` at the end.

    If the body fails nothing is left.

    Raises:
        UsageError: if `target` exists, or the folder that is to hold it does not.
    """
    refuse_existing(target)
    part = target.with_name(f".{target.name}.{os.getpid()}-{os.urandom(4).hex()}")
    part.mkdir()
    try:
        yield part
        refuse_existing(target)  # someone may have been quicker
        part.rename(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def refuse_existing(target: Path) -> None:
    """Refuse to write where something is, or where no folder is.

    Raises:
        UsageError: says which.
    """
    if not target.parent.is_dir():
        raise UsageError("there is no such folder", where=target.parent, mend="make it first")
    if target.exists() or target.is_symlink():
        raise UsageError("this exists already", where=target, mend="choose another --name or --out")

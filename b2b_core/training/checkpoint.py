"""Checkpoints: written atomically, read without unpickling anything but tensors and numbers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch

from b2b_core.errors import B2bError


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write `state`, plain data and tensors, so that a kill leaves the old file."""
    part = path.with_name(path.name + ".part")
    with part.open("wb") as stream:
        torch.save(state, stream)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(path)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read what `save_checkpoint` wrote.

    Raises:
        B2bError: if the file is damaged or holds anything but plain data.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise B2bError(
            "unreadable checkpoint", where=path, mend="delete it to train this stage anew"
        ) from error
    return state

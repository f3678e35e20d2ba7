"""The run folder: made once, resumed with the same configuration, never overwritten."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from b2b_core.config import read_toml, write_toml
from b2b_core.errors import UsageError
from b2b_core.narrowing import is_array, is_table

CONFIG, PROFILE = "config.toml", "profile.safetensors"


def open_run_folder(folder: Path, plain: Mapping[str, Any], *, again: bool = False) -> bool:
    """Make the folder and write the configuration, or accept the folder of the same run.

    Args:
        folder: of the run.
        plain: the configuration as plain data.
        again: accept a finished run too; its stages are taken from their checkpoints.

    Returns:
        Whether an earlier, unfinished run is resumed.

    Raises:
        UsageError: if the folder holds something else, another configuration (names the first
            difference), or a finished run.
    """
    config = folder / CONFIG
    if (folder / PROFILE).exists() and not again:
        raise UsageError("this run is finished", where=folder, mend="choose another --out")
    if config.exists():
        difference = first_difference(read_toml(config), _stored(plain))
        if difference:
            raise UsageError(
                f"the run folder has another configuration: {difference}",
                where=folder,
                mend="choose another --out, or repeat the original command to resume",
            )
        return True
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            "the output exists and is no run folder", where=folder, mend="choose another --out"
        )
    folder.mkdir(parents=True, exist_ok=True)
    write_toml(config, dict(plain))
    return False


def first_difference(old: Mapping[str, Any], new: Mapping[str, Any], prefix: str = "") -> str:
    """Return "key: old, now new" for the first setting that differs, or an empty string."""
    for key in sorted({*old, *new}):
        before, now = old.get(key), new.get(key)
        if is_table(before) and is_table(now):
            inner = first_difference(before, now, f"{prefix}{key}.")
            if inner:
                return inner
        elif before != now:
            return f"{prefix}{key} was {before!r}, now {now!r}"
    return ""


def _stored(value: Any) -> Any:  # noqa: ANN401 - any plain data
    """Return plain data as TOML gives it back: no None, lists for tuples."""
    if is_table(value):
        return {key: _stored(inner) for key, inner in value.items() if inner is not None}
    if is_array(value):
        return [_stored(inner) for inner in value]
    return value

"""TOML files: read with errors that name the line, written whole or not at all."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from b2b_core.atomic import replacing
from b2b_core.errors import UsageError
from b2b_core.narrowing import is_array, is_table


def read_toml(path: Path | str) -> dict[str, object]:
    """Return the content of a TOML file.

    Raises:
        UsageError: if the file is missing, not text, or not TOML; the line is named.
    """
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"not TOML: {error}", where=path, mend="mend that line") from error
    except UnicodeDecodeError as error:
        raise UsageError("not a UTF-8 text file", where=path) from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"cannot read settings: {reason}", where=path) from error


def write_toml(path: Path | str, mapping: Mapping[str, object]) -> None:
    """Write plain data as TOML, atomically; entries that are None are left out.

    The folder must exist.
    """
    import tomli_w

    with replacing(path) as temporary:
        temporary.write_text(tomli_w.dumps(_without_none(mapping)), encoding="utf-8")


def _without_none(mapping: Mapping[str, object]) -> dict[str, object]:
    return {key: _plain(value) for key, value in mapping.items() if value is not None}


def _plain(value: object) -> object:
    if is_table(value):
        return _without_none(value)
    if is_array(value):
        return [_plain(item) for item in value if item is not None]
    if isinstance(value, os.PathLike):
        return str(cast("os.PathLike[str]", value))
    return value

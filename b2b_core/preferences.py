"""What a user and a project prefer: `b2b.toml`, read from two places, data only.

The user's file is in the platform's folder for configurations, or in `B2B_CONFIG`; the project's
is in the working directory. Both may hold `[plugins]`, `[resolve]` and additions to the index.
Neither can make b2b execute anything: a file of Python is loaded only where the command names it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from attrs import frozen

from b2b_core.config import read_toml
from b2b_core.errors import UsageError
from b2b_core.names import suggestion

#: Folder that overrides the platform's folder for configurations.
ENVIRONMENT = "B2B_CONFIG"
FILE = "b2b.toml"
#: Tables that a `b2b.toml` may have.
TABLES = ("plugins", "resolve", "defaults", "component", "weights", "domain", "licences")


@frozen
class Layer:
    """One file of preferences."""

    name: Literal["user", "project"]
    path: Path
    data: Mapping[str, Any]


def user_file() -> Path:
    """Return where the user's preferences are, whether or not the file exists."""
    if chosen := os.environ.get(ENVIRONMENT):
        return Path(chosen).expanduser() / FILE
    # imported here: a listing without this variable pays for it, others do not
    from platformdirs import user_config_path

    return user_config_path("b2b", appauthor=False) / FILE


def layers() -> tuple[Layer, ...]:
    """Return the files that exist, the user's first; a later one wins.

    Raises:
        UsageError: if one is not TOML, or has a table that means nothing here.
    """
    places: tuple[tuple[Literal["user", "project"], Path], ...] = (
        ("user", user_file()),
        ("project", Path(FILE)),
    )
    return tuple(_layer(name, path) for name, path in places if path.is_file())


def _layer(name: Literal["user", "project"], path: Path) -> Layer:
    data = read_toml(path)
    for table in data:
        if table not in TABLES:
            raise UsageError(f"unknown table '{table}'", where=path, mend=suggestion(table, TABLES))
    return Layer(name, path, data)

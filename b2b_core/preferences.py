"""What a user and a project prefer: `b2b.toml`, read from two places, data only.

The user's file is in the platform's folder for configurations, or in `B2B_CONFIG`; the project's
is in the working directory. Both may hold `[plugins]`, `[resolve]` and additions to the index.
Neither can make b2b execute anything: a file of Python is loaded only where the command names it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from attrs import evolve, frozen

from b2b_core.errors import UsageError
from b2b_core.names import suggestion

if TYPE_CHECKING:
    from b2b_core.catalogue.switches import Switches

#: Folder that overrides the platform's folder for configurations.
ENVIRONMENT = "B2B_CONFIG"
FILE = "b2b.toml"
#: Tables that a `b2b.toml` may have.
TABLES = ("plugins", "resolve", "defaults", "component", "weights", "domain", "licences")
#: As text, so that a type checker looks at the code for every system.
_SYSTEM: str = sys.platform


@frozen
class Place:
    """Where a file of preferences is."""

    name: Literal["user", "project"]
    path: Path


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
    if _SYSTEM == "linux":
        # what platformdirs says too, without the 5 % of a listing's time that it takes
        return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "b2b" / FILE
    from platformdirs import user_config_path

    return user_config_path("b2b", appauthor=False) / FILE


def places() -> tuple[Place, ...]:
    """Return where files of preferences are, the user's first; those that exist."""
    user, project = user_file(), Path(FILE)
    found = [Place("user", user)] if user.is_file() else []
    # in the user's own folder, one file is not two
    if project.is_file() and not (found and project.samefile(user)):
        found.append(Place("project", project.absolute()))
    return tuple(found)


def layers() -> tuple[Layer, ...]:
    """Return the files that exist, the user's first; a later one wins.

    Raises:
        UsageError: if one is not TOML, or has a table that means nothing here.
    """
    return tuple(read_layer(place) for place in places())


def read_layer(place: Place) -> Layer:
    """Return the content of one file; errors as in `layers`."""
    from b2b_core.config import read_toml

    data = read_toml(place.path)
    for table in data:
        if table not in TABLES:
            mend = suggestion(table, TABLES)
            raise UsageError(f"unknown table '{table}'", where=place.path, mend=mend)
    return Layer(place.name, place.path, data)


def preferred_switches(
    config: Mapping[str, Any] | None = None,
    disabled: Iterable[str] = (),
    files: Iterable[Path] = (),
) -> Switches:
    """Return what environment, preferences, a run's configuration and a command say of plugins.

    A later one wins.

    Args:
        config: content of a `--config` file.
        disabled: names of `-p no:NAME`.
        files: of `--plugin-file`.

    Raises:
        UsageError: if one of them cannot be read.
    """
    from b2b_core.catalogue.switches import switches_of_environment

    switches = switches_of_environment()
    for layer in layers():
        switches = switches.with_table(layer.data, str(layer.path))
    switches = switches.with_table(config or {}, "the configuration")
    off = {name: f"-p no:{name}" for name in disabled}
    return evolve(switches, disabled={**switches.disabled, **off}, files=tuple(files))

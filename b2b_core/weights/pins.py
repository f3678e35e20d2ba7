"""The lock file of the cache: hashes of files whose publisher tells none, as they first arrived.

The first file is taken on trust; from then on another one is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from attrs import field, frozen

from b2b_core.config import read_toml, structure, unstructure, write_toml
from b2b_core.locking import locked

FILE = "weights.lock.toml"


@frozen(kw_only=True)
class Pin:
    """One file as it first arrived."""

    sha256: str
    bytes: int
    #: Where it came from; "by hand" if it was put into the cache.
    url: str
    #: Day and time in UTC.
    date: str = field(factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))


@frozen(kw_only=True)
class Pins:
    """The content of the lock file."""

    weights: Mapping[str, Pin] = field(factory=dict[str, Pin])


def read_pins(folder: Path) -> Mapping[str, Pin]:
    """Return name of weights -> pin, from the lock file in `folder`; nothing if there is none.

    Raises:
        UsageError: if the file is damaged; names the entry.
    """
    path = folder / FILE
    if not path.is_file():
        return {}
    return structure(Pins, read_toml(path), where=str(path)).weights


def pin(folder: Path, name: str, made: Pin, admits: Callable[[str], bool]) -> None:
    """Write down the hash of weights, unless one that the index `admits` is written down already.

    The first one counts, so what another process pinned meanwhile stays.
    """
    path = folder / FILE
    with locked(path, "writes the lock file of the cache"):
        pins = dict(read_pins(folder))
        if name not in pins or not admits(pins[name].sha256):
            pins[name] = made
            write_toml(path, unstructure(Pins(weights=dict(sorted(pins.items())))))

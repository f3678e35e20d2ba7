"""Which published weights are at hand, and whether their files are still right."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from attrs import frozen

from b2b_core.hashing import sha256_of
from b2b_core.weights.acceptance import Acceptance
from b2b_core.weights.cache import cached_file, fault_of, imported_file, pin_of
from b2b_core.weights.pins import Pin
from b2b_core.weights.resolve import shipped_by

if TYPE_CHECKING:
    from b2b_core.catalogue import Catalogue
    from b2b_core.registry import WeightsRow

#: installed: a plugin ships them; imported: the user keeps a file under this name; cached: fetched
#: before; damaged: at hand, but too short or long;
#: not installed: their plugin is not; manual: a person has to get them; needs acceptance: not free
#: for commercial use and not accepted; unverified: to be fetched, and no whole hash is published;
#: not fetched: the next use fetches them.
State = Literal[
    "installed",
    "imported",
    "cached",
    "damaged",
    "not installed",
    "manual",
    "needs acceptance",
    "unverified",
    "not fetched",
]


@frozen(kw_only=True)
class Holding:
    """Weights of the index, and what is there of them."""

    row: WeightsRow
    state: State
    #: The file at hand.
    path: Path | None = None
    #: The plugin that ships it.
    shipped_by: str | None = None
    #: Its hash, where it was not published but pinned.
    pin: Pin | None = None

    @property
    def bytes(self) -> int | None:
        """Length of the published file; of the one at hand where none is published."""
        if self.row.bytes is not None or self.path is None or not self.path.is_file():
            return self.row.bytes
        return self.path.stat().st_size


def holding(row: WeightsRow, catalogue: Catalogue, acceptance: Acceptance) -> Holding:
    """Look for the file of weights, by its length only; `fault_in` reads the whole of it.

    Raises:
        UsageError: if several plugins ship it.
    """
    shipped = shipped_by(row.name, row, catalogue)
    if shipped is not None:
        owner, path = shipped
        file = path if isinstance(path, Path) else None
        state: State = "installed" if _complete(row.bytes, file) else "damaged"
        return Holding(row=row, state=state, path=file, shipped_by=owner)
    if imported := imported_file(row.name):
        return Holding(row=row, state="imported", path=imported)
    if row.distribution and not row.urls:
        return Holding(row=row, state="not installed")
    path, pinned = cached_file(row), pin_of(row)
    if path.is_file():
        length = row.bytes if row.bytes is not None or pinned is None else pinned.bytes
        state = "cached" if _complete(length, path) else "damaged"
        return Holding(row=row, state=state, path=path, pin=pinned)
    return Holding(row=row, state=_absent(row, acceptance, pinned), pin=pinned)


def fault_in(held: Holding) -> str:
    """Return why the whole file at hand is not the right one, or nothing if it is.

    What the user imported was checked then, and is another file now.
    """
    path = held.path
    if path is None or not path.is_file():
        return "the file is missing"
    if held.state == "imported":
        return ""
    if held.shipped_by is None:
        return fault_of(held.row, path)
    sha256 = sha256_of(path)
    return (
        "" if held.row.admits(sha256) else f"its sha256 is {sha256[:16]}..., not the published one"
    )


def mend_of(held: Holding) -> str:
    """Return the command that replaces a damaged file."""
    if held.shipped_by is not None:
        return f"pip install --force-reinstall {held.shipped_by}"
    if held.row.by_hand:
        return f"download it again from {held.row.source}"
    return f"b2b weights fetch {held.row.name}"


def _complete(length: int | None, path: Path | None) -> bool:
    return path is not None and path.is_file() and length in (None, path.stat().st_size)


def _absent(row: WeightsRow, acceptance: Acceptance, pinned: Pin | None) -> State:
    if row.by_hand:
        return "manual"
    if not acceptance.covers(row):
        return "needs acceptance"
    return "unverified" if row.unverified and pinned is None else "not fetched"

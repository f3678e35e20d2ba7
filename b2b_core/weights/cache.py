"""The cache of fetched weights: every use checks the file, a wrong one is fetched again."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from b2b_core.errors import B2bError, UsageError
from b2b_core.hashing import sha256_of
from b2b_core.locking import locked
from b2b_core.weights.pins import FILE, Pin, pin, read_pins

if TYPE_CHECKING:
    from b2b_core.registry import WeightsRow
    from b2b_core.weights.acceptance import Acceptance

#: Folder that overrides the platform's user cache.
ENVIRONMENT = "B2B_CACHE"
#: Folder, in the cache, of network files that were made from published ones.
IMPORTED = "imported"
_SUFFIX = {"safetensors": ".safetensors", "torch": ".pth"}


def cache_folder() -> Path:
    """Return the folder of fetched files: `B2B_CACHE`, or `b2b` in the user's cache."""
    if chosen := os.environ.get(ENVIRONMENT):
        return Path(chosen).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("b2b", appauthor=False)


def cached_file(row: WeightsRow) -> Path:
    """Return where the file of weights is, or will be, in the cache."""
    return cache_folder() / "weights" / f"{row.name}{_SUFFIX[row.format]}"


def imported_file(name: str) -> Path | None:
    """Return the network file that `b2b weights import --as NAME` keeps, or None."""
    path = cache_folder() / IMPORTED / f"{name}.safetensors"
    return path if Path(name).name == name and path.is_file() else None


def pin_of(row: WeightsRow) -> Pin | None:
    """Return the hash that was pinned when the file first arrived; None if one is published."""
    pinned = read_pins(cache_folder()).get(row.name) if row.unverified else None
    # what is published later counts more
    return pinned if pinned is not None and row.admits(pinned.sha256) else None


def fault_of(row: WeightsRow, path: Path) -> str:
    """Return why a file in the cache is not the right one; empty if it is, as far as is known."""
    size, pinned = path.stat().st_size, pin_of(row)
    length = row.bytes if row.bytes is not None or pinned is None else pinned.bytes
    if length is not None and size != length:
        return f"it has {size} bytes, not {length}"
    sha256 = sha256_of(path)
    if not row.admits(sha256):
        return f"its sha256 is {sha256[:16]}..., not the published one"
    if pinned is not None and sha256 != pinned.sha256:
        return f"its sha256 is {sha256[:16]}..., not the one of {pinned.date}"
    return ""


def from_cache(row: WeightsRow, acceptance: Acceptance | None, *, offline: bool) -> Path:
    """Return the checked file of weights from the cache, fetched if it is not there.

    Raises:
        UsageError: if it has to be fetched and may not: offline, by hand, licence not accepted.
        B2bError: if it cannot be fetched, or a damaged one cannot be replaced.
    """
    path = cached_file(row)
    fault = fault_of(row, path) if path.is_file() else "it is not there"
    if not fault:
        pin_if_new(row, path, "by hand")
        return path
    _may_fetch(row, path, acceptance, fault=fault, offline=offline)
    with _writable(path.parent), locked(path, f"fetches '{row.name}'"):
        # the process that held the lock may just have fetched it
        if not path.is_file() or fault_of(row, path):
            _fetch(row, path)
    return path


@contextmanager
def _writable(folder: Path) -> Generator[None]:
    """Make a folder of the cache; what cannot be written in it is an error of one line."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise B2bError(
            f"cannot write the cache: {(error.strerror or str(error)).lower()}",
            where=folder,
            mend=f"let {ENVIRONMENT} name another folder",
        ) from error


def _may_fetch(
    row: WeightsRow, path: Path, acceptance: Acceptance | None, *, fault: str, offline: bool
) -> None:
    if row.by_hand:
        raise UsageError(
            f"b2b cannot fetch the weights '{row.name}' (licence: {row.licence})",
            mend=f"download them by hand from {row.source} and give the file's path, "
            f"or keep it: b2b weights import FILE --as {row.name}",
        )
    if offline and path.is_file():
        raise B2bError(
            f"the file of the weights '{row.name}' is damaged: {fault}",
            where=path,
            mend="go online once",
        )
    if offline:
        raise UsageError(
            f"the weights '{row.name}' are not in the cache", where=path, mend="go online once"
        )
    if acceptance is None:
        from b2b_core.weights.acceptance import accepted

        acceptance = accepted()
    acceptance.demand(row)


def _fetch(row: WeightsRow, path: Path) -> None:
    from b2b_core.download import Wanted, fetch
    from b2b_core.log import get_logger

    pinned = pin_of(row)
    wanted = Wanted(
        name=f"the weights '{row.name}'",
        urls=row.urls,
        sha256=row.sha256 or (pinned.sha256 if pinned else row.sha256_prefix or ""),
        bytes=row.bytes,
        known_as=f"the one of {pinned.date} (see {FILE})" if pinned else "the published one",
    )
    get_logger("weights").info(
        f"fetching {row.name}",
        licence=row.licence, trained_on=row.trained_on, source=row.source or "", to=str(path),
    )  # fmt: skip
    url = fetch(wanted, path)
    pin_if_new(row, path, url)


def pin_if_new(row: WeightsRow, path: Path, url: str) -> None:
    """Write down the hash of a file from `url` if nobody published it and none is pinned."""
    if row.unverified and pin_of(row) is None:
        made = Pin(sha256=sha256_of(path), bytes=path.stat().st_size, url=url)
        pin(cache_folder(), row.name, made, row.admits)

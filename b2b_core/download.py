"""Fetch one published file: resumed after an interruption, checked, then put in place at once."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from b2b_core import __version__
from b2b_core.errors import B2bError
from b2b_core.log import get_logger
from b2b_core.progress import Progress

if TYPE_CHECKING:
    from b2b_core.registry import WeightsRow

#: Times each url is tried; a try continues where the last one stopped.
TRIES = 3
TIMEOUT_SECONDS = 30.0
CHUNK_BYTES = 1 << 20


class _FailedError(Exception):
    """One try failed; another may not."""


def fetch(row: WeightsRow, target: Path) -> None:
    """Fetch the file of `row` to `target`; what has arrived before is kept in `target`.part.

    Raises:
        B2bError: if no url gives a file of the published length and sha256.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    get_logger("weights").info(
        f"fetching {row.name}", licence=row.licence, trained_on=row.trained_on, to=str(target)
    )
    failures = []
    for url in [url for url in row.urls for _ in range(TRIES)]:
        try:
            _receive(url, part, row)
            _check(part, row)
        except _FailedError as failure:
            failures.append(f"{url}: {failure}")
        else:
            part.replace(target)
            return
    raise B2bError(
        f"cannot fetch the weights '{row.name}': {failures[-1]}",
        mend="try again, it continues where it stopped; or fetch it by hand and give its path",
    )


def _receive(url: str, part: Path, row: WeightsRow) -> None:
    """Append to `part` what is missing of the file at `url`."""
    have = part.stat().st_size if part.exists() else 0
    if row.bytes is not None and have == row.bytes:
        return
    with _opened(url, part, have) as response:
        resumed = response.status == 206
        have = have if resumed else 0
        length = response.headers.get("Content-Length")
        total = have + int(length) if length and length.isdigit() else None
        if row.bytes is not None and total is not None and total != row.bytes:
            _discard(part, f"it has {total} bytes, the published file has {row.bytes}")
        with (
            part.open("ab" if resumed else "wb") as file,
            Progress(f"fetching {row.name}", total or row.bytes or 0, start=have) as bar,
        ):
            while chunk := response.read(CHUNK_BYTES):
                file.write(chunk)
                have += len(chunk)
                bar.update(have)
    if total is not None and have < total:
        raise _FailedError(f"the connection ended after {have} of {total} bytes")


@contextmanager
def _opened(url: str, part: Path, have: int) -> Iterator[HTTPResponse]:
    request = urllib.request.Request(url, headers={"User-Agent": f"b2b/{__version__}"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
            yield response
    except urllib.error.HTTPError as error:
        if error.code == 416:  # what we have is longer than the file, so it is another file
            _discard(part, "what had arrived before is not part of it")
        raise _FailedError(f"the server answers {error.code} {error.reason}") from error
    except (OSError, HTTPException) as error:
        raise _FailedError(str(getattr(error, "reason", error)) or type(error).__name__) from error


def _check(part: Path, row: WeightsRow) -> None:
    from b2b_core.weights import sha256_of

    size = part.stat().st_size
    if row.bytes is not None and size != row.bytes:
        _discard(part, f"it has {size} bytes, the published file has {row.bytes}")
    sha256 = sha256_of(part)
    if not row.admits(sha256):
        _discard(part, f"its sha256 is {sha256[:16]}..., not the published one")


def _discard(part: Path, why: str) -> NoReturn:
    part.unlink(missing_ok=True)
    raise _FailedError(why)

"""Fetch one published file: resumed after an interruption, checked, then put in place at once.

What has arrived is kept beside the target in `NAME.part`. A part is continued only where the result
can be checked: by the file's hash, or by the server's word (`If-Range`) that the file is unchanged.

No library does this: pooch and torch.hub never resume, huggingface_hub does for its own site only.
"""

from __future__ import annotations

import os
import time
from http.client import HTTPResponse
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

from attrs import frozen

from b2b_core.errors import B2bError, UsageError
from b2b_core.hashing import sha256_of
from b2b_core.http_file import FailedError, Limits, chunks, opened, state_of
from b2b_core.progress import Progress

#: Seconds without news after which a server is given up.
ENVIRONMENT = "B2B_DOWNLOAD_SECONDS"


@frozen(kw_only=True)
class Wanted:
    """A file, and how to know it."""

    #: For messages, such as "the weights 'unet.x'".
    name: str
    #: Addresses, tried in this order.
    urls: tuple[str, ...]
    #: Its hash or the beginning of it; empty if nobody knows.
    sha256: str = ""
    #: Its length, if known.
    bytes: int | None = None
    #: What has this hash, for messages.
    known_as: str = "the published one"


def limits_of_environment() -> Limits:
    """Return the limits, with the seconds that `B2B_DOWNLOAD_SECONDS` sets."""
    text = os.environ.get(ENVIRONMENT, "").strip()
    try:
        seconds = float(text or Limits().seconds)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise UsageError(f"'{text}' is no number of seconds", where=ENVIRONMENT)
    return Limits(seconds=seconds, pause=min(Limits().pause, seconds))


def fetch(wanted: Wanted, target: Path, limits: Limits | None = None) -> str:
    """Fetch a file to `target`, whose folder must exist; return the url that gave it.

    Only one process at a time may do so; see `b2b_core.locking`.

    Raises:
        B2bError: if no url gives a file of the known length and hash, or it cannot be written.
    """
    transfer = _Transfer(wanted, target, limits or limits_of_environment())
    failures: list[str] = []
    try:
        for url in wanted.urls:
            if not (failure := transfer.tried(url)):
                return url
            failures.append(f"{urlsplit(url).netloc}: {failure}")
    except OSError as error:  # of the disk; those of the network are failures
        raise B2bError(
            f"cannot write {wanted.name}: {(error.strerror or str(error)).lower()}",
            where=transfer.part,
            mend="free some space there, or let B2B_CACHE name another folder, and try again",
        ) from error
    kept = "try again, it continues where it stopped; or " if transfer.part.exists() else ""
    raise B2bError(
        f"cannot fetch {wanted.name}: {', then '.join(failures)}",
        mend=f"{kept}fetch it by hand and give its path",
    )


class _Transfer:
    """One file on its way."""

    def __init__(self, wanted: Wanted, target: Path, limits: Limits) -> None:
        self.part = target.with_name(f"{target.name}.part")
        self._wanted = wanted
        self._target = target
        self._limits = limits
        #: Url and state (ETag or date) of the file that the part is the beginning of.
        self._begun = ("", "")

    def tried(self, url: str) -> str:
        """Try an address as often as may help; return why it failed, or nothing if it did not."""
        why = ""
        for attempt in range(self._limits.tries):
            if attempt:
                time.sleep(self._limits.pause * 2 ** (attempt - 1))
            try:
                self._receive(url)
            except FailedError as failure:
                why = str(failure)
                if not failure.again:
                    break
            else:
                self.part.replace(self._target)
                return ""
        return why

    def _receive(self, url: str) -> None:
        """Append to the part what is missing of the file at `url`, and check it."""
        have = self._usable(url)
        if have and have == self._wanted.bytes:
            self._check(fresh=False)
            return
        try:
            self._append_rest(url, have)
        except FailedError as failure:
            if failure.status != 416:
                raise
            # there is no rest: the part is the whole file, or not of this file
            if not self._is_right():
                self._discard(str(failure), again=True)

    def _append_rest(self, url: str, have: int) -> None:
        with opened(url, self._headers(have), self._limits) as response:
            start = self._start(response, have)
            self._begun = (url, state_of(response))
            total = self._total(response, start)
            end = self._append(response, start, total)
        if total is not None and end < total and not self._is_right():
            raise FailedError(f"the connection ended after {end} of {total} bytes")
        self._check(fresh=start == 0)

    def _usable(self, url: str) -> int:
        """Return how many bytes of the part can be continued; drop those that cannot."""
        if not self._wanted.sha256 and (self._begun[0] != url or not self._begun[1]):
            self.part.unlink(missing_ok=True)  # nothing would show that two halves differ
        have = self.part.stat().st_size if self.part.exists() else 0
        if self._wanted.bytes is not None and have > self._wanted.bytes:
            self.part.unlink()
            return 0
        return have

    def _headers(self, have: int) -> dict[str, str]:
        if not have:
            return {}
        wanted = {"Range": f"bytes={have}-"}
        return wanted if self._wanted.sha256 else wanted | {"If-Range": self._begun[1]}

    def _start(self, response: HTTPResponse, have: int) -> int:
        """Return the offset of the first byte that comes: `have`, or 0 if it starts anew."""
        if response.status != 206:
            return 0
        if not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            self._discard("it sends another part than the one asked for", again=True)
        return have

    def _total(self, response: HTTPResponse, start: int) -> int | None:
        """Return the length that the server announces; refuse one that cannot be right."""
        text = response.headers.get("Content-Length") or ""
        total = start + int(text) if text.isdecimal() else None
        expected = self._wanted.bytes
        if total is None and expected is None and not self._wanted.sha256:
            raise FailedError("it does not say how long the file is", again=False)
        if total is not None and expected is not None and total != expected:
            self._discard(f"it has {total} bytes, {self._wanted.known_as} has {expected}")
        return total

    def _append(self, response: HTTPResponse, start: int, total: int | None) -> int:
        """Write what comes; return the length of the part."""
        have, most = start, self._wanted.bytes
        title = f"fetching {self._wanted.name}"
        with (
            self.part.open("ab" if start else "wb") as file,
            Progress(title, total or most or 0, start=have) as bar,
        ):
            for chunk in chunks(response, self._limits):
                file.write(chunk)
                have += len(chunk)
                bar.update(have)
                if most is not None and have > most:
                    self._discard(f"it has more than {most} bytes")
        return have

    def _is_right(self) -> bool:
        """Tell whether the part is the whole file, whatever length the server announced."""
        known = self._wanted.sha256
        return bool(known) and sha256_of(self.part).startswith(known)

    def _check(self, *, fresh: bool) -> None:
        """Refuse a part that is not the file; one that was continued may be right if begun anew."""
        size, expected = self.part.stat().st_size, self._wanted.bytes
        if expected is not None and size != expected:
            why = f"it has {size} bytes, {self._wanted.known_as} has {expected}"
            self._discard(why, again=not fresh)
        sha256 = sha256_of(self.part)
        if not sha256.startswith(self._wanted.sha256):
            why = f"its sha256 is {sha256[:16]}..., not that of {self._wanted.known_as}"
            self._discard(why, again=not fresh)

    def _discard(self, why: str, *, again: bool = False) -> NoReturn:
        self.part.unlink(missing_ok=True)
        raise FailedError(why, again=again)

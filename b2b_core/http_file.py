"""One request for a file or for the rest of one, with every way to fail told in one line."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http.client import HTTPException, HTTPMessage, HTTPResponse
from typing import IO

from attrs import frozen

from b2b_core import __version__
from b2b_core.urls import is_safe

CHUNK_BYTES = 1 << 18
#: Answers after which the same address may still work a little later.
_PASSING = (408, 416, 425, 429)


@frozen(kw_only=True)
class Limits:
    """When to give up."""

    #: Seconds to wait for a connection or for the next bytes.
    seconds: float = 30.0
    #: Bytes per second, over `seconds`, below which a server counts as stalled.
    slowest: float = 1000.0
    #: Times each address is tried; a try continues where the last one stopped.
    tries: int = 3
    #: Seconds between two tries, doubled each time.
    pause: float = 1.0


class FailedError(Exception):
    """A request failed.

    Args:
        why: in a few words.
        again: whether another try at the same address may succeed.
        status: what the server answered, 0 if it did not.
    """

    def __init__(self, why: str, *, again: bool = True, status: int = 0) -> None:
        super().__init__(why)
        self.again = again
        self.status = status


@contextmanager
def opened(url: str, headers: Mapping[str, str], limits: Limits) -> Generator[HTTPResponse]:
    """Open `url`, following redirections to safe addresses only; close it at the end.

    Raises:
        FailedError: if there is no connection, or the answer is no file.
    """
    named = {"User-Agent": f"b2b/{__version__}", **headers}
    request = urllib.request.Request(url, headers=named)
    opener = urllib.request.build_opener(_SafeRedirects())
    try:
        response: HTTPResponse = opener.open(request, timeout=limits.seconds)
    except urllib.error.HTTPError as error:
        again = error.code in _PASSING or error.code >= 500
        why = f"the server answers {error.code} {error.reason}"
        error.close()
        raise FailedError(why, again=again, status=error.code) from error
    except (OSError, HTTPException) as error:
        raise _network_failure(error, limits) from error
    with response:
        yield response


def chunks(response: HTTPResponse, limits: Limits) -> Generator[bytes]:
    """Yield what arrives.

    Raises:
        FailedError: if nothing arrives for too long, or only a trickle.
    """
    arrived, since = 0, time.monotonic()
    while chunk := _read(response, limits):
        yield chunk
        arrived += len(chunk)
        seconds = time.monotonic() - since
        if seconds > limits.seconds:
            if arrived < limits.slowest * seconds:
                raise FailedError(f"{arrived} bytes in {seconds:.0f} s are too slow")
            arrived, since = 0, time.monotonic()


def state_of(response: HTTPResponse) -> str:
    """Return what tells this version of the file from others, as `If-Range` wants it, or ""."""
    tag: str = response.headers.get("ETag", "")
    if tag and not tag.startswith("W/"):
        return tag
    return str(response.headers.get("Last-Modified", ""))


def _read(response: HTTPResponse, limits: Limits) -> bytes:
    try:
        return response.read1(CHUNK_BYTES)
    except (OSError, HTTPException) as error:
        raise _network_failure(error, limits) from error


def _network_failure(error: Exception, limits: Limits) -> FailedError:
    reason = getattr(error, "reason", error)
    if isinstance(reason, TimeoutError):
        return FailedError(f"nothing arrived for {limits.seconds:g} s")
    return FailedError(str(reason) or type(error).__name__)


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirection only to where a file may be fetched from."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """Return the request that follows, or refuse the address."""
        if not is_safe(newurl):
            raise FailedError(f"it redirects to {newurl}, which is not https", again=False)
        return super().redirect_request(req, fp, code, msg, headers, newurl)

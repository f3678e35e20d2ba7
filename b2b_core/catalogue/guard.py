"""Run a plugin's code so that it can neither end the program, nor hold it up, nor write to it.

This is isolation from accidents, not from malice: what is installed can do what Python can do.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
import threading
from collections.abc import Generator
from types import FrameType
from typing import NoReturn

#: What no light module may import: each costs a listing more than everything else together.
HEAVY = ("torch", "kornia", "numpy", "rich", "structlog", "cattrs")


#: Characters of its output that are kept.
KEPT = 4096


class TimeLimitError(BaseException):
    """The code took too long; no `except Exception` of the plugin can swallow this."""


class HardExitError(BaseException):
    """The code tried to end the process without unwinding it."""


class _Beginning(io.StringIO):
    """Keeps the beginning of what is written; a plugin that floods must not fill the memory."""

    def write(self, text: str, /) -> int:
        """Keep `text` as far as there is room, and say that all of it was written."""
        super().write(text[: max(0, KEPT - self.tell())])
        return len(text)


class Watched:
    """What the code did beside its work."""

    def __init__(self) -> None:
        self._heavy_before = _heavy()
        self._output = _Beginning()

    @property
    def printed(self) -> str:
        """What it wrote to standard output, in one line."""
        return " ".join(self._output.getvalue().split())

    @property
    def heavy(self) -> list[str]:
        """The heavy packages that it was the first to import."""
        return sorted(_heavy() - self._heavy_before)

    @contextlib.contextmanager
    def running(self, seconds: float) -> Generator[None]:
        """Run the body: its output is kept away, its exits are errors, its time is limited.

        Raises:
            TimeLimitError: after `seconds`; only in the main thread, and where the platform has
                interval timers.
            HardExitError: if it calls `os._exit` or `os.abort`.
        """
        with contextlib.redirect_stdout(self._output), _no_hard_exit(), _time_limit(seconds):
            yield


def _heavy() -> set[str]:
    return {name for name in HEAVY if name in sys.modules}


@contextlib.contextmanager
def _no_hard_exit() -> Generator[None]:
    def refuse(*_code: object) -> NoReturn:
        raise HardExitError

    places = [os, *filter(None, [sys.modules.get("posix"), sys.modules.get("nt")])]
    kept = [(place, name, getattr(place, name)) for place in places for name in ("_exit", "abort")]
    try:
        for place, name, _ in kept:
            setattr(place, name, refuse)
        yield
    finally:
        for place, name, function in kept:
            setattr(place, name, function)


@contextlib.contextmanager
def _time_limit(seconds: float) -> Generator[None]:
    timers = hasattr(signal, "setitimer")
    if not timers or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> NoReturn:
        raise TimeLimitError(seconds)

    former = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)

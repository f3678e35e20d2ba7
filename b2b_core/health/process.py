"""Run a Python program that may hang, flood, exit or be killed, and tell what became of it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from typing import IO

from attrs import frozen

#: Bytes that are kept of what a program writes; the rest is read and thrown away.
KEPT = 4000
#: Seconds that are waited for the last output after the program ended.
_DREGS = 1.0


@frozen
class Ended:
    """How a program ended."""

    #: Exit code; negative: the number of the signal that killed it; None: it took too long.
    code: int | None
    stdout: str
    stderr: str
    seconds: float

    @property
    def signal(self) -> str:
        """Name of the signal that killed it, such as "SIGKILL", or nothing."""
        if self.code is None or self.code >= 0:
            return ""
        try:
            return signal.Signals(-self.code).name
        except ValueError:
            return f"signal {-self.code}"

    @property
    def last_words(self) -> str:
        """The last line that it wrote to standard error, where Python tells the cause."""
        return next((line.strip() for line in self.stderr.splitlines()[::-1] if line.strip()), "")

    def reason(self, limit: float) -> str:
        """Return in a line why it failed."""
        if self.code is None:
            return f"it did not end after {limit:g} seconds and was stopped"
        if self.signal:
            return f"it was killed by {self.signal}"
        return self.last_words or f"exit code {self.code}"


class Processes:
    """Programs under way; all are killed when the block ends, by Ctrl-C too."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._closed = False

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        for process in tuple(self._running):
            _kill(process)

    def run(
        self,
        arguments: Sequence[str],
        seconds: float,
        environment: Mapping[str, str | None] | None = None,
        kept: int = KEPT,
    ) -> Ended:
        """Run `python ARGUMENTS` with the `sys.path` of this process; never raises for its sake.

        Args:
            arguments: of the interpreter.
            seconds: after which it is killed, with the processes that it started.
            environment: variables that are set, or taken away where the value is None.
            kept: bytes to keep of each of its outputs; the rest is read and thrown away.
        """
        began = time.monotonic()
        process = _started(arguments, environment or {})
        self._running.add(process)
        if self._closed:
            _kill(process)
        heads = [_Head(stream, kept) for stream in (process.stdout, process.stderr) if stream]
        code: int | None
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            _kill(process)
            self._running.discard(process)
        stdout, stderr = (head.text() for head in heads)
        return Ended(code, stdout, stderr, time.monotonic() - began)


class _Head(threading.Thread):
    """Reads a stream to its end and keeps the beginning."""

    def __init__(self, stream: IO[bytes], most: int) -> None:
        super().__init__(daemon=True)
        self._stream = stream
        self._most = most
        self._kept = b""
        self.start()

    def run(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            while block := os.read(self._stream.fileno(), 65536):
                self._kept += block[: max(0, self._most - len(self._kept))]

    def text(self) -> str:
        """Return what came; a process left behind may hold the stream open for ever."""
        self.join(_DREGS)
        return self._kept.decode("utf-8", "replace")


def _started(
    arguments: Sequence[str], environment: Mapping[str, str | None]
) -> subprocess.Popen[bytes]:
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    variables |= {name: value for name, value in environment.items() if value is not None}
    for name, value in environment.items():
        if value is None:
            variables.pop(name, None)
    return subprocess.Popen(
        # -P: the working directory is no place to import from
        [sys.executable, "-P", *arguments],
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the program and what it started, as far as that is in its group."""
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_DREGS)

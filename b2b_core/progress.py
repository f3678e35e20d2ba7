"""Progress of long work: a bar on a terminal, plain lines on a pipe, always on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Protocol, Self, TextIO

#: Seconds, and share of the work, after which a pipe gets another line.
EVERY_SECONDS = 10.0
EVERY_SHARE = 0.1


class Progress:
    """`with Progress("training G", total=1500) as bar: bar.update(done, loss=0.1)`.

    Args:
        title: what is being done.
        total: number of steps, pictures or bytes.
        start: how many of them are already done, as when a run is resumed.
        stream: where to write; stderr if None.
        clock: seconds that only grow, for the time left.
    """

    def __init__(
        self,
        title: str,
        total: int,
        *,
        start: int = 0,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.title = title
        self.total = total
        self._start = start
        self._done = start
        self._numbers: dict[str, float] = {}
        self._stream = stream or sys.stderr
        self._clock = clock
        self._began = clock()
        self._display: _Display | None = None

    def __enter__(self) -> Self:
        self._began = self._clock()
        terminal = self._stream.isatty()
        self._display = _Bar(self._stream, self.title) if terminal else _Lines(self._stream)
        self._show(first=True)
        return self

    def update(self, done: int, **numbers: float) -> None:
        """Say that `done` of the total are done; `numbers` are kept until they change."""
        self._done = done
        self._numbers |= numbers
        self._show()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._show(last=True)
        if self._display is not None:
            self._display.close()

    @property
    def seconds_left(self) -> float | None:
        """Time left at the mean speed so far; None before anything is done."""
        fresh = self._done - self._start
        if fresh <= 0:
            return None
        return (self.total - self._done) * (self._clock() - self._began) / fresh

    def _show(self, *, first: bool = False, last: bool = False) -> None:
        if self._display is None:
            return
        share = self._done / self.total if self.total else 1.0
        if self._display.due(self._clock(), share) or first or last:
            self._display.show(self._line(), self._done, self.total)

    def _line(self) -> str:
        left = self.seconds_left
        parts = [f"{self.title}: {self._done}/{self.total}"]
        if self._done >= self.total:
            parts.append(f"done in {readable_time(self._clock() - self._began)}")
        elif left is not None:
            parts.append(f"{readable_time(left)} left")
        return "  ".join([*parts, *readable_numbers(self._numbers)])


def readable_time(seconds: float) -> str:
    """Return a duration in two units at most: "42 s", "3 min 20 s", "2 h 05 min"."""
    whole = round(seconds)
    minutes, hours = whole // 60, whole // 3600
    if whole < 60:
        return f"{whole} s"
    if hours == 0:
        return f"{minutes} min {whole % 60:02d} s"
    return f"{hours} h {minutes % 60:02d} min"


def readable_numbers(numbers: Mapping[str, float]) -> list[str]:
    """Return "name value" with four significant digits each."""
    return [f"{name} {value:.4g}" for name, value in numbers.items()]


class _Display(Protocol):
    def due(self, now: float, share: float) -> bool: ...
    def show(self, line: str, done: int, total: int) -> None: ...
    def close(self) -> None: ...


class _Lines:
    """Plain lines, seldom enough for a log file."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._last_time: float | None = None
        self._last_share = 0.0
        self._last_line = ""

    def due(self, now: float, share: float) -> bool:
        if self._last_time is None:
            self._last_time = now
        late = now - self._last_time >= EVERY_SECONDS
        if late or share - self._last_share >= EVERY_SHARE:
            self._last_time, self._last_share = now, share
            return True
        return False

    def show(self, line: str, done: int, total: int) -> None:  # noqa: ARG002 - as in _Bar
        if line != self._last_line:
            self._last_line = line
            self._stream.write(f"{line}\n")
            self._stream.flush()

    def close(self) -> None:
        pass


class _Bar:
    """A bar of rich; it redraws itself, so every update is due."""

    def __init__(self, stream: TextIO, title: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self._bar = Progress(
            BarColumn(bar_width=24),
            TextColumn("{task.description}", markup=False),
            console=Console(file=stream),
        )
        self._task = self._bar.add_task(title)
        self._bar.start()

    def due(self, now: float, share: float) -> bool:  # noqa: ARG002 - as in _Lines
        return True

    def show(self, line: str, done: int, total: int) -> None:
        self._bar.update(self._task, completed=done, total=total, description=line)

    def close(self) -> None:
        self._bar.stop()

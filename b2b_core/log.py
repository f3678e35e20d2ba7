"""Logs: readable on stderr, and as JSON lines in the folder of a run."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Generator, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

#: The open log of the current run; a context variable, so that nested runs do not mix.
_RUN_LOG: ContextVar[FileIO | None] = ContextVar("b2b_run_log", default=None)
FILE_NAME = "log.jsonl"


def configure(verbose: bool = False) -> None:
    """Send logs to stderr, in colour on a terminal; `verbose` shows debug messages too."""
    import structlog

    level = logging.DEBUG if verbose else logging.INFO
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _copy_to_run_log,
            structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # looked up at each call: a progress bar replaces `sys.stderr` while it is drawn
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


def get_logger(name: str) -> FilteringBoundLogger:
    """Return the logger of a part of the program; `name` is shown with every message."""
    import structlog

    if not structlog.is_configured():
        configure()
    logger: FilteringBoundLogger = structlog.get_logger(part=name)
    return logger


@contextmanager
def run_log(run_dir: Path | str) -> Generator[Path]:
    """Also append every message to `run_dir/log.jsonl`; yield that file's path.

    The file is only ever appended to, one write per line, so that a killed run keeps its log and a
    resumed run continues it.
    """
    path = Path(run_dir) / FILE_NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab", buffering=0) as file:
        token = _RUN_LOG.set(file)
        try:
            yield path
        finally:
            _RUN_LOG.reset(token)


def record(event: str, **fields: object) -> None:
    """Append a JSON line to the current run's log without showing it; nothing outside a run."""
    file = _RUN_LOG.get()
    if file is not None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = {"event": event, "timestamp": now, **fields}
        file.write(json.dumps(line, default=str).encode() + b"\n")


def _copy_to_run_log(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    file = _RUN_LOG.get()
    if file is not None:
        first = {key: event[key] for key in ("timestamp", "level", "event") if key in event}
        file.write(json.dumps(first | dict(event), default=str).encode() + b"\n")
    return event

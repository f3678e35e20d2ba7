"""`b2b list-plugins --check`: each plugin imported in a process of its own, a few at a time."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

from attrs import frozen

from b2b_core.catalogue import Switches
from b2b_core.catalogue.compatibility import incompatibility
from b2b_core.catalogue.local import local_file
from b2b_core.catalogue.metadata import CORE, Found, installed
from b2b_core.health.process import Ended, Processes

Outcome = Literal[
    "ok", "disabled", "incompatible", "failed", "exited", "killed", "timed-out", "printed", "heavy"
]
#: Outcomes that need no mending.
GOOD: tuple[Outcome, ...] = ("ok", "disabled")
#: Plugins that are imported at the same time; those that hang cost no processor.
_AT_ONCE = 4


@frozen(kw_only=True)
class Check:
    """What became of one plugin."""

    name: str
    outcome: Outcome
    #: What happened and what to do about it, in one line each; empty if all is well.
    cause: str = ""
    mend: str = ""
    seconds: float = 0.0
    #: Of its process; None if it had none, or if it was stopped.
    exit_code: int | None = None
    #: What killed its process, such as "SIGKILL".
    signal: str = ""
    #: The beginning of what it wrote to standard output.
    stdout: str = ""
    #: Packages that it imports and that no light module may import.
    heavy: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Whether there is nothing to mend."""
        return self.outcome in GOOD


def check_plugins(switches: Switches, seconds: float) -> Iterator[Check]:
    """Yield what becomes of each plugin that is installed or named as a file, by name.

    Nothing of a plugin is imported by this process; what is switched off or made for another core
    is not imported at all.

    Args:
        switches: which plugins are off, and the files to load.
        seconds: that one plugin may take, from the start of its interpreter to its end.

    Raises:
        UsageError: if a plugin that is not installed is named, or a file is not there.
    """
    found = installed()
    off = switches.off([one.name for one in found])
    files = [local_file(path) for path in switches.files]
    with tempfile.TemporaryDirectory() as folder, Processes() as processes:
        checker = _Checker(Path(folder), processes, seconds)
        pool = ThreadPoolExecutor(_AT_ONCE)
        try:
            made = [pool.submit(checker.installed, one, off.get(one.name)) for one in found]
            made += [pool.submit(checker.run, f.distribution, "file", f.value) for f in files]
            for future in made:
                yield future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


class _Checker:
    """Runs `b2b_core.health.alone` and reads what it left."""

    def __init__(self, folder: Path, processes: Processes, seconds: float) -> None:
        self._folder = folder
        self._processes = processes
        self._seconds = seconds

    def installed(self, found: Found, off: str | None) -> Check:
        if off is not None:
            mend = f"b2b plugins enable {found.name}"
            return Check(name=found.name, outcome="disabled", cause=off, mend=mend)
        if reason := incompatibility(found.core_requirements):
            mend = f"update one of them: pip install -U {found.name} {CORE}"
            return Check(name=found.name, outcome="incompatible", cause=reason, mend=mend)
        return self.run(found.name, "installed", found.name)

    def run(self, name: str, source: str, said: str) -> Check:
        report = self._folder / f"{name}.json"
        arguments = ["-m", "b2b_core.health.alone", str(report), source, said]
        ended = self._processes.run(arguments, self._seconds)
        told = json.loads(report.read_text(encoding="utf-8")) if report.is_file() else None
        return _judged(name, ended, told, self._seconds)


def _judged(name: str, ended: Ended, told: dict[str, Any] | None, limit: float) -> Check:
    printed = " ".join((told or {}).get("printed", "").split() or ended.stdout.split())
    heavy = tuple((told or {}).get("heavy", ()))
    outcome, cause = _outcome(ended, told, printed, heavy, limit)
    remedy = f"report it to its author, or switch it off: b2b plugins disable {name}"
    return Check(
        name=name,
        outcome=outcome,
        cause=cause,
        mend="" if outcome == "ok" else (told or {}).get("mend") or remedy,
        seconds=round(ended.seconds, 2),
        exit_code=ended.code if ended.code is not None and ended.code >= 0 else None,
        signal=ended.signal,
        stdout=printed[:200],
        heavy=heavy,
    )


def _outcome(
    ended: Ended, told: dict[str, Any] | None, printed: str, heavy: Sequence[str], limit: float
) -> tuple[Outcome, str]:
    """Return what happened, the worst of it first, in a word and in a line."""
    if ended.code is None and told is None:
        return "timed-out", f"it was not imported after {limit:g} seconds and was stopped"
    if ended.code is None:
        return "timed-out", f"its process did not end after {limit:g} seconds: it left a thread"
    if ended.signal:
        return "killed", f"its process was killed by {ended.signal}"
    if told is not None and told["cause"]:
        return "failed", told["cause"]
    if told is None or ended.code:
        last = f": {ended.last_words}" if ended.last_words else ""
        return "exited", f"its process ended with exit code {ended.code}{last}"
    if heavy:
        return "heavy", f"its light module imports {', '.join(heavy)}, which slows every command"
    if printed:
        return "printed", f"it prints when imported: {printed[:60]}"
    return "ok", ""

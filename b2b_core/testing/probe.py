"""Import a plugin's light modules in a process of their own, and read what that did."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from b2b_core.catalogue.guard import HEAVY
from b2b_core.catalogue.metadata import Found

#: Seconds that a light module may take; generous, for this is no test of speed.
SECONDS = 20.0


@frozen(kw_only=True)
class HookFunction:
    """A function of a plugin that is marked as a hook, or looks like one."""

    name: str
    marked: bool
    wrapper: bool
    #: Names of the arguments without defaults.
    arguments: tuple[str, ...]
    #: "file:line".
    where: str


@frozen(kw_only=True)
class Probe:
    """What importing a plugin did."""

    #: Why the process did not come to its end; empty if it did.
    interrupted: str
    #: Entry point -> error, "file:line".
    errors: Mapping[str, tuple[str, str]]
    #: Heavy package -> "file:line" that imported it.
    heavy: Mapping[str, str]
    #: Event of the network, "file:line".
    sockets: Sequence[tuple[str, str]]
    #: What it wrote to standard output and standard error.
    output: str
    hooks: Sequence[HookFunction]

    @property
    def usable(self) -> bool:
        """Whether this process may import the plugin too."""
        return not self.interrupted and not self.errors


def probe(found: Found, seconds: float = SECONDS) -> Probe:
    """Import the entry points of a distribution in a process of their own.

    Args:
        found: the distribution.
        seconds: after which the process is ended.
    """
    with tempfile.TemporaryDirectory(prefix="b2b-probe-") as folder:
        report, task = Path(folder, "report.json"), Path(folder, "task.json")
        task.write_text(json.dumps(_task(found, report)), encoding="utf-8")
        interrupted, output = _run(task, seconds)
        data: dict[str, Any] = json.loads(report.read_text()) if report.is_file() else {}
    if not interrupted and not data.get("ended"):
        interrupted = f"the process ended while '{data.get('importing', '?')}' was imported"
    return Probe(
        interrupted=interrupted,
        errors={point: (what, where) for point, (what, where) in data.get("errors", {}).items()},
        heavy=data.get("heavy", {}),
        sockets=[(event, where) for event, where in data.get("sockets", ())],
        output=output,
        hooks=[
            HookFunction(arguments=tuple(hook.pop("arguments")), **hook)
            for hook in data.get("hooks", ())
        ],
    )


def _task(found: Found, report: Path) -> dict[str, object]:
    return {
        "path": [place or str(Path.cwd()) for place in sys.path],
        "points": [point.value for point in found.entry_points],
        "heavy": HEAVY,
        "report": str(report),
    }


def _run(task: Path, seconds: float) -> tuple[str, str]:
    """Return why the process did not come to its end, if so, and what it wrote."""
    child = Path(__file__).with_name("import_child.py")
    command = [sys.executable, "-I", str(child), str(task)]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
            cwd=task.parent,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        return f"it was still running after {seconds:g} seconds", _text(late.stdout)
    if done.returncode:
        return f"the process ended with exit code {done.returncode}", _text(done.stdout)
    return "", _text(done.stdout)


def _text(output: bytes | None) -> str:
    return (output or b"").decode(errors="replace").strip()

"""The states of the plugins, looked at from a process that their faults cannot end."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from b2b_core.catalogue import Switches
from b2b_core.catalogue.switches import STRICT
from b2b_core.health.check import Check, check_plugins
from b2b_core.health.finding import Finding, Level
from b2b_core.health.process import Ended, Processes

#: Seconds that a listing may take before the plugins are looked at one by one.
_LIMIT = 60.0
#: Seconds that one plugin may take then.
_ALONE = 20.0
_PROGRAM = "from b2b_core.cli import main; main()"
#: Characters that the listing of a thousand plugins does not reach.
_LONG = 10_000_000
#: States that are as they should be, or that the user wants so.
_FINE: dict[str, Level] = {"ok": "ok", "unlisted": "note", "local": "note", "disabled": "note"}


def plugins(options: Sequence[str], switches: Switches) -> Iterable[Finding]:
    """Yield each plugin with its state; those that are not well with cause and mend.

    Args:
        options: of the command line, before the command, that decide which plugins load.
        switches: what these and the preferences come to; for the case that the listing fails.
    """
    arguments = ["-c", _PROGRAM, *options, "list-plugins", "--json"]
    with Processes() as processes:
        ended = processes.run(arguments, _LIMIT, {STRICT: None}, kept=_LONG)
    rows = _rows(ended)
    if rows is None:
        what = f"the listing of plugins fails: {ended.reason(_LIMIT)}"
        yield Finding("plugins", "all", "problem", what, "mend what is named below")
        yield from map(_of_check, check_plugins(switches, _ALONE))
        return
    yield from map(_of_row, rows)
    if not rows:
        mend = "pip install b2b-plugin-starter, for one"
        yield Finding("plugins", "all", "problem", "no plugin is installed", mend)


def _rows(ended: Ended) -> list[dict[str, Any]] | None:
    try:
        return list(json.loads(ended.stdout)["plugins"]) if ended.code == 0 else None
    except (ValueError, KeyError, TypeError):
        return None


def _of_row(row: dict[str, Any]) -> Finding:
    level = _FINE.get(row["state"], "problem")
    # a plugin that works may still do what it should not, such as printing
    if row["mend"] and row["state"] != "disabled":
        level = "problem"
    said = f"{row['version']} {row['state']}" + (f": {row['cause']}" if row["cause"] else "")
    return Finding("plugins", row["name"], level, said.strip(), row["mend"])


def _of_check(check: Check) -> Finding:
    level: Level = "ok" if check.outcome == "ok" else "note" if check.good else "problem"
    said = check.outcome + (f": {check.cause}" if check.cause else "")
    return Finding("plugins", check.name, level, said, check.mend)

"""Switch plugins off and on in the user's `b2b.toml`; no plugin is imported for it."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Sequence
from pathlib import Path

from b2b_core.catalogue.metadata import CORE, installed
from b2b_core.catalogue.switches import switches_of_environment
from b2b_core.config import read_toml
from b2b_core.errors import UsageError
from b2b_core.names import PREFIX, means, normalised, suggestion
from b2b_core.preferences import FILE, user_file
from b2b_core.preferences_file import DisabledList


def switch_off(said: Sequence[str]) -> list[str]:
    """Add plugins to `[plugins] disable`; return what was done, a line for each.

    Raises:
        UsageError: if one is not installed, with the closest name; nothing is written then.
        B2bError: if the file cannot be written.
    """
    here = [one.name for one in installed()]
    listed = DisabledList(user_file())
    lines: list[str] = []
    for name in _meant(said, here):
        if any(means(entry, name) for entry in listed.names):
            lines.append(f"{name} is off already ({listed.path})")
            continue
        listed.add(name)
        lines.append(f"switched off {name} ({listed.path}); to undo: b2b plugins enable {name}")
    listed.save()
    return lines


def switch_on(said: Sequence[str]) -> list[str]:
    """Take plugins out of `[plugins] disable`; return what was done, a line for each.

    A plugin that is uninstalled by now can be taken out too.

    Raises:
        UsageError: if one is neither installed nor listed, with the closest name; nothing is
            written then.
        B2bError: if the file cannot be written.
    """
    here = [one.name for one in installed()]
    listed = DisabledList(user_file())
    lines: list[str] = []
    for name in _meant(said, [*here, *map(normalised, listed.names)]):
        mine = [entry for entry in listed.names if means(entry, name)]
        listed.remove(mine)
        done = f"switched on {name}" if mine else f"{name} is not off"
        lines.append(f"{done} ({listed.path})")
        lines += [f"mind: it stays off, {why}" for why in _elsewhere(name, here)]
    listed.save()
    return lines


def _meant(said: Sequence[str], known: Collection[str]) -> list[str]:
    """Return the distributions that people's names mean, each once."""
    meant: dict[str, None] = {}
    for one in said:
        if normalised(one) == CORE:
            raise UsageError("the core cannot be switched off")
        # an entry of the file may leave the prefix out; the installed name comes first
        matches = [name for name in known if means(one, name) or means(name, one)]
        if not matches:
            mend = suggestion(one, [n.removeprefix(PREFIX) for n in known] + list(known),
                              none="none is installed")  # fmt: skip
            raise UsageError(f"there is no plugin '{one}'", mend=mend)
        meant[matches[0]] = None
    return list(meant)


def _elsewhere(name: str, here: Collection[str]) -> list[str]:
    """Return why a plugin is off by other means than the user's file."""
    project = Path(FILE)
    # what is wrong with other files and variables is told by the commands that need them
    with contextlib.suppress(UsageError):
        switches = switches_of_environment()
        if project.is_file():
            switches = switches.with_table(read_toml(project), str(project.absolute()))
        why = switches.off(here).get(name)
        return [why] if why else []
    return []

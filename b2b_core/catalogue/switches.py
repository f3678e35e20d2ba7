"""Which plugins may load, and which one a bare name means: decided before anything is imported."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from attrs import evolve, field, frozen

from b2b_core.errors import UsageError
from b2b_core.names import PREFIX, means, suggestion
from b2b_core.narrowing import is_table
from b2b_core.specs import HOOK_OF_KIND

#: Comma-separated list of the only plugins to load, or "none"; unset or empty means all.
ONLY = "B2B_PLUGINS"
#: Set to 1, a plugin that fails is not listed as broken: its error is raised, with its traceback.
STRICT = "B2B_STRICT_PLUGINS"
#: Seconds after which the import of a plugin is given up.
TIME_LIMIT = "B2B_PLUGIN_SECONDS"


@frozen(kw_only=True)
class Switches:
    """What a command, its configuration and the environment say about plugins."""

    #: Distribution, with or without `b2b-plugin-` -> who switched it off.
    disabled: Mapping[str, str] = field(factory=dict[str, str])
    #: The only distributions to load, or None for all.
    only: tuple[str, ...] | None = None
    #: Files of Python that are loaded as plugins; named by the command, never found.
    files: tuple[Path, ...] = ()
    #: "kind.name" -> the distribution that a bare name means.
    resolve: Mapping[str, str] = field(factory=dict[str, str])
    #: Raise a plugin's error instead of listing it.
    strict: bool = False
    #: Seconds that the import of one plugin may take.
    seconds: float = 10.0

    def off(self, names: Collection[str]) -> dict[str, str]:
        """Return which of the installed distributions `names` are off -> why.

        Raises:
            UsageError: if a plugin that is not installed is named.
        """
        off: dict[str, str] = {}
        if self.only is not None:
            kept = {match for said in self.only for match in _matches(said, names, ONLY)}
            off = {name: f"not in {ONLY}" for name in names if name not in kept}
        for said, why in self.disabled.items():
            # a preference may outlive the plugin; a name on the command line is a misspelling
            lasting = not why.startswith("-p")
            off |= dict.fromkeys(_matches(said, names, lenient=lasting), f"switched off by {why}")
        return off

    def with_table(self, data: Mapping[str, Any], source: str) -> Switches:
        """Return these switches with the tables `[plugins]` and `[resolve]` of a file added.

        Raises:
            UsageError: if they do not have the form of `disable = ["NAME"]`, `kind.name = "DIST"`.
        """
        plugins, resolve = data.get("plugins", {}), data.get("resolve", {})
        return evolve(
            self,
            disabled={**self.disabled, **_disabled(plugins, source)},
            resolve={**self.resolve, **_resolved(resolve, source)},
        )


def switches_of_environment() -> Switches:
    """Return what the environment says."""
    chosen = os.environ.get(ONLY, "").strip()
    names = tuple(name for name in chosen.split(",") if name.strip())
    return Switches(
        only=None if not chosen else () if chosen == "none" else names,
        strict=os.environ.get(STRICT, "") == "1",
        seconds=_seconds(os.environ.get(TIME_LIMIT, "").strip()),
    )


def _seconds(text: str) -> float:
    try:
        seconds = float(text or 10)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise UsageError(f"'{text}' is no number of seconds", where=TIME_LIMIT)
    return seconds


def _disabled(value: object, source: str) -> dict[str, str]:
    table = _table(value, '[plugins] is not like disable = ["NAME"]', source)
    names = table.get("disable", [])
    if set(table) - {"disable"} or not isinstance(names, list):
        raise UsageError('[plugins] is not like disable = ["NAME"]', where=source)
    said = [str(name) for name in cast("list[object]", names)]
    return {name: f"[plugins] in {source}" for name in said if name.strip()}


def _resolved(value: object, source: str) -> dict[str, str]:
    form = '[resolve] is not like translator.unet = "DISTRIBUTION"'
    flat: dict[str, str] = {}
    for kind, names in _table(value, form, source).items():
        if kind not in HOOK_OF_KIND:
            mend = suggestion(kind, HOOK_OF_KIND)
            raise UsageError(f"[resolve] names no kind '{kind}'", where=source, mend=mend)
        for name, distribution in _table(names, form, source).items():
            if not isinstance(distribution, str) or not distribution.strip():
                raise UsageError(form, where=source)
            flat[f"{kind}.{name}"] = distribution
    return flat


def _table(value: object, form: str, source: str) -> Mapping[str, object]:
    if not is_table(value):
        raise UsageError(form, where=source)
    return value


def _matches(
    said: str, names: Collection[str], where: str | None = None, *, lenient: bool = False
) -> Iterable[str]:
    matches = [name for name in names if means(said, name)]
    if not matches and not lenient:
        short = [name.removeprefix(PREFIX) for name in names]
        mend = suggestion(said, [*short, *names], none="no plugin is installed")
        raise UsageError(f"there is no plugin '{said.strip()}'", where=where, mend=mend)
    return matches

"""The JSON of `b2b list-plugins`; imports no click, so that its plain form can go without it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from b2b_core import API, __version__

if TYPE_CHECKING:
    from b2b_core.catalogue import Plugin

#: Version of the JSON output; raised when a key changes its meaning or goes.
SCHEMA = 1


def list_at_once() -> None:
    """Do what `b2b list-plugins --json` does."""
    from b2b_core.catalogue import discover
    from b2b_core.preferences import preferred_switches

    write_listing(discover(preferred_switches()).plugins)


def write_listing(plugins: Sequence[Plugin], kind: str | None = None) -> None:
    """Write the listing to standard output; with `kind`, only components of that kind."""
    import json

    sys.stdout.write(json.dumps(document(plugins, kind), indent=2) + "\n")


def document(plugins: Sequence[Plugin], kind: str | None = None) -> dict[str, object]:
    """Return the listing as plain data; with `kind`, only components of that kind."""
    return {**head(), "plugins": [plugin_document(plugin, kind) for plugin in plugins]}


def head() -> dict[str, object]:
    """Return the keys that every JSON output about plugins begins with."""
    return {"schema": SCHEMA, "core": __version__, "api": API}


def plugin_document(plugin: Plugin, kind: str | None = None) -> dict[str, object]:
    """Return one plugin as plain data."""
    return {
        "name": plugin.distribution,
        "version": plugin.version,
        "state": plugin.state,
        "cause": plugin.cause,
        "mend": plugin.mend,
        "summary": plugin.summary,
        "licence": plugin.licence,
        "origin": plugin.origin,
        "url": plugin.url,
        "requirement": plugin.requirement,
        "core_range": plugin.core_range,
        "sha256": plugin.sha256,
        "components": {k: list(n) for k, n in plugin.components.items() if kind in (None, k)},
    }

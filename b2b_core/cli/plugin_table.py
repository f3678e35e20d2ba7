"""The table of `b2b list-plugins`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from b2b_core.cli.tables import Cell, show_table

if TYPE_CHECKING:
    from b2b_core.catalogue import Plugin

COLUMNS = ("name", "version", "state", "components", "licence", "origin", "remarks")
#: State -> style on a terminal.
COLOURS = {
    "ok": "green",
    "unlisted": "green",
    "local": "cyan",
    "disabled": "dim",
    "conflict": "yellow",
    "name-mismatch": "yellow",
    "incompatible": "red",
    "broken": "red",
}


def show_plugins(plugins: Sequence[Plugin], kind: str | None = None) -> None:
    """Print the plugins; with `kind`, only components of that kind."""
    if plugins:
        rows = [_row(plugin, kind) for plugin in plugins]
        show_table(COLUMNS, rows, colours=COLOURS, fixed=("name", "version", "state"))
    else:
        offering = f" that works offers a {kind}" if kind else " is installed"
        click.echo(f"no plugin{offering}")


def _row(plugin: Plugin, kind: str | None) -> Sequence[Cell]:
    components = [
        f"{k}: {', '.join(names)}" for k, names in plugin.components.items() if kind in (None, k)
    ]
    return (
        plugin.distribution,
        plugin.version,
        plugin.state,
        components,
        plugin.licence,
        plugin.origin,
        (plugin.cause, plugin.mend),
    )

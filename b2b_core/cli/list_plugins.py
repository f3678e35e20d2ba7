"""`b2b list-plugins`: what is installed, in what state, and what mends it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

import click

from b2b_core import API, __version__
from b2b_core.catalogue import Plugin
from b2b_core.cli.options import catalogue_from
from b2b_core.specs import HOOK_OF_KIND

#: Version of the JSON output; raised when a key changes its meaning or goes.
SCHEMA = 1
COLUMNS = ("name", "version", "state", "components", "licence", "remarks")


@click.command("list-plugins")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--kind", type=click.Choice(list(HOOK_OF_KIND)), help="Only components of a kind.")
@click.pass_context
def command(ctx: click.Context, as_json: bool, kind: str | None) -> None:
    """List the installed plugins with their states and components.

    A plugin that cannot be loaded is listed with the cause and what mends it.
    """
    plugins = [p for p in catalogue_from(ctx).plugins if kind is None or kind in p.components]
    if as_json:
        click.echo(json.dumps(_document(plugins, kind), indent=2))
    elif not plugins:
        offering = f" that works offers a {kind}" if kind else " is installed"
        click.echo(f"no plugin{offering}")
    elif sys.stdout.isatty():
        _print_table([_row(plugin, kind) for plugin in plugins])
    else:
        click.echo(_aligned([COLUMNS, *(_row(plugin, kind) for plugin in plugins)]))


def _components(plugin: Plugin, kind: str | None) -> dict[str, list[str]]:
    return {k: list(names) for k, names in plugin.components.items() if kind in (None, k)}


def _document(plugins: Sequence[Plugin], kind: str | None) -> dict[str, object]:
    return {
        "schema": SCHEMA,
        "core": __version__,
        "api": API,
        "plugins": [
            {
                "name": plugin.distribution,
                "version": plugin.version,
                "state": plugin.state,
                "cause": plugin.cause,
                "mend": plugin.mend,
                "licence": plugin.licence,
                "origin": plugin.origin,
                "components": _components(plugin, kind),
            }
            for plugin in plugins
        ],
    }


def _row(plugin: Plugin, kind: str | None) -> tuple[str, ...]:
    components = (f"{k}: {', '.join(names)}" for k, names in _components(plugin, kind).items())
    origin = "" if plugin.origin == "index" else plugin.origin
    remarks = "; ".join(filter(None, (plugin.cause, plugin.mend, origin)))
    return (
        plugin.distribution,
        plugin.version,
        plugin.state,
        "; ".join(components),
        plugin.licence,
        remarks,
    )


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True))
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    colours = {"ok": "green", "unlisted": "green", "disabled": "dim"}
    table = Table(box=None, pad_edge=False)
    for column in COLUMNS:
        table.add_column(column, overflow="fold", no_wrap=column in ("name", "version", "state"))
    for row in rows:
        cells = [Text(cell.replace("; ", "\n")) for cell in row]
        cells[2].stylize(colours.get(row[2], "red"))
        table.add_row(*cells)
    Console().print(table)

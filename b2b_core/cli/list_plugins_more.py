"""What `b2b list-plugins` can do beside listing: details, what is available, check, freeze."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import attrs
import click

from b2b_core.cli.listing import head, plugin_document
from b2b_core.cli.options import Everywhere, catalogue_from, switches_from
from b2b_core.cli.tables import printable, show_table
from b2b_core.describe.available import Available, available_document
from b2b_core.describe.available import available as could_be_installed
from b2b_core.registry import load_registry

if TYPE_CHECKING:
    from b2b_core.catalogue import Catalogue, Plugin
    from b2b_core.health.check import Check


def details(ctx: click.Context, kind: str | None, *, as_json: bool) -> int:
    """Print the plugins with all that is known of their components."""
    from b2b_core.cli.show_text import show_plugin

    catalogue = catalogue_from(ctx)
    plugins = [p for p in catalogue.plugins if kind is None or kind in p.components]
    rows = [detailed(plugin, catalogue, kind) for plugin in plugins]
    if as_json:
        click.echo(json.dumps({**head(), "plugins": rows}, indent=2))
    else:
        for row in rows:
            show_plugin(row)
    return 0


def detailed(plugin: Plugin, catalogue: Catalogue, kind: str | None = None) -> dict[str, object]:
    """Return a plugin as plain data, with its components under `details`."""
    from b2b_core.describe.component import component_document

    mine = [offer for offer in catalogue.offers if offer.distribution == plugin.distribution]
    details = [component_document(o, catalogue) for o in mine if kind in (None, o.spec.kind)]
    return {**plugin_document(plugin, kind), "details": details}


def available(ctx: click.Context, kind: str | None, *, as_json: bool) -> int:
    """Print what the index knows and is not installed; imports no plugin."""
    del ctx
    from b2b_core.catalogue.metadata import installed

    found = could_be_installed(load_registry(), [one.name for one in installed()], kind)
    if as_json:
        document = {**head(), "available": [available_document(one) for one in found]}
        click.echo(json.dumps(document, indent=2))
    elif found:
        columns = ("name", "components", "licence", "to install it")
        rows = [(o.distribution, _offered(o), o.licences, o.install) for o in found]
        show_table(columns, rows, fixed=("name",))
    else:
        click.echo("all that the index knows is installed")
    return 0


def _offered(one: Available) -> list[str]:
    kinds = {row.kind: [r.name for r in one.components if r.kind == row.kind] for row in
             one.components}  # fmt: skip
    weights = [row.name for row in one.weights]
    lines = [f"{kind}: {', '.join(names)}" for kind, names in kinds.items()]
    return [*lines, f"weights: {', '.join(weights)}"] if weights else lines


def check(ctx: click.Context, seconds: float, *, as_json: bool) -> int:
    """Import each plugin in a process of its own; return 1 if one has to be mended."""
    from b2b_core.catalogue.metadata import installed
    from b2b_core.health.check import check_plugins

    switches = switches_from(ctx)
    width = max((len(one.name) for one in installed()), default=0)
    checks: list[Check] = []
    for one in check_plugins(switches, seconds):
        checks.append(one)
        if not as_json:
            _say(one, width)
    if as_json:
        document = {**head(), "checks": [attrs.asdict(one) for one in checks]}
        click.echo(json.dumps(document, indent=2))
    elif not checks:
        click.echo("no plugin is installed")
    return 0 if all(one.good for one in checks) else 1


def _say(one: Check, width: int) -> None:
    """Print one line as soon as it is known: the next plugin may take its time."""
    colour = "green" if one.outcome == "ok" else "yellow" if one.good else "red"
    remarks = "; ".join(filter(None, (printable(one.cause), printable(one.mend))))
    seconds = f"{one.seconds:.2f} s" if one.seconds else ""
    outcome = click.style(f"{one.outcome:12}", fg=colour)
    click.echo(f"{one.name:{width}}  {outcome}  {seconds:>7}  {remarks}".rstrip())


def freeze(ctx: click.Context) -> int:
    """Print the lines of a requirements file; imports no plugin."""
    from b2b_core.catalogue.local import local_file
    from b2b_core.catalogue.metadata import installed

    for line in sorted(one.origin.requirement for one in installed()):
        click.echo(line)
    for file in map(local_file, (ctx.find_object(Everywhere) or Everywhere()).plugin_files):
        click.echo(f"# --plugin-file {file.path}  sha256:{file.sha256}")
    return 0

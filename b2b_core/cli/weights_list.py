"""`b2b weights list`: what is published, under which terms, and what is at hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from b2b_core.cli.kinds import kind_option
from b2b_core.cli.options import catalogue_from

if TYPE_CHECKING:
    from b2b_core.registry import Figures, WeightsRow
    from b2b_core.weights.inventory import Holding

#: Version of the JSON output; raised when a key changes its meaning or goes.
SCHEMA = 1
COLUMNS = ("name", "component", "state", "size", "licence", "trained on", "published", "from")
COLOURS = {
    "installed": "green",
    "imported": "green",
    "cached": "green",
    "damaged": "red",
    "needs acceptance": "yellow",
}


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@kind_option
@click.option("--all", "everything", is_flag=True, help="Also those no installed plugin can use.")
@click.pass_context
def command(ctx: click.Context, as_json: bool, kind: str | None, everything: bool) -> None:
    """List published weights: those that the installed plugins can use, or --all of the index."""
    held = _holdings(ctx, kind, everything=everything)
    if as_json:
        import json

        document = {"schema": SCHEMA, "weights": [_document(one) for one in held]}
        click.echo(json.dumps(document, indent=2))
    elif held:
        from b2b_core.cli.tables import show_table

        show_table(COLUMNS, [_cells(one) for one in held], colours=COLOURS, fixed=COLUMNS[:1])
    else:
        click.echo("no weights are known for what is installed; see --all")


def _holdings(ctx: click.Context, kind: str | None, *, everything: bool) -> list[Holding]:
    from b2b_core.registry import load_registry
    from b2b_core.weights import accepted
    from b2b_core.weights.inventory import holding

    catalogue, acceptance = catalogue_from(ctx), accepted()
    usable = {(offer.spec.kind, offer.spec.name) for offer in catalogue.offers}
    return [
        holding(row, catalogue, acceptance)
        for row in load_registry().weights
        if kind in (None, row.kind) and (everything or (row.kind, row.component) in usable)
    ]


def _cells(held: Holding) -> tuple[str | Sequence[str], ...]:
    row = held.row
    return (
        row.name,
        f"{row.kind} {row.component}",
        held.state,
        readable_size(held.bytes),
        row.licence,
        row.trained_on,
        [_numbers(figures) for figures in row.metrics],
        [_origin(row), "" if row.source_file == "b2b-core" else row.source_file],
    )


def _numbers(figures: Figures) -> str:
    values = ", ".join(f"{name} {value:g}" for name, value in figures.figures.items())
    return f"{values} ({figures.protocol})"


def _origin(row: WeightsRow) -> str:
    """Return where the file comes from: a plugin or hosts; `b2b show NAME` has the addresses."""
    if row.distribution:
        return row.distribution
    hosts = dict.fromkeys(urlsplit(url).hostname or "" for url in row.urls)
    return ", ".join(hosts) or f"by hand, {urlsplit(row.source or '').hostname}"


def readable_size(length: int | None) -> str:
    """Return a length in bytes as people read it: "4.4 MB"; a dash if it is not known."""
    if length is None:
        return "–"
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if length >= size:
            return f"{length / size:.1f} {unit}"
    return f"{length} B"


def _document(held: Holding) -> dict[str, object]:
    row, pin = held.row, held.pin
    return {
        "name": row.name,
        "kind": row.kind,
        "component": row.component,
        "summary": row.summary,
        "state": held.state,
        "path": str(held.path) if held.path else None,
        "bytes": held.bytes,
        "format": row.format,
        "licence": row.licence,
        "free_for_commercial_use": row.free_for_commercial_use,
        "trained_on": row.trained_on,
        "metrics": [
            {"protocol": one.protocol, "figures": dict(one.figures)} for one in row.metrics
        ],
        "distribution": row.distribution,
        "urls": list(row.urls),
        "source": row.source,
        "sha256": row.sha256 or (pin.sha256 if pin else None),
        "pinned": pin.date if pin else None,
        "source_file": row.source_file,
    }

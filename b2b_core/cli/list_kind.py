"""`b2b list KIND`: the components of a kind."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from b2b_core.cli.kinds import to_kind
from b2b_core.cli.options import catalogue_from
from b2b_core.cli.tables import Cell, show_table

if TYPE_CHECKING:
    from b2b_core.catalogue import Catalogue

#: Version of the JSON output; raised when a key changes its meaning or goes.
SCHEMA = 1
Document = dict[str, Any]


@click.command("list")
@click.argument("kind", callback=to_kind, required=False)
@click.option("--available", is_flag=True, help="Also those that could be installed.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def command(ctx: click.Context, kind: str | None, available: bool, as_json: bool) -> None:
    """List the components of KIND, such as translator or domains; without KIND, of all kinds.

    The one that is taken if nothing is said is marked with *.
    """
    catalogue = catalogue_from(ctx)
    document = {
        "schema": SCHEMA,
        "kind": kind,
        "components": _components(catalogue, kind),
        "available": _available(catalogue, kind) if available else [],
    }
    if as_json:
        click.echo(json.dumps(document, indent=2))
    else:
        _print(document)


def _components(catalogue: Catalogue, kind: str | None) -> list[Document]:
    from b2b_core.describe.component import summary_document
    from b2b_core.specs import HOOK_OF_KIND

    kinds = list(HOOK_OF_KIND)
    offers = [offer for offer in catalogue.offers if kind in (None, offer.spec.kind)]
    offers.sort(key=lambda offer: kinds.index(offer.spec.kind))
    return [summary_document(offer, catalogue) for offer in offers]


def _available(catalogue: Catalogue, kind: str | None) -> list[Document]:
    """Return what the index knows and no plugin here offers, with the reason and the mend."""
    from b2b_core.describe.published import missing_document
    from b2b_core.registry import load_registry

    here = {(offer.spec.kind, offer.spec.name) for offer in catalogue.offers}
    rows = [row for row in load_registry().component if kind in (None, row.kind)]
    absent = [row for row in rows if (row.kind, row.name) not in here]
    return [missing_document(row, catalogue.plugins) for row in absent]


def _print(document: Document) -> None:
    rows = [_row(one) for key in ("components", "available") for one in document[key]]
    if not rows:
        kind = document["kind"] or "component"
        click.echo(f"no plugin that works offers a {kind}; see b2b list-plugins")
        return
    if document["kind"]:
        rows = [row[1:] for row in rows]
    columns = ("kind", "name", "distribution", "licence", "summary", "remarks")
    show_table(columns[-len(rows[0]) :], rows, fixed=("kind", "name"), optional=("remarks",))


def _row(one: Document) -> Sequence[Cell]:
    remarks = [] if one["state"] in ("ok", "local") else [one["state"], one.get("mend", "")]
    return (
        one["kind"],
        f"{one['name']} *" if one.get("default") else one["name"],
        one["distribution"],
        one["licence"],
        one["summary"],
        remarks,
    )

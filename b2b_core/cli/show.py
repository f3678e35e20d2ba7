"""`b2b show NAME`: all that is known of a component, a plugin or published weights."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from b2b_core.cli.kinds import kind_option
from b2b_core.cli.options import catalogue_from

if TYPE_CHECKING:
    from b2b_core.catalogue import Catalogue
    from b2b_core.describe.search import Matches

#: Version of the JSON output; raised when a key changes its meaning or goes.
SCHEMA = 1

Document = dict[str, Any]


@click.command()
@click.argument("name")
@kind_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--example", is_flag=True, help="Print only the section for b2b adapt --config.")
@click.pass_context
def command(ctx: click.Context, name: str, kind: str | None, as_json: bool, example: bool) -> None:
    """Show what NAME means: settings, size rule, weights, licence, citation, an example.

    NAME is a component (of every kind that has one of that name), DISTRIBUTION:COMPONENT, a
    distribution, or published weights such as unet.gopro.
    """
    from b2b_core.describe.search import find

    if example and as_json:
        raise click.UsageError("--example does not go with --json", ctx)
    catalogue = catalogue_from(ctx)
    document = _document(name, find(name, kind, catalogue), catalogue)
    if as_json:
        click.echo(json.dumps(document, indent=2))
    elif example:
        _example(name, document)
    else:
        _text(document)


def _document(name: str, found: Matches, catalogue: Catalogue) -> Document:
    """Return all that the name means as plain data."""
    from b2b_core.cli.list_plugins_more import detailed
    from b2b_core.describe.component import component_document
    from b2b_core.describe.published import missing_document, weights_document

    return {
        "schema": SCHEMA,
        "name": name,
        "components": [component_document(offer, catalogue) for offer in found.components],
        "plugins": [detailed(plugin, catalogue) for plugin in found.plugins],
        "weights": [weights_document(row, catalogue) for row in found.weights],
        "missing": [missing_document(row, catalogue.plugins) for row in found.missing],
    }


def _text(document: Document) -> None:
    from b2b_core.cli import show_text

    for one in document["components"]:
        show_text.show_component(one)
    for one in document["plugins"]:
        show_text.show_plugin(one)
    for one in document["weights"]:
        show_text.show_weights(one)
    for one in document["missing"]:
        show_text.show_missing(one)


def _example(name: str, document: Document) -> None:
    """Print the sections alone, fit for a file.

    Raises:
        UsageError: if no kind of that name is chosen by a section, or one section by two of them.
    """
    from b2b_core.errors import UsageError

    having = [one for one in document["components"] if one["example"]]
    if not having:
        raise UsageError(f"a configuration has no section for '{name}'")
    if len({one["kind"] for one in having}) < len(having):
        claims = " or ".join(f"'{one['distribution']}:{one['name']}'" for one in having)
        raise UsageError(f"several plugins offer '{name}'", mend=f"say {claims}")
    click.echo("\n".join(one["example"] for one in having), nl=False)

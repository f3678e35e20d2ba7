"""`b2b weights fetch`: have the files before they are needed."""

from __future__ import annotations

import click

from b2b_core.cli.options import catalogue_from


@click.command("fetch")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option(
    "--accept-licence",
    "licences",
    metavar="LICENCE",
    multiple=True,
    help="Accept a licence, named as the listing prints it. May be repeated.",
)
@click.option("--offline", is_flag=True, help="Fetch nothing; only tell what is at hand.")
@click.pass_context
def command(
    ctx: click.Context, names: tuple[str, ...], licences: tuple[str, ...], offline: bool
) -> None:
    """Fetch published weights, check them and print where they are.

    Weights that are not free for commercial use are fetched only if their licence is accepted: by
    --accept-licence, by B2B_ACCEPT_LICENCE, or by [licences] in your own b2b.toml.
    """
    from b2b_core.weights import accepted, resolve_weights

    catalogue, acceptance = catalogue_from(ctx), accepted(*licences)
    for name in names:
        click.echo(str(resolve_weights(name, catalogue, offline, acceptance)))

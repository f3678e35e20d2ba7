"""`b2b plugins disable | enable`: switch a plugin off for good, without importing any."""

from __future__ import annotations

import click

NAMES = click.argument("names", metavar="NAME...", nargs=-1, required=True)


@click.group()
def command() -> None:
    """Switch plugins off and on; works whatever is wrong with them."""


@command.command()
@NAMES
def disable(names: tuple[str, ...]) -> None:
    """Switch plugins off for good: from now on nothing of them is imported.

    NAME is a distribution; b2b-plugin- may be left out.
    """
    from b2b_core.switching import switch_off

    for line in switch_off(names):
        click.echo(line)


@command.command()
@NAMES
def enable(names: tuple[str, ...]) -> None:
    """Switch plugins on again."""
    from b2b_core.switching import switch_on

    for line in switch_on(names):
        click.echo(line)

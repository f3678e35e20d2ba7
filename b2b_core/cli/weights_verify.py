"""`b2b weights verify`: whether the files at hand still are the published ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from b2b_core.cli.options import catalogue_from

if TYPE_CHECKING:
    from b2b_core.weights.inventory import Holding

#: States of weights that have a file.
AT_HAND = ("installed", "imported", "cached", "damaged")


@click.command("verify")
@click.argument("names", nargs=-1, metavar="[NAME...]")
@click.pass_context
def command(ctx: click.Context, names: tuple[str, ...]) -> int:
    """Hash the files of published weights again: those named, or all that are at hand.

    Ends with 1 if a file is damaged, and says how to replace it.
    """
    from b2b_core.weights.inventory import fault_in, mend_of

    damaged = 0
    for held in _at_hand(ctx, names):
        fault = fault_in(held)
        damaged += bool(fault)
        if fault:
            click.echo(f"damaged  {held.row.name}: {fault} ({held.path}); {mend_of(held)}")
        else:
            click.echo(f"{_verdict(held)}  {held.row.name}: {held.path}")
    return 1 if damaged else 0


def _at_hand(ctx: click.Context, names: Sequence[str]) -> list[Holding]:
    """Return what is there of the named weights, or of all.

    Raises:
        UsageError: if named weights are unknown, or not at hand.
    """
    from b2b_core.errors import UsageError
    from b2b_core.names import suggestion
    from b2b_core.registry import load_registry
    from b2b_core.weights import accepted
    from b2b_core.weights.inventory import holding

    catalogue, acceptance, index = catalogue_from(ctx), accepted(), load_registry()
    known = [row.name for row in index.weights]
    for name in names:
        if name not in known:
            raise UsageError(f"there are no weights '{name}'", mend=suggestion(name, known))
    held = [
        holding(row, catalogue, acceptance)
        for row in index.weights
        if not names or row.name in names
    ]
    present = [one for one in held if one.state in AT_HAND]
    if names and len(present) < len(held):
        absent = next(one for one in held if one not in present)
        raise UsageError(
            f"the weights '{absent.row.name}' are not at hand: {absent.state}",
            mend=f"b2b weights fetch {absent.row.name}",
        )
    return present


def _verdict(held: Holding) -> str:
    """Return what is known of a file that shows no fault."""
    if held.state == "imported":
        return "imported"
    if held.row.sha256:
        return "ok      "
    return "pinned  " if held.pin else "no hash "

"""`b2b weights`: published weights, listed, fetched and verified."""

from __future__ import annotations

import click

from b2b_core.cli.lazy import LazyGroup

#: Command -> (where it is, its line in the help).
COMMANDS = {
    "list": ("b2b_core.cli.weights_list:command", "List published weights and what is at hand."),
    "fetch": ("b2b_core.cli.weights_fetch:command", "Fetch weights into the cache."),
    "import": ("b2b_core.cli.weights_import:command", "Open a published file of weights."),
    "verify": ("b2b_core.cli.weights_verify:command", "Hash the files at hand again."),
}


@click.group("weights", cls=LazyGroup, lazy=COMMANDS)
def command() -> None:
    """List published weights, fetch them, open published files, verify the files at hand."""

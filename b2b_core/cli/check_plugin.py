"""`b2b check-plugin`: the conformance kit on installed plugins, without pytest."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from b2b_core.cli.kinds import kind_option
from b2b_core.cli.options import switches_from
from b2b_core.errors import UsageError

if TYPE_CHECKING:
    from b2b_core.testing import PluginReport


@click.command("check-plugin")
@click.argument("names", metavar="NAME...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Check all plugins that are not off.")
@click.option(
    "--level",
    metavar="N",
    type=click.IntRange(0, 3),
    default=2,
    show_default=True,
    help="Highest level: 0 static, 1 build, 2 behaviour, 3 published weights at hand.",
)
@kind_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--list", "listing", is_flag=True, help="List the checks instead.")
@click.pass_context
def command(
    ctx: click.Context,
    names: tuple[str, ...],
    everything: bool,
    level: int,
    kind: str | None,
    as_json: bool,
    listing: bool,
) -> int:
    """Check what installed plugins promise, and say how to mend what they do not keep.

    Level 2 runs every network on small pictures on the CPU, and strategies for a few steps. What
    a component needs and is not at hand, such as weights, is skipped and said; nothing is fetched.
    Exits with 1 if a check fails.
    """
    if listing:
        return _list_checks(kind)
    from b2b_core.testing import report

    reports = _checked(_chosen(ctx, names, everything=everything), level, kind)
    if as_json:
        click.echo(json.dumps(report.document(reports, level), indent=2))
    else:
        _show(reports)
    return 0 if all(one.passed for one in reports) else 1


def _chosen(ctx: click.Context, names: Sequence[str], *, everything: bool) -> list[str]:
    """Return the distributions to check, all of them installed."""
    from b2b_core.catalogue.metadata import installed
    from b2b_core.testing.cases import found_named

    if everything == bool(names):
        raise UsageError("say which plugins to check", mend="b2b check-plugin NAME, or --all")
    if names:
        return list(dict.fromkeys(found_named(name).name for name in names))
    present = [found.name for found in installed()]
    off = switches_from(ctx).off(present)
    return [name for name in present if name not in off]


def _checked(names: Sequence[str], level: int, kind: str | None) -> list[PluginReport]:
    """Check plugins; the progress is shown on stderr."""
    from b2b_core.progress import Progress
    from b2b_core.testing.report import check_plugins

    bars: list[Progress] = []
    with ExitStack() as stack:

        def show(done: int, total: int) -> None:
            if not bars:
                bars.append(stack.enter_context(Progress("checking", total)))
            bars[0].update(done)

        return check_plugins(names, range(level + 1), kind, progress=show)


def _list_checks(kind: str | None) -> int:
    from b2b_core.cli.tables import show_table
    from b2b_core.testing.report import check_rows

    show_table(("level", "check", "of", "what is checked"), check_rows(kind), fixed=("check",))
    return 0


def _show(reports: Sequence[PluginReport]) -> None:
    from b2b_core.cli.tables import printable, show_table
    from b2b_core.testing import report

    show_table(report.COLUMNS, report.table_rows(reports), fixed=report.COLUMNS)
    for line in report.remarks(reports):
        click.echo(printable(line))
    click.echo(report.summary(reports))

"""`b2b list-plugins`: what is installed, in what state, and what mends it."""

from __future__ import annotations

import click

from b2b_core.cli.kinds import kind_option
from b2b_core.cli.listing import write_listing
from b2b_core.cli.options import catalogue_from


@click.command("list-plugins")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@kind_option
@click.option("--details", is_flag=True, help="Tell all that is known of each component.")
@click.option("--available", is_flag=True, help="List what could be installed instead.")
@click.option("--check", is_flag=True, help="Import each plugin alone, in a process of its own.")
@click.option(
    "--seconds", metavar="N", type=click.FloatRange(0.1, 3600), default=20.0, show_default=True,
    help="With --check: how long one plugin may take.",
)  # fmt: skip
@click.option("--freeze", is_flag=True, help="Print requirements that give the same set back.")
@click.pass_context
def command(
    ctx: click.Context, as_json: bool, kind: str | None, details: bool, available: bool,
    check: bool, seconds: float, freeze: bool,
) -> int:  # fmt: skip
    """List the installed plugins with their states and components.

    A plugin that cannot be loaded is listed with the cause and what mends it. --check survives
    plugins that end or kill the process that imports them, and exits with 1 if one fails.
    """
    _refuse_contradictions(ctx)
    if check or freeze or available or details:
        # more than a listing needs is imported only where it is asked for
        from b2b_core.cli import list_plugins_more as more

        if check:
            return more.check(ctx, seconds, as_json=as_json)
        if freeze:
            return more.freeze(ctx)
        if available:
            return more.available(ctx, kind, as_json=as_json)
        return more.details(ctx, kind, as_json=as_json)
    plugins = [p for p in catalogue_from(ctx).plugins if kind is None or kind in p.components]
    if as_json:
        write_listing(plugins, kind)
    else:
        from b2b_core.cli.plugin_table import show_plugins

        show_plugins(plugins, kind)
    return 0


#: Options of which at most one can be given -> options that go with it.
_MODES = {
    "details": ("as_json", "kind"),
    "available": ("as_json", "kind"),
    "check": ("as_json", "seconds"),
    "freeze": (),
}


def _refuse_contradictions(ctx: click.Context) -> None:
    """Refuse options that do not go together; a flag that does nothing would mislead."""
    given = [name for name, value in ctx.params.items() if _said(ctx, name) and value]
    for mode in given:
        for other in given:
            if mode in _MODES and other != mode and other not in _MODES[mode]:
                raise click.UsageError(f"{_flag(mode)} does not go with {_flag(other)}", ctx)
    if "seconds" in given and "check" not in given:
        raise click.UsageError("--seconds goes with --check", ctx)


def _said(ctx: click.Context, name: str) -> bool:
    from click.core import ParameterSource

    return ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE


def _flag(name: str) -> str:
    return "--" + name.removeprefix("as_")

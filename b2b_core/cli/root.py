"""The top of the command line: options that hold for every command."""

from __future__ import annotations

import os
from pathlib import Path

import click

from b2b_core import __version__
from b2b_core.cli import COMMANDS
from b2b_core.cli.lazy import LazyGroup
from b2b_core.cli.options import Everywhere


def _names(_ctx: object, _option: object, values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        if not value.startswith("no:") or not value[3:].strip():
            raise click.BadParameter(f"'{value}' is not like no:NAME")
    return tuple(value[3:].strip() for value in values)


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="b2b", message="%(prog)s %(version)s")
@click.option(
    "-p",
    "disabled",
    metavar="no:NAME",
    multiple=True,
    callback=_names,
    help="Switch a plugin off; it is not even imported. May be repeated.",
)
@click.option(
    "--plugin-file",
    "plugin_files",
    metavar="FILE",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Load one file of Python as a plugin: it is executed. May be repeated.",
)
@click.option("--offline", is_flag=True, help="Fetch nothing (as B2B_OFFLINE=1 does).")
@click.option("-v", "--verbose", is_flag=True, help="Show debug messages.")
@click.pass_context
def root(
    ctx: click.Context, disabled: tuple[str, ...], plugin_files: tuple[Path, ...], offline: bool,
    verbose: bool,
) -> None:  # fmt: skip
    """Deblur pictures of a camera nobody has training pairs for."""
    ctx.obj = Everywhere(disabled=disabled, plugin_files=plugin_files, verbose=verbose)
    if offline:
        _go_offline(ctx)
    if verbose:
        from b2b_core.log import configure

        configure(verbose=True)


def _go_offline(ctx: click.Context) -> None:
    """Set the variable that all fetching obeys, until the command has ended."""
    from b2b_core.weights.resolve import OFFLINE

    former = os.environ.get(OFFLINE)
    os.environ[OFFLINE] = "1"

    def restore() -> None:
        if former is None:
            del os.environ[OFFLINE]
        else:
            os.environ[OFFLINE] = former

    ctx.call_on_close(restore)

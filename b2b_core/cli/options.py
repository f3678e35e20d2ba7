"""Options that several commands share, and how a command gets the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from attrs import frozen

if TYPE_CHECKING:
    from b2b_core.catalogue import Catalogue, Switches


@frozen(kw_only=True)
class Everywhere:
    """The options before the command: `b2b -p no:NAME -v COMMAND`."""

    disabled: tuple[str, ...] = ()
    plugin_files: tuple[Path, ...] = ()
    verbose: bool = False


def switches_from(ctx: click.Context, config: Mapping[str, Any] | None = None) -> Switches:
    """Return what environment, preferences, a run's configuration and the command line say.

    A later one wins. `config` is the content of a `--config` file, if there is one.

    Raises:
        UsageError: if one of them cannot be read.
    """
    from b2b_core.preferences import preferred_switches

    said = ctx.find_object(Everywhere) or Everywhere()
    return preferred_switches(config, said.disabled, said.plugin_files)


def catalogue_from(ctx: click.Context, config: Mapping[str, Any] | None = None) -> Catalogue:
    """Return the catalogue of the plugins that `switches_from` leaves on."""
    from b2b_core.catalogue import discover

    return discover(switches_from(ctx, config))


set_option = click.option(
    "--set",
    "overrides",
    metavar="KEY=VALUE",
    multiple=True,
    help="Set one setting, such as run.seed=3; wins over the file. May be repeated.",
)

config_option = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Settings as a TOML file.",
)

seed_option = click.option(
    "--seed", type=click.IntRange(min=0), help="Seed of all that is drawn; same seed, same run."
)

device_option = click.option(
    "--device", default="auto", show_default=True, help='"auto", "cpu", "cuda" or "cuda:N".'
)

CommandT = TypeVar("CommandT", bound=Callable[..., object])


def device_options(command: CommandT) -> CommandT:
    """Add `--device` and `--precision`; None where the user leaves the choice to the settings."""
    precision = click.option(
        "--precision",
        type=click.Choice(["auto", "bf16", "float32"]),
        help="Number format (default: auto, bf16 where the hardware is made for it).",
    )
    device = click.option("--device", help='"auto" (the default), "cpu", "cuda" or "cuda:N".')
    return device(precision(command))

"""`--domain`, `--domain-root` and `--domain-option`: the known domain of a command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

CommandT = TypeVar("CommandT", bound=Callable[..., object])


def domain_options(command: CommandT) -> CommandT:
    """Add the three options: `domain`, `domain_root` or None, and `domain_option`, texts KEY=VALUE.

    `read_domain_options` makes settings of the texts.
    """
    name = click.option("--domain", metavar="NAME", required=True, help="The known domain.")
    root = click.option(
        "--domain-root",
        metavar="DIR",
        type=click.Path(path_type=Path),
        help="Where its pairs lie.",
    )
    option = click.option(
        "--domain-option",
        metavar="KEY=VALUE",
        multiple=True,
        help="Set one option of the domain (b2b show NAME lists them). May be repeated.",
    )
    return name(root(option(command)))


def read_domain_options(texts: tuple[str, ...]) -> dict[str, object]:
    """Return the options of a domain; values are read as those of `--set`.

    Raises:
        UsageError: if one is not KEY=VALUE.
    """
    from b2b_core.config import apply_overrides

    return apply_overrides({}, texts)

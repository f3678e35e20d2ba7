"""Options of the commands that run a camera profile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from b2b_core.cli.options import device_option

CommandT = TypeVar("CommandT", bound=Callable[..., Any])


def pipeline_options(command: CommandT) -> CommandT:
    """Add `--device`, `--precision`, `--tile` and `--compile`, in this order."""
    compiled = click.option(
        "--compile",
        "compiled",
        is_flag=True,
        help="Compile the networks with torch.compile, once for every size of picture or tile.",
    )
    tile = click.option(
        "--tile",
        type=int,
        metavar="PIXELS",
        help="Side of tiles (default: the whole picture, or what memory allows).",
    )
    precision = click.option(
        "--precision",
        type=click.Choice(["auto", "bf16", "float32"]),
        default="auto",
        show_default=True,
        help="Number format; auto is bf16 where the hardware is made for it.",
    )
    return device_option(precision(tile(compiled(command))))

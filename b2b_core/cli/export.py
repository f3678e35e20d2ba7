"""`b2b export`: a camera profile or a deblurrer as an ONNX file."""

from __future__ import annotations

import re
from pathlib import Path

import click

from b2b_core.cli.options import catalogue_from
from b2b_core.errors import UsageError


def _size(_ctx: object, _option: object, text: str | None) -> tuple[int, int] | None:
    """Return height and width of `1280x720`."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d+)x(\d+)", text)
    if not found:
        raise click.BadParameter(f"'{text}' is not like 1280x720")
    return int(found[2]), int(found[1])


@click.command()
@click.argument("profile", type=click.Path(path_type=Path))
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="The ONNX file.")
@click.option(
    "--part",
    type=click.Choice(["all", "translator", "deblurrer"]),
    default="all",
    show_default=True,
    help="What to export.",
)
@click.option("--size", metavar="WxH", callback=_size, help="For pictures of this size only.")
@click.option("--overwrite", is_flag=True, help="Replace the file if it is there.")
@click.pass_context
def command(
    ctx: click.Context, profile: Path, out: Path, part: str, size: tuple[int, int] | None,
    overwrite: bool,
) -> None:  # fmt: skip
    """Write PROFILE, or a deblurrer by name or file, as ONNX for other runtimes.

    The network takes `image`, float32 (1, 3, H, W), RGB in [0, 1], and gives `restored`, the same
    shape. Height and width are free multiples of what the networks need. The file is compared
    with PyTorch before it is written.
    """
    if out.exists() and not overwrite:
        raise UsageError("the file is there already", where=out, mend="add --overwrite")
    from b2b_core.export.profile import export_profile

    checked, properties = export_profile(profile, out, catalogue_from(ctx), part=part, fixed=size)
    sizes = ", ".join(f"{width}x{height}" for height, width in checked.sizes)
    click.echo(f"checked in onnxruntime on pictures of {sizes}: ", nl=False)
    click.echo(f"largest difference from PyTorch {checked.difference:.1e}")
    click.echo(f"sizes: {properties['b2b.sizes']}")
    click.echo(f"written: {out} ({out.stat().st_size / 1e6:.1f} MB)")

"""`b2b deblur`: a camera profile and pictures in, deblurred pictures out."""

from __future__ import annotations

from pathlib import Path

import click

from b2b_core.cli.options import catalogue_from
from b2b_core.cli.pipeline_options import pipeline_options
from b2b_core.errors import B2bError

ANYTHING = click.Path(path_type=Path)


@click.command()
@click.argument("profile", type=ANYTHING)
@click.argument("inputs", metavar="INPUT...", type=ANYTHING, nargs=-1, required=True)
@click.option("-o", "--out", type=ANYTHING, required=True, help="Folder of the results.")
@pipeline_options
@click.option("--suffix", default="", metavar="TEXT", help='Added to names, such as "-sharp".')
@click.option("--overwrite", is_flag=True, help="Replace results that are there already.")
@click.pass_context
def command(
    ctx: click.Context, profile: Path, inputs: tuple[Path, ...], out: Path, device: str,
    precision: str, tile: int | None, compiled: bool, suffix: str, overwrite: bool,
) -> None:  # fmt: skip
    """Deblur pictures with the camera PROFILE that `b2b adapt` wrote.

    Instead of a profile, the weights of a deblurrer can be named (a network file, a published file
    such as NAFNet-GoPro-width32.pth, or a name such as unet.gopro); there is no translator then.

    INPUT is a picture or a folder; a folder's tree is kept below OUT. Format, bit depth, colour
    profile, EXIF and opacity stay those of the input.
    """
    from b2b_core.inference.outputs import plan
    from b2b_core.inference.restore import open_pipeline, restore_all

    tasks = plan(inputs, out, suffix=suffix, overwrite=overwrite)
    pipeline = open_pipeline(
        profile, catalogue_from(ctx), device=device, precision=precision, tile=tile,
        compiled=compiled,
    )  # fmt: skip
    failures = restore_all(tasks, pipeline)
    for failure in failures:
        click.echo(f"not deblurred: {failure}", err=True)
    if len(failures) < len(tasks):
        place = tasks[0].target if len(tasks) == 1 else out
        how = ", compiled" if pipeline.compiled else ""
        click.echo(
            f"{len(tasks) - len(failures)} of {len(tasks)} pictures deblurred"
            f" ({pipeline.device}, {pipeline.precision}{how}): {place}"
        )
    if failures:
        raise B2bError(
            f"{len(failures)} of {len(tasks)} pictures could not be deblurred",
            mend="the reasons are given above",
        )

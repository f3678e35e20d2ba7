"""`b2b demo`: the main job on the embedded pictures, measured."""

from __future__ import annotations

from pathlib import Path

import click

from b2b_core.cli.options import catalogue_from


@click.command()
@click.argument("name", default="starter", required=False)
@click.option("--quick", is_flag=True, help="The same path in a few minutes, less gain.")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), help="Run folder (default: runs/NAME)."
)
@click.pass_context
def command(ctx: click.Context, name: str, quick: bool, out: Path | None) -> None:
    """Adapt to the demo's camera, deblur its test pictures and compare.

    NAME is a demo that an installed plugin offers; the default is the embedded one.
    """
    from b2b_core.demo.run import run_demo
    from b2b_core.report.table import plain_table

    catalogue = catalogue_from(ctx)
    demo = catalogue.build("demo", name)
    folder = out or Path("runs") / ("demo-quick" if quick else "demo")
    click.echo(demo.description)
    result = run_demo(demo, catalogue, folder, quick=quick)
    metrics = result.metrics
    click.echo(f"\nMeans over {metrics['pictures']} pictures that nothing was trained on")
    click.echo(f"({metrics['protocol']}):\n")
    table = [[label, f"{psnr:.2f} dB", f"{ssim:.4f}"] for label, psnr, ssim in result.rows]
    click.echo(plain_table(["", "PSNR", "SSIM"], table))
    click.echo("(*: chosen by b2b without looking at these pictures)")
    click.echo(
        f"\nGain over the known deblurrer alone: {metrics['gain_db']:+.2f} dB; "
        f"gap closed: {metrics['gap_closed']:.2f}; {metrics['seconds'] / 60:.1f} minutes"
    )
    for warning in result.made.warnings:
        click.echo(f"Mind: {warning}")
    click.echo(f"Pictures side by side: {result.report}")
    click.echo(f"Numbers:               {folder / 'metrics.json'}")
    click.echo(f"Camera profile:        {result.made.profile}")

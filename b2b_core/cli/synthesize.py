"""`b2b synthesize`: a known domain's blur on pictures, to look at."""

from __future__ import annotations

from pathlib import Path

import click

from b2b_core.cli.domain_options import domain_options, read_domain_options
from b2b_core.cli.options import catalogue_from, device_options, seed_option

FILE = click.Path(path_type=Path)


@click.command()
@domain_options
@click.option("--sharp", metavar="DIR", type=FILE, required=True, help="Sharp pictures.")
@click.option("--extractor", metavar="NAME|FILE", help="Weights of the blur kernel extractor.")
@click.option("--kernels", is_flag=True, help="Measure kernels on the pairs; no extractor.")
@click.option(
    "--count", type=click.IntRange(1), default=24, show_default=True, help="How many pictures."
)
@click.option(
    "--crop", type=click.IntRange(16), default=256, show_default=True, help="Their side in pixels."
)
@device_options
@seed_option
@click.option("-o", "--out", type=FILE, required=True, help="Folder to write; must not exist.")
@click.pass_context
def command(
    ctx: click.Context, domain: str, domain_root: Path | None,
    domain_option: tuple[str, ...], sharp: Path, extractor: str | None,
    kernels: bool, count: int, crop: int, device: str | None, precision: str | None,
    seed: int | None, out: Path,
) -> None:  # fmt: skip
    """Put a known domain's blur on sharp pictures: the set K of the adversarial strategy.

    Writes OUT/sharp, OUT/known and OUT/sheet.png, which shows them side by side.
    """
    from b2b_core.synthesis.write import synthesize

    sheet = synthesize(
        catalogue_from(ctx), domain=domain, root=domain_root,
        domain_options=read_domain_options(domain_option), sharp=sharp, out=out, count=count,
        crop=crop, seed=seed or 0, extractor=extractor, kernels=kernels,
        device=device or "auto", precision=precision or "auto",
    )  # fmt: skip
    click.echo(f"{count} pictures: {out}")
    click.echo(f"side by side (sharp, known): {sheet}")

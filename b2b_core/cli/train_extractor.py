"""`b2b train extractor`: the kernel extractor of a known domain."""

from __future__ import annotations

from pathlib import Path

import click

from b2b_core.cli.domain_options import domain_options, read_domain_options
from b2b_core.cli.options import catalogue_from, device_options, seed_option, set_option

FILE = click.Path(path_type=Path)


@click.command()
@domain_options
@click.option("--component", metavar="NAME", default="kernel-space", show_default=True)
@click.option("--steps", type=click.IntRange(1), help="Training steps (default: 6000).")
@device_options
@seed_option
@set_option
@click.option("-o", "--out", type=FILE, required=True, help="Network file to write.")
@click.option("--work", type=FILE, help="Folder of log and checkpoint (default: OUT.run).")
@click.pass_context
def command(
    ctx: click.Context, domain: str, domain_root: Path | None,
    domain_option: tuple[str, ...], component: str, steps: int | None,
    device: str | None, precision: str | None, seed: int | None, overrides: tuple[str, ...],
    out: Path, work: Path | None,
) -> None:  # fmt: skip
    """Train a kernel extractor on the pairs of a domain.

    `--set KEY=VALUE` sets options of the extractor; `--set train.KEY=VALUE` those of the training
    (batch, crop, lr, ema, cross, shift). A killed run goes on when the same command is repeated.
    For a CPU, a small kernel-space: width=32 code_channels=64 front_blocks=2 back_blocks=2
    code_blocks=1 downsamplings=2 train.crop=64 train.lr=0.001, 10000 steps.
    """
    from b2b_core.config import apply_overrides
    from b2b_core.errors import UsageError
    from b2b_core.narrowing import is_table
    from b2b_core.training.train_extractor import train_extractor

    options = apply_overrides({}, overrides)
    training = options.pop("train", {})
    if not is_table(training):
        raise UsageError("'train' is a table of settings", mend="--set train.batch=4, say")
    if steps is not None:
        training = {**training, "steps": steps}
    facts = train_extractor(
        catalogue_from(ctx), domain=domain, root=domain_root,
        domain_options=read_domain_options(domain_option), component=component,
        options=options, training=training, device=device or "auto",
        precision=precision or "auto", seed=seed or 0, out=out,
        work=work or out.with_name(out.name + ".run"),
    )  # fmt: skip
    for name, value in facts.items():
        click.echo(f"{name}: {value}")

"""`b2b train deblurrer` and `b2b train extractor`: the networks of a known domain."""

from __future__ import annotations

from pathlib import Path

import click

from b2b_core.cli.domain_options import domain_options, read_domain_options
from b2b_core.cli.options import catalogue_from, device_options, seed_option, set_option
from b2b_core.cli.train_extractor import command as extractor

FILE = click.Path(path_type=Path)


@click.group()
def command() -> None:
    """Train a known domain's deblurrer or kernel extractor on its pairs."""


@command.command()
@domain_options
@click.option("--component", metavar="NAME", default="unet", show_default=True)
@click.option("--init", metavar="NAME|FILE", help="Start from these weights.")
@click.option("--steps", type=click.IntRange(1), help="Training steps (default: 6000).")
@device_options
@seed_option
@set_option
@click.option("-o", "--out", type=FILE, required=True, help="Network file to write.")
@click.option("--work", type=FILE, help="Folder of log and checkpoint (default: OUT.run).")
@click.pass_context
def deblurrer(
    ctx: click.Context, domain: str, domain_root: Path | None,
    domain_option: tuple[str, ...], component: str, init: str | None,
    steps: int | None, device: str | None, precision: str | None, seed: int | None,
    overrides: tuple[str, ...], out: Path, work: Path | None,
) -> None:  # fmt: skip
    """Train a deblurrer on the pairs of a domain.

    `--set KEY=VALUE` sets options of the network; `--set train.KEY=VALUE` those of the training
    (batch, crop, lr, ema). A killed run goes on when the same command is repeated.
    """
    from b2b_core.config import apply_overrides
    from b2b_core.errors import UsageError
    from b2b_core.narrowing import is_table
    from b2b_core.training.train_deblurrer import train_deblurrer

    options = apply_overrides({}, overrides)
    training = options.pop("train", {})
    if not is_table(training):
        raise UsageError("'train' is a table of settings", mend="--set train.batch=4, say")
    if steps is not None:
        training = {**training, "steps": steps}
    facts = train_deblurrer(
        catalogue_from(ctx), domain=domain, root=domain_root,
        domain_options=read_domain_options(domain_option), component=component, init=init,
        options=options, training=training, device=device or "auto",
        precision=precision or "auto", seed=seed or 0, out=out,
        work=work or out.with_name(out.name + ".run"),
    )  # fmt: skip
    for name, value in facts.items():
        click.echo(f"{name}: {value}")


command.add_command(extractor, "extractor")

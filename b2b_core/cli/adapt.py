"""`b2b adapt`: two folders of pictures and a known domain become a camera profile."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from b2b_core.cli.options import (
    catalogue_from,
    config_option,
    device_options,
    seed_option,
    set_option,
)
from b2b_core.narrowing import is_table

if TYPE_CHECKING:
    from b2b_core.adaptation.adapt import Adaptation

FOLDER = click.Path(path_type=Path)


@click.command()
@click.argument("blurry", type=FOLDER)
@click.argument("sharp", type=FOLDER)
@click.option("--domain", metavar="NAME", help="The known blur, by name (default: starter).")
@click.option("--domain-root", metavar="DIR", type=FOLDER, help="Where the domain's pairs lie.")
@click.option("--strategy", metavar="NAME", help="How to learn the camera (default: reblur).")
@click.option("--translator", metavar="NAME", help="The network G, by name.")
@click.option("--deblurrer", metavar="NAME|FILE", help="Weights of the known domain's deblurrer.")
@click.option("--extractor", metavar="NAME|FILE", help="Weights of the blur kernel extractor.")
@device_options
@seed_option
@config_option
@set_option
@click.option(
    "-o", "--out", type=FOLDER, required=True,
    help="Run folder; the same command resumes a killed run.",
)  # fmt: skip
@click.pass_context
def command(
    ctx: click.Context, blurry: Path, sharp: Path, domain: str | None, domain_root: Path | None,
    strategy: str | None, translator: str | None, deblurrer: str | None, extractor: str | None,
    device: str | None, precision: str | None, seed: int | None, config: Path | None,
    overrides: tuple[str, ...], out: Path,
) -> None:  # fmt: skip
    """Learn a camera from BLURRY and SHARP, two folders of its pictures, unpaired.

    Writes OUT/profile.safetensors, with which `b2b deblur` deblurs that camera's pictures.
    """
    from b2b_core.adaptation.adapt import adapt
    from b2b_core.adaptation.settings import read_settings
    from b2b_core.config import apply_overrides, read_toml

    said = {
        "data.blurry": blurry, "data.sharp": sharp, "domain.name": domain,
        "domain.root": domain_root, "domain.deblurrer": deblurrer, "domain.extractor": extractor,
        "strategy.name": strategy, "translator.name": translator, "run.device": device,
        "run.precision": precision, "run.seed": seed,
    }  # fmt: skip
    plain = read_toml(config) if config else {}
    plain = merged(plain, {key: value for key, value in said.items() if value is not None})
    catalogue = catalogue_from(ctx, plain)
    plain = {key: value for key, value in plain.items() if key not in ("plugins", "resolve")}
    settings = read_settings(apply_overrides(plain, overrides))
    show(adapt(settings, out, catalogue))


def merged(plain: dict[str, object], said: dict[str, object]) -> dict[str, object]:
    """Return `plain` with the dotted keys of `said` set; paths become text.

    A part that is named anew keeps no options of the one that `plain` names.
    """
    from b2b_core.config.overrides import apply_settings

    settings = [
        (key.split("."), str(value) if isinstance(value, Path) else value, key)
        for key, value in said.items()
    ]
    sections = {keys[0] for keys, _, _ in settings}
    long = {  # `strategy = "reblur"` is the short form
        key: {"name": value} if key in sections and not is_table(value) else value
        for key, value in plain.items()
    }
    return apply_settings(long, settings)


def show(made: Adaptation) -> None:
    """Print what was compared, what was chosen and how to use it."""
    from b2b_core.report.table import plain_table

    outcome = made.outcome
    if outcome.candidates:
        click.echo("Compared on held-out pictures:")
        rows = [
            [
                ("* " if candidate.name == outcome.chosen else "  ") + candidate.name,
                "-" if candidate.psnr is None else f"{candidate.psnr:.2f} dB",
                "-" if candidate.expected is None else f"{candidate.expected:+.2f} dB",
                f"{candidate.seconds:.0f} s",
                candidate.note,
            ]
            for candidate in outcome.candidates
        ]
        click.echo(plain_table(["  candidate", "PSNR", "expected gain", "trained", ""], rows))
        click.echo(f"Chosen (*): {outcome.chosen}")
    for warning in made.warnings:
        click.echo(f"Mind: {warning}")
    click.echo(f"Camera profile: {made.profile}")
    click.echo(f"Use it:         b2b deblur {made.profile} PICTURES -o OUT")

"""`b2b rank-domains`: which known domain has a blur like the camera's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from b2b_core.cli.options import catalogue_from, config_option, device_options, seed_option
from b2b_core.cli.tables import Cell, show_table
from b2b_core.errors import UsageError

if TYPE_CHECKING:
    from b2b_core.adaptation.nearness import Distance
    from b2b_core.adaptation.ranking import RankedDomain, Ranking
    from b2b_core.adaptation.settings import AdaptSettings, DomainSettings

FOLDER = click.Path(path_type=Path)
#: Version of the JSON output; raised when a key changes its meaning or goes.
SCHEMA = 1
Document = dict[str, Any]


@click.command()
@click.option("--blurry", metavar="DIR", type=FOLDER, required=True, help="Blurry pictures.")
@click.option("--sharp", metavar="DIR", type=FOLDER, required=True, help="Sharp pictures.")
@click.option(
    "--domain-root",
    "roots",
    metavar="NAME=DIR",
    multiple=True,
    help="Where a domain's pairs lie. May be repeated.",
)
@device_options
@seed_option
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def command(
    ctx: click.Context, blurry: Path, sharp: Path, roots: tuple[str, ...], device: str | None,
    precision: str | None, seed: int | None, config: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Say which known domain to take for a camera: the one whose blur is nearest to its own.

    Needs two folders of the camera's pictures, unpaired, and the pairs of the domains. Nothing is
    trained and nothing is fetched. A --config file is that of `b2b adapt`.
    """
    from b2b_core.adaptation.ranking import rank_domains
    from b2b_core.adaptation.settings import read_settings
    from b2b_core.cli.adapt import merged
    from b2b_core.config import read_toml

    said = {
        "data.blurry": blurry, "data.sharp": sharp,
        "run.device": device, "run.precision": precision, "run.seed": seed,
    }  # fmt: skip
    plain = read_toml(config) if config else {}
    plain = merged(plain, {key: value for key, value in said.items() if value is not None})
    catalogue = catalogue_from(ctx, plain)
    plain = {key: value for key, value in plain.items() if key not in ("plugins", "resolve")}
    settings = read_settings(plain)
    ranking = rank_domains(
        catalogue, blurry, sharp, _domains(roots, settings.domain if "domain" in plain else None),
        seed=settings.run.seed, device=settings.run.device, precision=settings.run.precision,
    )  # fmt: skip
    if as_json:
        click.echo(json.dumps(document(ranking, settings), indent=2, allow_nan=False))
    else:
        show(ranking, settings)


def _domains(roots: tuple[str, ...], configured: DomainSettings | None) -> list[DomainSettings]:
    """Return what configuration and command line say of domains; the command line wins."""
    from attrs import evolve

    from b2b_core.adaptation.settings import DomainSettings

    domains = {} if configured is None else {configured.name: configured}
    for text in roots:
        name, _, folder = text.partition("=")
        if not name or not folder:
            raise UsageError(f"--domain-root '{text}' is not like NAME=DIR")
        domains[name] = evolve(
            domains.get(name, DomainSettings(name=name)), root=Path(folder).expanduser()
        )
    return list(domains.values())


def show(ranking: Ranking, settings: AdaptSettings) -> None:
    """Print the table, what its numbers are, and which domain to take."""
    none = ranking.unblurred
    untouched: list[Cell] = ["(no blur)", _text(none), _text(ranking.unrestored), "", ""]
    rows = [_row(domain) for domain in ranking.domains]
    nearer = sum(distance.mean < none.mean for _, distance in ranking.measured)
    rows.insert(nearer, untouched)
    columns = ["domain", "blur", "after its deblurrer", "pairs", "remarks"]
    show_table(columns, rows, fixed=columns[:4], optional=["remarks"])
    pictures = ranking.pictures
    click.echo(
        "\nblur: how far the sharp pictures under the domain's blur are from the blurry ones.\n"
        "after its deblurrer: how far the blurry pictures, deblurred, are from the sharp ones.\n"
        "(no blur): the same of the pictures as they are. Smaller is nearer; "
        "± is a standard error.\n"
        f"{pictures['blurry']} blurry and {pictures['sharp']} sharp pictures, "
        f"crops of {ranking.side} pixels, seed {settings.run.seed}.\n"
    )
    for note in ranking.notes:
        click.echo(f"Mind: {note}")
    click.echo(verdict(ranking))
    if ranking.nearest is not None:
        click.echo(f"  {adapt_line(ranking.nearest, settings)}")


def _row(domain: RankedDomain) -> list[Cell]:
    pairs = "–" if domain.known.pairs is None else str(len(domain.known.pairs))
    return [
        domain.known.name, _text(domain.blur), _text(domain.restored), pairs, domain.remarks,
    ]  # fmt: skip


def _text(distance: Distance | None) -> str:
    return "–" if distance is None else f"{distance.mean:.3f} ± {distance.error:.3f}"


def verdict(ranking: Ranking) -> str:
    """Return in a sentence or two which domain to take, or that none is near."""
    first, distance = ranking.measured[0]
    name, none = first.known.name, ranking.unblurred
    if ranking.nearest is None:
        return (
            f"None is near: the blur of '{name}', the nearest ({distance.mean:.3f}), is not surely "
            f"nearer to the camera's than no blur at all ({none.mean:.3f})."
        )
    said = (
        f"Take '{name}': its blur is the nearest to the camera's ({distance.mean:.3f}; "
        f"no blur at all: {none.mean:.3f})."
    )
    if others := ", ".join(f"'{domain.known.name}'" for domain in ranking.as_near):
        said += f" As near, as far as these pictures tell: {others}."
    return said


def adapt_line(domain: RankedDomain, settings: AdaptSettings) -> str:
    """Return the command that adapts to the camera with a domain."""
    import shlex

    known, data = domain.known, settings.data
    words = ["b2b", "adapt", str(data.blurry), str(data.sharp), "--domain", known.name]
    if known.said.root is not None:
        words += ["--domain-root", str(known.said.root)]
    if known.said.deblurrer is not None:
        words += ["--deblurrer", known.said.deblurrer]
    elif known.deblurrer is None:
        words += ["--deblurrer", "FILE"]
    for key, value in known.said.options.items():
        words += ["--set", f"domain.options.{key}={json.dumps(value)}"]
    return shlex.join([*words, "-o", "runs/mine"])


def document(ranking: Ranking, settings: AdaptSettings) -> Document:
    """Return everything that was measured as plain data."""
    return {
        "schema": SCHEMA,
        "seed": settings.run.seed,
        "crop": ranking.side,
        "pictures": dict(ranking.pictures),
        "no_blur": {"blur": _plain(ranking.unblurred), "restored": _plain(ranking.unrestored)},
        "domains": [
            {
                "name": domain.known.name,
                "blur": _plain(domain.blur),
                "restored": _plain(domain.restored),
                "pairs": None if domain.known.pairs is None else len(domain.known.pairs),
                "deblurrer": domain.known.deblurrer,
                "remarks": list(domain.remarks),
            }
            for domain in ranking.domains
        ],
        "notes": ranking.notes,
        "nearest": None if ranking.nearest is None else ranking.nearest.known.name,
        "as_near": [domain.known.name for domain in ranking.as_near],
        "verdict": verdict(ranking),
        "command": None if ranking.nearest is None else adapt_line(ranking.nearest, settings),
    }


def _plain(distance: Distance | None) -> dict[str, float] | None:
    return None if distance is None else {"mean": distance.mean, "error": distance.error}

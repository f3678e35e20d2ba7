"""`b2b bench`: the proof, recipe by recipe."""

from __future__ import annotations

from pathlib import Path

import click

from b2b_core.bench.options import STAGES
from b2b_core.cli.options import catalogue_from

FOLDER = click.Path(path_type=Path)
OUT = Path("runs") / "bench"


@click.group()
def command() -> None:
    """Prove an adaptation: cameras nobody has pairs for, measured with pairs that it never saw."""


@command.command("list")
def list_recipes() -> None:
    """List the recipes."""
    from b2b_core.bench.library import all_recipes
    from b2b_core.cli.tables import show_table

    rows = [[recipe.name, recipe.title] for recipe in all_recipes()]
    show_table(["recipe", "what it shows"], rows, fixed=["recipe"])


@command.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option("--data", metavar="ROOT", type=FOLDER, required=True, help="The data root.")
@click.option("-o", "--out", type=FOLDER, default=OUT, show_default=True, help="Where all goes.")
@click.option("--seeds", default="0,1,2", show_default=True, help="Seeds, with commas.")
@click.option("--quick", is_flag=True, help="A few steps on a few pictures, in OUT/quick.")
@click.option("--only", type=click.Choice(STAGES), default=STAGES[-1], help="The last stage to do.")
@click.option("--also", default="", help="Train these candidates as well, with commas.")
@click.option("--sharp-share", type=click.FloatRange(0, 1, min_open=True), default=1.0,
              help="Adapt with this share of the sharp pictures.")  # fmt: skip
@click.option("--set", "overrides", metavar="KEY=VALUE", multiple=True,
              help="Set one setting of the adaptation; the results get a label.")  # fmt: skip
@click.option("--no-bound", is_flag=True, help="Leave the paired upper bound out; no gap then.")
@click.option("--label", default="", help="Name of results that deviate from the recipe.")
@click.option("--again", is_flag=True, help="Measure again what has a result.")
@click.pass_context
def run(
    ctx: click.Context, names: tuple[str, ...], data: Path, out: Path, seeds: str, quick: bool,
    only: str, also: str, sharp_share: float, overrides: tuple[str, ...], no_bound: bool,
    label: str, again: bool,
) -> None:  # fmt: skip
    """Run recipes: names of `b2b bench list`, a path to a .toml file, or `all`.

    Whatever a run finds in OUT it takes; killed at any point, the same command goes on.
    """
    from b2b_core.bench.library import recipes_named
    from b2b_core.bench.options import Extras
    from b2b_core.bench.runner import Bench
    from b2b_core.bench.table import summary

    recipes = [recipe for name in _expanded(names) for recipe in recipes_named(name, quick=quick)]
    extras = Extras(
        also=_split(also), sharp_share=sharp_share, overrides=overrides, bound=not no_bound,
        said_label=label,
    )  # fmt: skip
    bench = Bench(
        root=data.resolve(), out=_folder(out, quick=quick), catalogue=catalogue_from(ctx),
        quick=quick, only=only, again=again, extras=extras,
    )  # fmt: skip
    results = bench.run(recipes, _numbers(seeds))
    if results:
        click.echo(summary(results))


@command.command()
@click.option("-o", "--out", type=FOLDER, default=OUT, show_default=True, help="As in `run`.")
@click.option("--quick", is_flag=True, help="The results of quick runs.")
@click.option("--to", "target", type=FOLDER, default=Path("benchmarks/proof.md"), show_default=True,
              help="Markdown file to write; a JSON file is written beside it.")  # fmt: skip
@click.option(
    "--into", type=FOLDER, help="A page that has marks for the overview, such as README.md."
)
def table(out: Path, quick: bool, target: Path, into: Path | None) -> None:
    """Write the table of all results as Markdown and JSON."""
    from b2b_core.bench.report import write_report

    folder = _folder(out, quick=quick)
    for path in write_report(folder, target):
        click.echo(f"Written: {path}")
    if into is not None:
        from b2b_core.bench.insertion import insert_overview

        insert_overview(folder, into)
        click.echo(f"Written: the overview in {into}")


def _folder(out: Path, *, quick: bool) -> Path:
    return (out / "quick" if quick else out).resolve()


def _expanded(names: tuple[str, ...]) -> list[str]:
    from b2b_core.bench.library import simulated_names

    return [each for name in names for each in (simulated_names() if name == "all" else [name])]


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _numbers(text: str) -> list[int]:
    from b2b_core.errors import UsageError

    if not all(part.isdecimal() for part in _split(text)) or not _split(text):
        raise UsageError(f"'{text}' is no list of seeds", mend="write --seeds 0,1,2")
    return [int(part) for part in _split(text)]

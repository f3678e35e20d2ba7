"""`b2b evaluate`: numbers, each with its protocol, for restored pictures or a camera profile."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from b2b_core.cli.options import catalogue_from
from b2b_core.cli.pipeline_options import pipeline_options
from b2b_core.errors import UsageError
from b2b_core.narrowing import is_array

if TYPE_CHECKING:
    from b2b_core.metrics.evaluation import Evaluation

FILE = click.Path(path_type=Path)
#: Pictures in the report.
SHOWN = 4


@click.command()
@click.option("--restored", metavar="DIR", type=FILE, help="Restored pictures to measure.")
@click.option("--profile", metavar="FILE", type=FILE, help="Camera profile to measure instead,")
@click.option("--blurry", metavar="DIR", type=FILE, help="on these blurry pictures.")
@click.option("--reference", metavar="DIR", type=FILE, help="Their sharp originals.")
@click.option("--json", "json_file", metavar="FILE", type=FILE, help="Write all scores as JSON.")
@click.option("--report", metavar="FILE", type=FILE, help="Write an HTML page with pictures.")
@click.option("--metric", "metrics", metavar="NAME", multiple=True, help="A plugin's metric too.")
@pipeline_options
@click.pass_context
def command(
    ctx: click.Context, restored: Path | None, profile: Path | None, blurry: Path | None,
    reference: Path | None, json_file: Path | None, report: Path | None,
    metrics: tuple[str, ...], device: str, precision: str, tile: int | None, compiled: bool,
) -> None:  # fmt: skip
    """Measure restored pictures, or a camera profile on blurry ones.

    \b
    b2b evaluate --restored DIR --reference DIR
    b2b evaluate --profile FILE --blurry DIR --reference DIR

    Pictures and references are paired by their paths below the folders. Without --reference only
    the blur effect is measured, which does not know the truth.
    """  # noqa: D301 - click's mark for lines that are not wrapped
    from b2b_core.metrics.evaluation import evaluate
    from b2b_core.metrics.measures import measures
    from b2b_core.metrics.pairing import pair_up
    from b2b_core.metrics.ways import Ways, as_it_is, ways_of_profile

    folder = _folder(restored, profile, blurry)
    catalogue = catalogue_from(ctx)
    chosen = measures(catalogue, metrics, reference=reference is not None)
    couples = pair_up(folder, reference)
    if profile is None:
        ways = Ways({"restored": as_it_is})
    else:
        ways = ways_of_profile(
            profile, catalogue, device=device, precision=precision, tile=tile, compiled=compiled
        )
    shown = SHOWN if report else 0
    evaluation = evaluate(couples, ways.runs, chosen, show=shown, device=ways.device)
    notes = list(ways.notes)
    if reference is None:
        notes.append("No reference was given: the blur effect compares ways, it knows no truth.")
    _print(evaluation, notes)
    if json_file is not None:
        _write_json(json_file, evaluation, notes)
    if report is not None:
        _write_report(report, evaluation, notes, {"command": _said(ctx), **ways.made})


def _folder(restored: Path | None, profile: Path | None, blurry: Path | None) -> Path:
    """Return the folder of inputs; refuse what does not go together."""
    if (restored is None) == (profile is None):
        raise UsageError("name either --restored DIR or --profile FILE", mend="see --help")
    if restored is not None:
        if blurry is not None:
            raise UsageError("--blurry goes with --profile", mend="leave it out with --restored")
        return restored
    if blurry is None:
        raise UsageError("--profile needs --blurry DIR", mend="name the pictures to deblur")
    return blurry


def _rows(evaluation: Evaluation) -> list[dict[str, str | float | None]]:
    return [{"": way, **evaluation.means(way)} for way in evaluation.scores]


def _print(evaluation: Evaluation, notes: list[str]) -> None:
    from b2b_core.report.table import number, plain_table

    rows = _rows(evaluation)
    cells = [[number(value) for value in row.values()] for row in rows]
    click.echo(plain_table(list(rows[0]), cells))
    for line in (f"Protocol: {evaluation.protocol}", *notes):
        click.echo(line)


def _write_json(path: Path, evaluation: Evaluation, notes: list[str]) -> None:
    from b2b_core.atomic import replacing
    from b2b_core.report.versions import versions

    document = {**evaluation.document(), "notes": notes, "versions": versions()}
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(document, indent=2, allow_nan=False), encoding="utf-8")
    click.echo(f"All scores: {path}")


def _said(ctx: click.Context) -> str:
    """Return the command as one could type it again."""
    words = ["b2b", "evaluate"]
    for option in ctx.command.params:
        value = ctx.params.get(option.name or "")
        for one in value if is_array(value) else (value,):
            if one is not None and one != option.default:
                words += [option.opts[0]] if one is True else [option.opts[0], str(one)]
    return shlex.join(words)


def _write_report(
    path: Path, evaluation: Evaluation, notes: list[str], made: dict[str, str]
) -> None:
    from b2b_core.report.page import Example, write_report
    from b2b_core.report.versions import versions

    write_report(
        path,
        title="Evaluation",
        rows=_rows(evaluation),
        protocol=evaluation.protocol,
        notes=notes,
        examples=[
            Example(name, pictures, "reference" if "reference" in pictures else None)
            for name, pictures in evaluation.shown.items()
        ],
        made={**made, "versions": "\n".join(f"{name} {v}" for name, v in versions().items())},
    )
    click.echo(f"Pictures side by side: {path}")

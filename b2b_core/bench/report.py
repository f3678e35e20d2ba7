"""All results as a page of Markdown, and as JSON beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean

from b2b_core.atomic import replacing
from b2b_core.bench.library import all_recipes
from b2b_core.bench.recipe import Recipe
from b2b_core.bench.results import ALONE, BLURRY, BOUND, CHOICE, Result, all_results
from b2b_core.bench.table import LABELS, Row, Section, sections, shown
from b2b_core.config import unstructure
from b2b_core.errors import UsageError

_HEAD = """# The proof

Written by `b2b bench table`; nothing here is typed by hand. Made again by

```sh
{commands}
b2b bench table
```

(`--out` says where results are kept, `--data` where the pictures lie; `docs/bench.md` says what
they are.) {protocol}. Gain: over the known deblurrer alone. Gap closed: the gain as a share of what
the same deblurrer gains from true pairs of the camera; empty where that may be chance. In brackets:
95 % intervals by bootstrap over pictures and seeds. Training time is that of the camera's model,
the comparison of candidates and the chosen one, by the clocks of the run.
"""
_MINUTE = 60.0


def write_report(out: Path, target: Path) -> tuple[Path, Path]:
    """Write the page and the JSON file of all results below a bench's folder.

    Returns:
        The two files.

    Raises:
        UsageError: if there is no result.
    """
    found = sections_in(out)
    beside = target.with_suffix(".json")
    target.parent.mkdir(parents=True, exist_ok=True)
    for path, text in ((target, page(found)), (beside, document(found))):
        with replacing(path) as part:
            part.write_text(text, encoding="utf-8")
    return target, beside


def sections_in(out: Path) -> list[Section]:
    """Return all results below a bench's folder, by camera and label.

    Raises:
        UsageError: if there is none.
    """
    results = all_results(out)
    if not results:
        raise UsageError("no results here", where=out, mend="b2b bench run NAME --data ROOT")
    return sections(results)


def page(found: Sequence[Section]) -> str:
    """Return the Markdown page of all sections."""
    results = [result for section in found for result in section.results]
    head = _HEAD.format(commands=_commands(results), protocol=results[0].protocol)
    parts = [head, _machines(results), overview(found)]
    about = {recipe.pooled: recipe for recipe in all_recipes()}
    parts += [_section(section, about.get(section.group)) for section in found]
    return "\n".join(parts)


def document(found: Sequence[Section]) -> str:
    """Return the same as JSON, with the numbers of every seed."""
    sheets = [
        {
            "group": section.group,
            "label": section.label,
            "minutes": section.minutes,
            "rows": [unstructure(row) for row in section.rows],
            "runs": [_run(result) for result in section.results],
        }
        for section in found
    ]
    return json.dumps({"schema": 1, "sections": sheets}, indent=1) + "\n"


def _run(result: Result) -> dict[str, object]:
    plain = {key: said for key, said in unstructure(result).items() if key != "ways"}
    means = {
        way: {"psnr": fmean(scores.psnr.values()), "ssim": fmean(scores.ssim.values())}
        for way, scores in result.ways.items()
    }
    return {**plain, "means": means}


def _commands(results: Sequence[Result]) -> str:
    """Return one command per set of seeds and of deviations from the recipes."""
    groups: dict[tuple[str, str], list[str]] = {}
    for recipe, said in sorted({(result.recipe, result.arguments) for result in results}):
        seeds = sorted(r.seed for r in results if (r.recipe, r.arguments) == (recipe, said))
        groups.setdefault((said, ",".join(map(str, seeds))), []).append(recipe)
    quick = " --quick" if any(result.quick for result in results) else ""
    return "\n".join(
        f"b2b bench run {' '.join(names)} --data ROOT --seeds {seeds}{quick} {said}".rstrip()
        for (said, seeds), names in groups.items()
    )


def _machines(results: Sequence[Result]) -> str:
    texts = sorted({_machine(result) for result in results})
    codes = len({result.code for result in results})
    versions = f" The results come from {codes} states of the code." if codes > 1 else ""
    quick = " **Quick runs: they show that all works, not how well.**" if results[0].quick else ""
    return f"Machine: {'; '.join(texts)}.{versions}{quick}\n"


def _machine(result: Result) -> str:
    said = result.machine
    gpu = f", {said['gpu']}" if "gpu" in said else ""
    return (
        f"{said['processor']}, {said['cores']} core(s), {said['threads']} thread(s){gpu}, "
        f"torch {said['torch']}, {said['numbers']}"
    )


def overview(found: Sequence[Section]) -> str:
    """Return one row per camera."""
    head = [
        "camera", "seeds", "blurry", "deblurrer alone", "b2b's choice", "upper bound", "gain in dB",
        "gap closed", "behind the best candidate", "training",
    ]  # fmt: skip
    return markdown(head, [_overview_row(section) for section in found])


def _overview_row(section: Section) -> list[str]:
    choice = section.row(CHOICE)
    ways = [section.row(way) for way in (BLURRY, ALONE, CHOICE, BOUND)]
    return [
        f"{section.group} {section.label}".strip(),
        str(section.rows[0].seeds),
        *(f"{row.psnr:.2f}" if row else "" for row in ways),
        shown(choice.gain if choice else None, "+.2f"),
        shown(choice.gap if choice else None, ".2f"),
        _behind(section),
        f"{section.minutes:.1f} min",
    ]


def _behind(section: Section) -> str:
    """Return by how many dB b2b's choice is worse than the best, where several were trained."""
    choice, alone = section.row(CHOICE), section.row(ALONE)
    own = (BLURRY, ALONE, CHOICE, BOUND)
    trained = [row.psnr for row in section.rows if row.way not in own]
    if choice is None or alone is None or len(trained) < 2:
        return ""
    return f"{max(0.0, alone.psnr - choice.psnr, max(trained) - choice.psnr):.2f} dB"


def _section(section: Section, recipe: Recipe | None) -> str:
    title = recipe.title if recipe else section.group
    label = f" ({section.label})" if section.label else ""
    about = f"{recipe.about.strip()}\n\n" if recipe else ""
    published: Mapping[str, float] = recipe.published if recipe else dict[str, float]()
    rows = [_way(row, published) for row in section.rows]
    columns = ["", "PSNR (dB)", "SSIM", "gain in dB", "gap closed"]
    table = markdown([*columns, *(["the paper's PSNR"] if published else [])], rows)
    size = f"{section.rows[0].seeds} seed(s), {section.rows[0].pictures} pictures."
    return f"\n## {title}{label}\n\n{about}{table}\n{size} {_runs(section, recipe)}\n"


def _way(row: Row, published: Mapping[str, float]) -> list[str]:
    name = LABELS.get(row.way, f"candidate: {row.way}")
    cells = [f"**{name}**" if row.way == CHOICE else name, f"{row.psnr:.2f}", f"{row.ssim:.4f}"]
    cells += [shown(row.gain, "+.2f"), shown(row.gap, ".2f")]
    if published:
        cells.append(f"{published[row.way]:.2f}" if row.way in published else "")
    return cells


def _runs(section: Section, recipe: Recipe | None) -> str:
    """Return what was chosen, how long it took and what was warned of."""
    limit = recipe.minutes if recipe else float("inf")
    said = [_said(result, limit) for result in section.results]
    checks = [f"{name} {value:.1f} %" for r in section.results for name, value in r.checks.items()]
    warnings = sorted({warning for result in section.results for warning in result.warnings})
    parts = [f"Chosen: {'; '.join(said)}."]
    parts += [f"Checks of the converter: {', '.join(checks)}."] if checks else []
    parts += [f"Warned: {'; '.join(warnings)}."] if warnings else []
    return "\n".join(parts)


def _said(result: Result, limit: float) -> str:
    minutes = result.training_seconds / _MINUTE
    over = f", more than the {limit:.0f} wanted" if minutes > limit else ""
    return f"{result.recipe}, seed {result.seed}: {result.chosen} ({minutes:.1f} min{over})"


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; columns after the first are flush right."""
    marks = ["---", *(["--:"] * (len(head) - 1))]
    lines = [head, marks, *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"

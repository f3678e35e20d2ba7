"""What one run of a recipe measured, as a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen

from b2b_core.atomic import replacing
from b2b_core.config import structure, unstructure
from b2b_core.errors import B2bError

#: Ways that every result has, beside the candidates of its strategy.
BLURRY, ALONE, CHOICE, BOUND = "blurry", "deblurrer", "b2b", "bound"


@frozen(kw_only=True)
class Scores:
    """Per picture, by its name."""

    psnr: Mapping[str, float]
    ssim: Mapping[str, float]


@frozen(kw_only=True)
class Result:
    """One recipe, one seed."""

    recipe: str
    group: str
    seed: int
    #: Of deviations from the recipe; empty for the recipe itself.
    label: str = ""
    #: What the command line said for them.
    arguments: str = ""
    quick: bool = False
    #: Of everything that decided the run but the code, and of the code.
    key: str = ""
    code: str = ""
    #: Way -> scores; candidates by their names.
    ways: Mapping[str, Scores]
    chosen: str
    #: Stage -> seconds of training.
    seconds: Mapping[str, float] = field(factory=dict[str, float])
    #: Without candidates that were trained beside the chosen one.
    training_seconds: float = 0.0
    #: Of the known deblurrer and of the upper bound: what their files say.
    known: Mapping[str, str] = field(factory=dict[str, str])
    bound: Mapping[str, str] = field(factory=dict[str, str])
    candidates: tuple[Mapping[str, Any], ...] = ()
    learned: Mapping[str, Any] = field(factory=dict[str, Any])
    #: Percentages of Table 6, where the recipe has these checks.
    checks: Mapping[str, float] = field(factory=dict[str, float])
    warnings: tuple[str, ...] = ()
    protocol: str = ""
    machine: Mapping[str, str] = field(factory=dict[str, str])
    made: str = ""


def result_path(out: Path, recipe: str, label: str, seed: int) -> Path:
    """Return where the result of a run lies."""
    prefix = f"{label}-" if label else ""
    return out / "results" / recipe / f"{prefix}seed-{seed}.json"


def write_result(path: Path, result: Result) -> None:
    """Write a result; an older one of another run is kept beside it under its key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and (old := read_result(path)).key != result.key:
        path.replace(path.with_name(f"{path.stem}.{old.key}.old"))
    with replacing(path) as part:
        part.write_text(json.dumps(unstructure(result), indent=1) + "\n", encoding="utf-8")


def read_result(path: Path) -> Result:
    """Read a result.

    Raises:
        B2bError: if the file is damaged.
    """
    try:
        return structure(Result, json.loads(path.read_text(encoding="utf-8")), str(path))
    except ValueError as error:
        raise B2bError("unreadable result", where=path, mend="remove it and run again") from error


def all_results(out: Path) -> list[Result]:
    """Return all results below a folder, by recipe, label and seed."""
    found = [read_result(path) for path in (out / "results").glob("*/*.json")]
    return sorted(found, key=lambda result: (result.recipe, result.label, result.seed))

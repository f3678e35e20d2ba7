"""Scores of everything that a recipe compares, on its test pairs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from attrs import asdict

import b2b_core
from b2b_core.adaptation.adapt import Adaptation
from b2b_core.bench.adapting import Plan, seconds_of
from b2b_core.bench.keys import package_key
from b2b_core.bench.machine import machine
from b2b_core.bench.networks import Weights
from b2b_core.bench.results import ALONE, BOUND, CHOICE, Result, Scores
from b2b_core.demo.measure import PROTOCOL, measure
from b2b_core.importing.open import network_file
from b2b_core.inference.pipeline import Pipeline
from b2b_core.networks import load_network, read_network_header
from b2b_core.training.job import Part

if TYPE_CHECKING:
    from b2b_core.catalogue import Catalogue

#: What the training of a run consists of; the name of its code in results.
_CODE = ("adaptation", "data", "metrics", "synthesis", "training", "inference")


def measured(
    plan: Plan, made: Adaptation, bound: Weights | None, catalogue: Catalogue, *, quick: bool,
    checks: Mapping[str, float],
) -> Result:  # fmt: skip
    """Deblur the test pictures in every way and return the scores with what made them."""
    ways = _ways(made)
    if bound is not None:
        ways[BOUND] = _bound_pipeline(bound, made, catalogue)
    scores = measure(plan.camera.test_blurry, plan.camera.test_sharp, ways, 0).scores
    found = {way: Scores(psnr=said.psnr, ssim=said.ssim) for way, said in scores.items()}
    if CHOICE not in found:
        found[CHOICE] = found[made.outcome.chosen if made.outcome.chosen in found else ALONE]
    seconds = seconds_of(plan.folder)
    others = set(made.outcome.alternatives) - {made.outcome.chosen}
    return Result(
        recipe=plan.recipe.name, group=plan.recipe.pooled, seed=plan.seed,
        label=plan.extras.label, arguments=plan.extras.arguments, quick=quick, key=plan.key,
        code=code_of(made),
        ways=found, chosen=made.outcome.chosen, seconds=seconds,
        training_seconds=sum(time for stage, time in seconds.items() if stage not in others),
        known=_facts(plan.deblurrer, catalogue),
        bound={} if bound is None else _facts(bound, catalogue),
        candidates=tuple(asdict(candidate) for candidate in made.outcome.candidates),
        learned=_plain(made.outcome.summary), checks=checks,
        warnings=tuple(made.warnings), protocol=PROTOCOL,
        machine=machine(half=made.job.run.numerics.half),
        made=datetime.now(UTC).isoformat(timespec="seconds"),
    )  # fmt: skip


def code_of(made: Adaptation) -> str:
    """Return the key of the code that trains: the core's, and the strategy's plugin."""
    core = Path(b2b_core.__file__).parent
    return package_key(*(core / name for name in _CODE), *_strategy_folders(made))


def _strategy_folders(made: Adaptation) -> list[Path]:
    """Return the folders of the modules whose classes take part in the run."""
    import sys

    from b2b_core.profile import read_profile_header

    catalogue = made.job.run.catalogue
    header = read_profile_header(made.profile)
    plugin = catalogue.owner("strategy", header.strategy)
    module = sys.modules.get(plugin.distribution.replace("-", "_"))
    return [Path(path) for path in getattr(module, "__path__", ())]


def _ways(made: Adaptation) -> dict[str, Pipeline]:
    """Return the known deblurrer alone, every trained candidate, and b2b's choice if it differs."""
    outcome, known = made.outcome, made.job.deblurrer

    def pipeline(translator: Part | None, deblurrer: Part | None) -> Pipeline:
        return Pipeline(
            None if translator is None else translator.module,
            (deblurrer or known).module,
            made.size,
            device=str(made.job.run.numerics.device),
            precision="bf16" if made.job.run.numerics.half else "float32",
        )

    ways = {ALONE: pipeline(None, None)}
    trained = {name: parts for name, parts in outcome.alternatives.items() if any(parts)}
    ways |= {name: pipeline(*parts) for name, parts in trained.items()}
    if outcome.chosen not in outcome.alternatives and (outcome.translator or outcome.deblurrer):
        ways[CHOICE] = pipeline(outcome.translator, outcome.deblurrer)
    return ways


def _bound_pipeline(bound: Weights, made: Adaptation, catalogue: Catalogue) -> Pipeline:
    header, network = load_network(
        network_file(bound.name, catalogue, "deblurrer"), catalogue, "deblurrer"
    )
    size = catalogue.spec("deblurrer", header.component).size
    numerics = made.job.run.numerics
    return Pipeline(
        None, network, size, device=str(numerics.device),
        precision="bf16" if numerics.half else "float32",
    )  # fmt: skip


def _facts(weights: Weights, catalogue: Catalogue) -> dict[str, str]:
    header = read_network_header(network_file(weights.name, catalogue, "deblurrer"))
    return {"component": header.component, "weights": Path(weights.name).name, **header.facts}


def _plain(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Return what JSON can hold of a strategy's summary."""
    import json

    return cast("dict[str, Any]", json.loads(json.dumps(summary, default=str)))

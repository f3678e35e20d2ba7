"""Level 2: a strategy runs from end to end, on toys, with its lengths shortened."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from b2b_core.catalogue import discover
from b2b_core.config import structure, unstructure
from b2b_core.specs import StrategySpec
from b2b_core.testing.cases import ComponentCase
from b2b_core.testing.check import Check, CheckSkippedError, component_check, fail, skip
from b2b_core.testing.checks.specs import default_config
from b2b_core.training.presets import with_preset

if TYPE_CHECKING:
    from torch import Tensor

    from b2b_core.training.job import Outcome, Part

#: Seconds after which a shortened adaptation is given up.
SECONDS = 60.0
#: A preset of this name is what the kit runs; without it, the defaults are shortened.
PRESET = "tiny"


@frozen(eq=False)
class Adaptation:
    """The same adaptation, twice in one folder."""

    outcome: Outcome
    again: Outcome


@component_check(
    2,
    "see that it trains with the parts of the Job alone; a preset 'tiny' may be what is checked",
    "strategy",
)
def adapts(case: ComponentCase) -> None:
    """Check that a short adaptation of toys ends with an outcome that a camera profile can hold."""
    from b2b_core.training.job import Outcome

    outcome: Any = _adapted(case).outcome
    if not isinstance(outcome, Outcome):
        fail(f"adapt returns {type(outcome).__name__}, not an Outcome", where="adapt")
    names = [candidate.name for candidate in outcome.candidates]
    if outcome.chosen not in names:
        fail(
            f"it chose '{outcome.chosen}', which is not among its candidates {names}",
            where="Outcome.chosen",
            mend="list what was chosen among the candidates",
        )
    try:
        json.dumps(outcome.summary)
    except (TypeError, ValueError) as error:
        fail(
            f"the summary is no plain data: {error}",
            where="Outcome.summary",
            mend="turn tensors into numbers with float() or .tolist()",
        )
    _check_parts(outcome)


@component_check(
    2, "train in stages with run_stage, whose steps depend on seed and number alone", "strategy"
)
def adapts_resumably(case: ComponentCase) -> None:
    """Check that the same command again finds everything done, and ends in the same weights."""
    import torch

    try:
        adaptation = _adapted(case)
    except CheckSkippedError:
        raise
    except Exception:
        skip("it does not adapt: see the check 'adapts'")
    first, again = _weights(adaptation.outcome), _weights(adaptation.again)
    if first.keys() != again.keys():
        fail("a finished run that is called again gives another network", where="adapt")
    for name, tensor in first.items():
        # NaN is another check's matter
        if not torch.allclose(tensor, again[name], rtol=0, atol=0, equal_nan=True):
            fail(f"a finished run that is called again changes '{name}'", where="adapt")


def _adapted(case: ComponentCase) -> Adaptation:
    """Return the adaptation, or raise what it raised; it is run once."""
    kept: Adaptation | Exception = case.kept("adaptation", lambda: _attempt(case))
    if isinstance(kept, Exception):
        raise kept
    return kept


def _attempt(case: ComponentCase) -> Adaptation | Exception:
    try:
        return _adapt_twice(case)
    except Exception as error:
        return error


def _adapt_twice(case: ComponentCase) -> Adaptation:
    from b2b_core.testing.toys import job

    case.product()  # what cannot be built with its defaults is not adapted with either
    # its losses and the like may come from other plugins
    catalogue = discover()
    with tempfile.TemporaryDirectory(prefix="b2b-check-") as name:
        made: list[Any] = []
        for _ in range(2):
            strategy = case.spec.factory(_options(case))
            made.append(strategy.adapt(job(Path(name), catalogue, SECONDS)))
    return Adaptation(*made)


def _options(case: ComponentCase) -> object:
    from b2b_core.testing.toys import shortened

    spec = case.spec
    assert isinstance(spec, StrategySpec)
    if PRESET in spec.presets:
        return structure(spec.config, with_preset(spec, {"preset": PRESET}))
    config = default_config(case)
    short: object = shortened(config)
    # through plain data, as an adaptation gets it
    return structure(spec.config, unstructure(short))


def _check_parts(outcome: Outcome) -> None:
    import torch

    from b2b_core.testing.inputs import pictures

    image = pictures(1, 32, 32)
    for kind in ("translator", "deblurrer"):
        part: Part | None = getattr(outcome, kind)
        if part is None:
            continue
        with torch.no_grad():
            made: Any = part.module.eval()(image)
        last: Tensor = made[-1] if kind == "translator" else made
        if last.shape != image.shape or not torch.isfinite(last).all():
            fail(
                f"the trained {kind} gives {tuple(last.shape)}, or NaN, for {tuple(image.shape)}",
                where=f"Outcome.{kind}",
            )


def _weights(outcome: Outcome) -> dict[str, Tensor]:
    parts: dict[str, Part | None] = {
        kind: getattr(outcome, kind) for kind in ("translator", "deblurrer")
    }
    return {
        f"{kind}.{name}": tensor
        for kind, part in parts.items()
        if part is not None
        for name, tensor in part.module.state_dict().items()
    }


CHECKS: tuple[Check[ComponentCase], ...] = (adapts, adapts_resumably)

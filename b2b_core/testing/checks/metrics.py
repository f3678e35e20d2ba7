"""Level 2: metrics and the direction they declare."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from b2b_core.specs import MetricSpec, Spec
from b2b_core.testing.cases import ComponentCase
from b2b_core.testing.check import Check, component_check, fail

if TYPE_CHECKING:
    from torch import Tensor

#: Height and width of the pictures; windows of usual metrics fit in.
SIZE = (96, 80)
#: Deviation of noise, on the scale of [0, 1], from bad to worse.
NOISE = (0.02, 0.05, 0.12)
#: Radius of a box that blurs, from bad to worse: what metrics without a reference are shown.
RADII = (1, 2, 4)


def _compares(spec: Spec[Any, Any]) -> bool:
    return isinstance(spec, MetricSpec) and spec.needs_reference


@component_check(
    2, "return one number per picture, shape (B,), that no other picture changes", "metric"
)
def scores_per_picture(case: ComponentCase) -> None:
    """Check that a batch gives one finite score per picture, the same as one by one."""
    import torch

    image, reference = _worse(case, 2)[0], _reference(2)
    scores = _scores(case, image, reference)
    if not torch.isfinite(scores).all():
        fail(f"the scores of ordinary pictures are {_shown(scores)}", where="__call__")
    alone = [_scores(case, image[i : i + 1], reference[i : i + 1]) for i in (0, 1)]
    if not torch.allclose(scores.float(), torch.cat(alone).float(), rtol=1e-4, atol=1e-5):
        fail(
            f"a score depends on the batch: {_shown(scores)} together, "
            f"{_shown(torch.cat(alone))} alone",
            where="__call__",
        )


@component_check(
    2, "compare the picture with its reference; see higher_is_better", "metric", only=_compares
)
def best_when_identical(case: ComponentCase) -> None:
    """Check that no picture scores better than the reference itself."""
    reference = _reference(1)
    best = float(_scores(case, reference, reference))
    for image in _worse(case, 1):
        score = float(_scores(case, image, reference))
        if not _better(case, best, score):
            fail(
                f"the reference itself scores {best:.4g}, a noisy copy {score:.4g}",
                where="__call__",
            )


@component_check(2, "correct higher_is_better in the spec, or the sign of the score", "metric")
def direction(case: ComponentCase) -> None:
    """Check that scores get worse in the declared direction as pictures do."""
    reference = _reference(1)
    scores = [float(_scores(case, image, reference)) for image in _worse(case, 1)]
    if not all(_better(case, good, bad) for good, bad in pairwise(scores)):
        how = "noise" if _compares(case.spec) else "blur"
        shown = ", ".join(f"{score:.4g}" for score in scores)
        assert isinstance(case.spec, MetricSpec)
        fail(
            f"under growing {how} the scores are {shown}, and "
            f"higher_is_better={case.spec.higher_is_better}",
            where="higher_is_better",
        )


def _shown(scores: Tensor) -> str:
    return ", ".join(f"{float(score):.4g}" for score in scores)


def _better(case: ComponentCase, one: float, other: float) -> bool:
    assert isinstance(case.spec, MetricSpec)
    return one > other if case.spec.higher_is_better else one < other


def _reference(count: int) -> Tensor:
    from b2b_core.testing.inputs import pictures

    return pictures(count, *SIZE)


def _worse(case: ComponentCase, count: int) -> list[Tensor]:
    """Return pictures from bad to worse."""
    import torch

    from b2b_core.testing.inputs import blurred

    reference = _reference(count)
    if not _compares(case.spec):
        return [blurred(reference, radius) for radius in RADII]
    grain = torch.randn(reference.shape, generator=torch.Generator().manual_seed(5))
    return [(reference + sigma * grain).clamp(0, 1) for sigma in NOISE]


def _scores(case: ComponentCase, image: Tensor, reference: Tensor) -> Tensor:
    import torch

    metric = case.product()
    with torch.no_grad():
        made: object = metric(image, reference) if _compares(case.spec) else metric(image)
    if not isinstance(made, torch.Tensor) or made.shape != (len(image),):
        what = tuple(made.shape) if isinstance(made, torch.Tensor) else type(made).__name__
        fail(f"{len(image)} pictures give {what}, not ({len(image)},)", where="__call__")
    return made


CHECKS: tuple[Check[ComponentCase], ...] = (scores_per_picture, best_when_identical, direction)

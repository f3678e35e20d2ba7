"""Table 6 of the paper, for strategies that can judge their own converter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from b2b_core.adaptation.adapt import Adaptation
from b2b_core.adaptation.parts import Parts
from b2b_core.bench.adapting import Plan
from b2b_core.bench.recipe import Checks
from b2b_core.data.pairs import PairSet, load_pairs
from b2b_core.data.pictures import PictureSet, load_pictures
from b2b_core.errors import UsageError

if TYPE_CHECKING:
    from b2b_core.training.job import Job


@runtime_checkable
class ChecksConverter(Protocol):
    """A strategy whose translator converts to the known blur, and which can tell how well."""

    def check_converter(
        self, job: Job, test: PictureSet, pairs: PairSet, *, steps: int, batch: int, lr: float
    ) -> dict[str, float]:
        """Return percentages of pictures that are taken for known blur, by what they are of.

        Args:
            job: of a finished run.
            test: blurry pictures of the camera that nothing was trained on.
            pairs: true pairs of the camera, for a judge of its own.
            steps: of that judge's training.
            batch: of that judge's training.
            lr: of that judge's training.
        """
        ...


def converter_checks(said: Checks, plan: Plan, made: Adaptation) -> dict[str, float]:
    """Run the checks on a finished adaptation.

    Raises:
        UsageError: if its strategy has none.
    """
    job = made.job
    parts = Parts(job.run.catalogue, plan.settings(), job.run.numerics)
    name, options = parts.strategy.name, parts.checked_options("strategy")
    strategy: object = job.run.catalogue.build("strategy", name, options)
    if not isinstance(strategy, ChecksConverter):
        raise UsageError(
            f"the strategy '{name}' cannot check its converter",
            mend="leave [checks] out of the recipe, or use another strategy",
        )
    test = load_pictures(plan.camera.test_blurry, "test", job.crop, plan.seed)
    pairs = load_pairs(plan.camera.pairs, "camera", job.crop, plan.camera.blurry.parent)
    return strategy.check_converter(
        job, test, pairs, steps=said.steps, batch=said.batch, lr=said.lr
    )

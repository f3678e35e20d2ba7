"""The strategy: train, measure, say what came out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from b2b_core.training.job import Candidate, Job, Outcome
from b2b_core.training.stage import run_stage
from b2b_plugin_adversarial.stage import AdversarialStage

if TYPE_CHECKING:
    from b2b_core.data.pairs import PairSet
    from b2b_core.data.pictures import PictureSet
    from b2b_plugin_adversarial.config import AdversarialConfig

CHOSEN, ALONE = "translator", "deblurrer alone"
#: Difference of blur effects that three digits show.
_SHOWN = 1e-3


class Adversarial:
    """G against D on B and K.

    Nobody knows the truth behind real blurry pictures, so the outcome has no PSNR on them: what is
    reported is the blur effect, drifts, and what G does to pictures of known blur.
    """

    def __init__(self, config: AdversarialConfig) -> None:
        self._config = config

    def adapt(self, job: Job) -> Outcome:
        """Run, resumably, and return the averaged translator."""
        stage = AdversarialStage(job, self._config)
        stage.held_out.warn_of_known_blur(job.run)
        run_stage(stage, job.run)
        numbers = stage.held_out.measure(stage.ema.shadow, job.run, begun=True)
        sanity = stage.held_out.sanity()
        if numbers["sharper"] < -_SHOWN:
            job.run.warn(
                "held-out pictures come out blurrier with the translator than without it "
                f"(blur effect {sanity['blur_effect_alone'] - numbers['sharper']:.3f} against "
                f"{sanity['blur_effect_alone']:.3f})"
            )
        part = evolve(stage.part, module=stage.ema.shadow)
        blur = sanity["blur_effect_alone"]
        return Outcome(
            translator=part,
            deblurrer=None,
            candidates=[
                Candidate(ALONE, None, 0.0, f"blur effect {blur:.3f} on real held-out pictures"),
                Candidate(
                    CHOSEN,
                    None,
                    stage.clock.seconds,
                    f"G against D; blur effect {blur - numbers['sharper']:.3f}",
                ),
            ],
            chosen=CHOSEN,
            summary={
                "steps": self._config.steps,
                "validation": {**sanity, **numbers},
                "discriminator_accuracy": stage.watch.accuracy,
                "added_noise": stage.noise,
            },
            alternatives={ALONE: (None, None), CHOSEN: (part, None)},
        )

    def check_converter(
        self, job: Job, test: PictureSet, pairs: PairSet, *, steps: int, batch: int, lr: float
    ) -> dict[str, float]:
        """Return Table 6 of the paper for a finished run; see `checks.check_converter`."""
        from b2b_plugin_adversarial.checks import check_converter

        return check_converter(job, self._config, test, pairs, steps=steps, batch=batch, lr=lr)

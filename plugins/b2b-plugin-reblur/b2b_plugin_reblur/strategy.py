"""`reblur`: learn how the camera blurs, then learn to undo it with supervision."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from b2b_core.data.seeding import seeded
from b2b_core.errors import B2bError
from b2b_core.training.job import Candidate, Job, Outcome
from b2b_core.training.stage import run_stage
from b2b_plugin_reblur.camera import CameraModel
from b2b_plugin_reblur.candidates import FineTune, Scratch, Supervised
from b2b_plugin_reblur.config import ReblurConfig, TrainingConfig
from b2b_plugin_reblur.judging import ALONE, BEGUN, Judges, expected
from b2b_plugin_reblur.refinement import Refinement
from b2b_plugin_reblur.schedule import Schedule
from b2b_plugin_reblur.spectrum_fit import SpectrumFit
from b2b_plugin_reblur.translators import Conversion, Joint, Task

CANDIDATES: dict[str, type[Supervised]] = {
    "finetune": FineTune,
    "task": Task,
    "conversion": Conversion,
    "scratch": Scratch,
    "joint": Joint,
}
#: What "auto" tries, the quickest to learn first; a fresh network shows nothing in so short a time,
#: G beside a deblurrer that learns little.
TRIED = ("finetune", "task", "conversion")


class Reblur:
    """The strategy; see the package's README for the method and its evidence."""

    def __init__(self, config: ReblurConfig) -> None:
        self.config = config

    def adapt(self, job: Job) -> Outcome:
        """Learn R, compare the candidates briefly, train the best to its end."""
        schedule = Schedule.within(
            {"strategy.minutes": self.config.minutes, "run.minutes": job.run.minutes}
        )
        camera, learned = self._learn_camera(job)
        judges = Judges(job, camera)
        held_out, alone = judges.held_out, judges.unchanged()
        job.run.log.info(
            "held-out pictures under the camera's blur model",
            blurry=round(held_out.untouched, 2),
            deblurrer_alone=round(held_out.alone, 2),
        )
        compared, wanted = [alone], str(self.config.mode)
        if wanted == "auto":
            tried = self._trials(job, camera, judges, schedule)
            compared += tried
            wanted = _most_promising([c for c in tried if not judges.refuses(c)], alone).name
        outcome = Outcome(None, None, candidates=compared, chosen=wanted)
        trained = [name for name in CANDIDATES if name == wanted or name in self.config.also]
        left = schedule.training(job.run.spent)
        finished = [self._finish(name, job, camera, judges, outcome, left) for name in trained]
        if self.config.mode == "auto":
            outcome.chosen = self._best([alone, *finished], wanted, job)
        if outcome.chosen != ALONE:
            outcome.translator, outcome.deblurrer = outcome.alternatives[outcome.chosen]
        outcome.summary = {
            **learned,
            "held_out_blurry_psnr": held_out.untouched,
            "held_out_deblurrer_psnr": held_out.alone,
        }
        return outcome

    def _best(self, finished: list[Candidate], tried: str, job: Job) -> str:
        """Return what is best once it is trained to its end, or the deblurrer alone."""
        best = max(finished, key=expected)
        if best.name != tried:
            job.run.warn(
                f"'{tried}' looked best when it was tried, but '{best.name}' is better in the end "
                f"(expected gain {expected(best):+.2f} dB) and is taken"
            )
        return best.name

    def _learn_camera(self, job: Job) -> tuple[CameraModel, dict[str, Any]]:
        """Return R, and plain data on how it was learned."""
        config = self.config.camera
        with seeded(job.run.seed, "initial-camera"):
            learned = CameraModel(config, job.blurry.habitual_codings).to(job.run.numerics.device)
        measured = SpectrumFit(job, learned, config)
        steps = run_stage(measured, job.run)
        camera, seconds = learned, measured.clock.seconds
        if config.steps:
            refined = Refinement(job, learned, measured.match, config)
            run_stage(refined, job.run)
            camera, seconds = refined.ema.shadow, seconds + refined.clock.seconds
        facts, parts = camera.facts(), measured.findings
        job.run.log.info("the camera's blur", **{k: round(v, 4) for k, v in facts.items()})
        job.run.log.info("its parts", **{part: str(found) for part, found in parts.items()})
        return camera, {
            "camera": facts, "camera_parts": parts.state_dict(), "camera_seconds": seconds,
            "camera_steps": steps,
        }  # fmt: skip

    def _trials(
        self, job: Job, camera: CameraModel, judges: Judges, schedule: Schedule
    ) -> list[Candidate]:
        """Train each candidate briefly and judge it."""
        compared, steps = list[Candidate](), self.config.trial_steps
        for name in TRIED:
            try:
                stage = self._stage(name, job, camera, judges, steps=steps, suffix="-trial")
            except B2bError as error:
                # such as a known domain whose blur no kernel explains: compare the others
                job.run.warn(f"'{name}' is left out: {error.what}")
                continue
            stage.seconds = schedule.trial(len(TRIED))
            done = run_stage(stage, job.run)
            compared.append(judges.judge(name, stage, f"after {done} trial steps"))
        return compared

    def _finish(
        self, name: str, job: Job, camera: CameraModel, judges: Judges, outcome: Outcome,
        left: Schedule,
    ) -> Candidate:  # fmt: skip
        """Train one candidate to its end, judge it, and add it to the outcome."""
        asked = self._training(name).steps
        stage = self._stage(name, job, camera, judges, steps=asked)
        stage.seconds = left.seconds
        done = run_stage(stage, job.run)
        if stage.steps < asked:
            job.run.warn(
                f"'{name}' had {stage.steps} instead of {asked} steps, for this machine does no "
                f"more in the {left.minutes:.0f} minutes left to it ({left.option})"
            )
        end = done == stage.steps
        note = f"trained to its end, {done} steps" if end else f"stopped at step {done}"
        judged = judges.judge(name, stage, note)
        outcome.candidates.append(judged)
        outcome.alternatives[name] = stage.profile_parts()
        return judged

    def _stage(self, name: str, job: Job, camera: CameraModel, judges: Judges, *, steps: int,
               suffix: str = "") -> Supervised:  # fmt: skip
        config = evolve(self._training(name), steps=steps)
        return CANDIDATES[name](job, camera, config, judges.held_out, steps=steps, suffix=suffix)

    def _training(self, name: str) -> TrainingConfig:
        training: TrainingConfig = getattr(self.config, name)
        return training


def _most_promising(tried: list[Candidate], alone: Candidate) -> Candidate:
    """Return which candidate to train to its end, or `alone` where none is left.

    A trial says which one, not whether: what will be best may not have begun to gain. Where none
    has, differences are chance, and the first of `TRIED` learns quickest.
    """
    begun = [candidate for candidate in tried if expected(candidate) > BEGUN]
    return max(begun, key=expected) if begun else next(iter(tried), alone)

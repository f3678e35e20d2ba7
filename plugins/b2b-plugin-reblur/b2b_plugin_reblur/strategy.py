"""`reblur`: learn how the camera blurs, then learn to undo it with supervision."""

from __future__ import annotations

from attrs import evolve

from b2b_core.data.seeding import seeded
from b2b_core.errors import B2bError
from b2b_core.training.job import Candidate, Job, Outcome
from b2b_core.training.stage import run_stage
from b2b_plugin_reblur.camera import CameraModel
from b2b_plugin_reblur.candidates import FineTune, Scratch, Supervised
from b2b_plugin_reblur.config import ReblurConfig, TrainingConfig
from b2b_plugin_reblur.heldout import HeldOut
from b2b_plugin_reblur.natural import Natural
from b2b_plugin_reblur.refinement import Refinement
from b2b_plugin_reblur.spectrum_fit import SpectrumFit
from b2b_plugin_reblur.translators import Conversion, Joint, Task

CANDIDATES: dict[str, type[Supervised]] = {
    "finetune": FineTune,
    "task": Task,
    "conversion": Conversion,
    "scratch": Scratch,
    "joint": Joint,
}
#: What "auto" tries; a fresh network shows nothing in so short a time, G beside a deblurrer that
#: learns little.
TRIED = ("finetune", "task", "conversion")
#: The profile that does nothing to the known deblurrer.
ALONE = "deblurrer alone"


class Reblur:
    """The strategy; see the package's README for the method and its evidence."""

    def __init__(self, config: ReblurConfig) -> None:
        self.config = config

    def adapt(self, job: Job) -> Outcome:
        """Learn R, compare the candidates on held-out R(S), train the best to its end."""
        camera, seconds = self._learn_camera(job)
        held_out = HeldOut(job, camera)
        job.run.log.info(
            "held-out pictures under the camera's blur model",
            blurry=round(held_out.untouched, 2),
            deblurrer_alone=round(held_out.alone, 2),
        )
        compared = [Candidate(ALONE, held_out.alone, 0.0, "the known deblurrer, unchanged")]
        wanted: str = self.config.mode
        refused: set[str] = set()
        if wanted == "auto":
            trials, refused = self._trials(job, camera, held_out)
            compared += trials
            left = (candidate for candidate in compared if candidate.name not in refused)
            wanted = max(left, key=lambda candidate: candidate.psnr or 0.0).name
        outcome = Outcome(None, None, candidates=compared, chosen=wanted)
        scores = {ALONE: held_out.alone}
        for name in CANDIDATES:
            if name == wanted or name in self.config.also:
                scores[name] = self._finish(name, job, camera, held_out, outcome)
        if self.config.mode == "auto":
            allowed = {name: score for name, score in scores.items() if name not in refused}
            outcome.chosen = self._best(allowed, wanted, job)
        if outcome.chosen != ALONE:
            outcome.translator, outcome.deblurrer = outcome.alternatives[outcome.chosen]
        outcome.summary = {
            "camera": camera.facts(),
            "camera_seconds": seconds,
            "held_out_blurry_psnr": held_out.untouched,
            "held_out_deblurrer_psnr": held_out.alone,
        }
        return outcome

    def _best(self, scores: dict[str, float], tried: str, job: Job) -> str:
        """Return what is best once it is trained to its end, or the deblurrer alone."""
        best = max(scores, key=lambda name: scores[name])
        if best != tried:
            job.run.warn(
                f"'{tried}' looked best when it was tried, but '{best}' is better in the end "
                f"({scores[best]:.2f} dB against {scores[tried]:.2f}) and is taken"
            )
        return best

    def _learn_camera(self, job: Job) -> tuple[CameraModel, float]:
        config = self.config.camera
        with seeded(job.run.seed, "initial-camera"):
            learned = CameraModel(config, job.blurry.habitual_codings).to(job.run.numerics.device)
        measured = SpectrumFit(job, learned, config)
        run_stage(measured, job.run)
        camera, seconds = learned, measured.clock.seconds
        if config.steps:
            refined = Refinement(job, learned, measured.match, config)
            run_stage(refined, job.run)
            camera, seconds = refined.ema.shadow, seconds + refined.clock.seconds
        job.run.log.info("the camera's blur", **{k: round(v, 4) for k, v in camera.facts().items()})
        return camera, seconds

    def _trials(
        self, job: Job, camera: CameraModel, held_out: HeldOut
    ) -> tuple[list[Candidate], set[str]]:
        """Train each candidate briefly; return all, and whom real pictures speak against.

        R judges by pictures of its own making. Where R is wrong, restored real pictures show it.
        """
        natural = Natural(job)
        compared, refused = list[Candidate](), set[str]()
        for name in TRIED:
            steps = self.config.trial_steps
            try:
                stage = self._stage(name, job, camera, held_out, steps=steps, suffix="-trial")
            except B2bError as error:
                # such as a known domain whose blur no kernel explains: compare the others
                job.run.warn(f"'{name}' is left out: {error.what}")
                continue
            run_stage(stage, job.run)
            score, distance = held_out.psnr(*stage.result()), natural.distance(*stage.result())
            note = (
                f"after {steps} trial steps; restored real pictures are {distance:.2f} from sharp "
                f"ones, unchanged {natural.alone:.2f}"
            )
            compared.append(Candidate(name, score, stage.clock.seconds, note))
            if not natural.accepts(distance):
                refused.add(name)
                job.run.warn(
                    f"'{name}' is not chosen: it makes real pictures less like sharp ones "
                    f"({distance:.2f} instead of {natural.alone:.2f})"
                )
        return compared, refused

    def _finish(
        self, name: str, job: Job, camera: CameraModel, held_out: HeldOut, outcome: Outcome
    ) -> float:
        """Train one candidate to its end, add it to the outcome, return its held-out PSNR."""
        steps = self._training(name).steps
        stage = self._stage(name, job, camera, held_out, steps=steps)
        done = run_stage(stage, job.run)
        translator, deblurrer = stage.result()
        score = held_out.psnr(translator, deblurrer)
        note = f"trained to its end, {steps} steps" if done == steps else f"stopped at step {done}"
        outcome.candidates.append(Candidate(name, score, stage.clock.seconds, note))
        outcome.alternatives[name] = stage.profile_parts()
        return score

    def _stage(self, name: str, job: Job, camera: CameraModel, held_out: HeldOut, *, steps: int,
               suffix: str = "") -> Supervised:  # fmt: skip
        config = evolve(self._training(name), steps=steps)
        return CANDIDATES[name](job, camera, config, held_out, steps=steps, suffix=suffix)

    def _training(self, name: str) -> TrainingConfig:
        training: TrainingConfig = getattr(self.config, name)
        return training

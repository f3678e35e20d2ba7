"""How candidates are judged: the gain on held-out R(S), less what real pictures lose of it."""

from __future__ import annotations

from b2b_core.training.job import Candidate, Job
from b2b_plugin_reblur.camera import CameraModel
from b2b_plugin_reblur.candidates import Supervised
from b2b_plugin_reblur.heldout import HeldOut
from b2b_plugin_reblur.surplus import Surplus

#: The candidate that does nothing to the known deblurrer.
ALONE = "deblurrer alone"
#: Gain on R(S) in dB below which a candidate has not begun to learn anything, right or wrong.
BEGUN = 0.1


class Judges:
    """Judges candidates in the same crops: by R's own pictures, and without trusting R."""

    def __init__(self, job: Job, camera: CameraModel) -> None:
        self.held_out = HeldOut(job, camera)
        self._surplus = Surplus(job, camera)
        self._run = job.run

    def unchanged(self) -> Candidate:
        """Return the known deblurrer alone, over which the others' gains are counted."""
        return Candidate(ALONE, self.held_out.alone, 0.0, "the known deblurrer, unchanged", 0.0)

    def judge(self, name: str, stage: Supervised, note: str) -> Candidate:
        """Return a candidate with its score and the gain to expect; warn where R misleads."""
        parts = stage.result()
        score, penalty = self.held_out.psnr(*parts), self._surplus.penalty(*parts)
        gain = score - self.held_out.alone
        judged = Candidate(name, score, stage.clock.seconds, note, gain - penalty)
        if self.refuses(judged):
            self._run.warn(
                f"'{name}' gains {gain:.2f} dB on pictures made with the camera's blur model, but "
                f"real ones come out sharper or noisier than those, which may cost {penalty:.2f} "
                "dB: the model blurs more than the camera, or sharp pictures show other things "
                "than blurry ones"
            )
        return judged

    def refuses(self, candidate: Candidate) -> bool:
        """Return whether it learns to undo R and real pictures lose by it: more steps do not help.

        One that gains nothing yet, not even on R(S), may only have been tried too briefly.
        """
        score = self.held_out.alone if candidate.psnr is None else candidate.psnr
        return score - self.held_out.alone > BEGUN and expected(candidate) <= 0


def expected(candidate: Candidate) -> float:
    """Return the gain to expect of a candidate of this strategy, which all have one."""
    return 0.0 if candidate.expected is None else candidate.expected

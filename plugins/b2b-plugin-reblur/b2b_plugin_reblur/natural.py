"""A judge that does not trust R: whether restored pictures of B look as sharp as S."""

from __future__ import annotations

import torch
from torch import nn

from b2b_core.data.crops import CropSampler
from b2b_core.spectra import SpectrumMatch
from b2b_core.training.job import Job
from b2b_plugin_reblur.heldout import restore

#: Crops of B that are restored, and their side in pixels.
COUNT, SIDE = 64, 96
#: How much farther from S than the unchanged deblurrer's pictures a candidate's may be, as a share
#: and in deviations of the scenes. Wide: what is right on average is smoother than a sharp picture.
#: On the bench's camera `beyond` a candidate that truly gained 0.4 dB came out at 0.40, the
#: unchanged deblurrer at 0.37.
SHARE, SLACK = 1.5, 0.1


class Natural:
    """Compares spectra of restored real pictures with those of S, without any reference.

    It sees too little as well as too much: what is still blurred has too little power at high
    frequencies, what is sharpened by a wrong idea of the blur too much.
    """

    def __init__(self, job: Job) -> None:
        side = SIDE // job.multiple * job.multiple or job.multiple
        smallest = min(
            min(picture.pixels.shape[1:]) for pictures in (job.blurry, job.sharp)
            for picture in pictures
        )  # fmt: skip
        side = min(side, smallest // job.multiple * job.multiple)
        blurry = CropSampler(job.blurry, side, job.run.seed, "natural-blurry")
        sharp = CropSampler(job.sharp, side, job.run.seed, "natural-sharp")
        self._numerics = job.run.numerics
        self._match = SpectrumMatch(sharp, blurry, self._numerics.device)
        self._real = blurry.batch(0, COUNT).to(self._numerics.device)
        self.alone = self.distance(None, job.deblurrer.module)

    @torch.no_grad()
    def distance(self, translator: nn.Module | None, deblurrer: nn.Module) -> float:
        """Return the energy distance between the spectra of deblur(G(y)) and those of S."""
        return float(self._match(restore(translator, deblurrer, self._real, self._numerics)))

    def accepts(self, distance: float) -> bool:
        """Return whether pictures at this distance are not far worse than the unchanged ones."""
        return distance <= SHARE * max(self.alone, 0.0) + SLACK

"""What a step is fed: blurry crops y, and crops of K or S that are like them in all but blur."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from torch import Tensor

from b2b_core.data.crops import CropSampler
from b2b_core.data.seeding import torch_rng
from b2b_core.synthesis.known import KnownBlur
from b2b_core.synthesis.levels import stored
from b2b_core.synthesis.noise import missing_noise
from b2b_core.synthesis.sources import BlurSource, CodeBlur, KernelBlur
from b2b_plugin_adversarial.augmentation import Augmentation
from b2b_plugin_adversarial.curriculum import Curriculum

if TYPE_CHECKING:
    from b2b_core.contracts import KernelExtractor
    from b2b_core.training.job import Job
    from b2b_plugin_adversarial.config import AdversarialConfig, KnownConfig

#: Crops of each kind from which noise is measured.
_MEASURED = 32


class Supply:
    """Batches of the training sets, pure functions of the seed and the step.

    Args:
        job: pictures, crop and device.
        known: makes K; None where D compares with S.
        config: batch, curriculum and augmentation.
    """

    def __init__(self, job: Job, known: KnownBlur | None, config: AdversarialConfig) -> None:
        seed = job.run.seed
        self._known = known
        self._batch, self._seed = config.batch, seed
        self._device = job.run.numerics.device
        self._blurry = CropSampler(job.blurry, job.crop, seed, "adversarial-blurry")
        self._sharp = CropSampler(job.sharp, job.crop, seed, "adversarial-sharp")
        self._curriculum = Curriculum(job.blurry, config.curriculum)
        self._augmentation = Augmentation(config.augmentation)

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Return y and K (or S) of a step, each `(B, 3, c, c)` float32 in [0, 1]; see `stored`.

        B is the batch of the config, or the share of it that the curriculum keeps.
        """
        drawn = self._blurry.batch(step, self._batch, self._curriculum.among(step))
        kept = self._curriculum.kept(drawn, step)
        blurry = self._augmentation(kept.to(self._device))
        sharp = self._augmentation(self._sharp.batch(step, len(kept)).to(self._device))
        draw = torch_rng(self._seed, "adversarial-levels", step)
        if self._known is None:
            return stored(blurry, draw), stored(sharp, draw)
        return stored(blurry, draw), self._known.batch(sharp, step)


def known_blur(job: Job, config: KnownConfig) -> tuple[KnownBlur, float]:
    """Return the maker of K, and the noise that it adds on the scale of [0, 1]."""
    source, seed = _source(job, config), job.run.seed
    codings = job.blurry.habitual_codings if config.compression else []
    noise = _noise(job, source) if config.noise else 0.0
    return KnownBlur(source, seed, noise, codings), noise


def _source(job: Job, config: KnownConfig) -> BlurSource:
    if config.source == "kernels":
        return KernelBlur(job.pairs, job.run.seed, config.kernel, config.kernels)
    part = job.build("kernel-extractor")
    extractor = cast("KernelExtractor", part.module.eval().requires_grad_(False))
    size = job.run.catalogue.spec("kernel-extractor", part.component).size
    return CodeBlur(extractor, job.pairs, job.run.seed, job.crop, size)


def _noise(job: Job, source: BlurSource) -> float:
    """Return what blurring took away from K and B has."""
    seed, device = job.run.seed, job.run.numerics.device
    blurry = CropSampler(job.blurry, job.crop, seed, "noise-blurry").batch(0, _MEASURED)
    sharp = CropSampler(job.sharp, job.crop, seed, "noise-sharp")
    known = [
        source.blur(sharp.batch(step, 1).to(device), step).cpu()[0].clamp(0, 1)
        for step in range(_MEASURED)
    ]
    return missing_noise(blurry, known)

"""G judged by its task, on scenes that nothing was trained on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from b2b_core.data.crops import CropSampler
from b2b_core.metrics import blur_effect, brightness_drift, colour_drift

if TYPE_CHECKING:
    from b2b_core.synthesis.known import KnownBlur
    from b2b_core.training.job import Job
    from b2b_core.training.run import Run

#: Crops of each kind, and how many go through a network at once.
COUNT, _AT_ONCE = 16, 4
#: G(y) that differs less from y, in 8-bit steps, is y.
_UNCHANGED = 0.05
#: Drift of colours or brightness, in 8-bit steps, that people see side by side.
_SEEN = 4.0
#: Loss on pictures of known blur, in dB, that tells of more than a change of blur. A run that made
#: the camera's pictures 2.6 dB worse had lost 11 there, one that hardly changed them 0.2.
_BROKEN = 2.0
#: What stands for the PSNR of equal pictures, in dB.
_EQUAL = 99.0


class HeldOut:
    """Fixed crops: real blurry ones, which have no reference, and sharp ones under known blur.

    Args:
        job: held-out pictures and the frozen deblurrer.
        known: makes K.
    """

    def __init__(self, job: Job, known: KnownBlur) -> None:
        self._numerics = job.run.numerics
        self._deblurrer = job.deblurrer.module
        device, seed = self._numerics.device, job.run.seed
        blurry = CropSampler(job.held_blurry, job.crop, seed, "held-blurry")
        sharp = CropSampler(job.held_sharp, job.crop, seed, "held-sharp")
        self._blurry = blurry.batch(0, COUNT).to(device)
        self._sharp = sharp.batch(0, COUNT).to(device)
        # A step that training never has: its codes and noise are the held-out set's own.
        self._known = known.batch(self._sharp, -1)
        restored = self._deblurred(self._blurry)
        self._alone_blur = float(blur_effect(restored).mean())
        self._alone_psnr = pooled_psnr(self._deblurred(self._known), self._sharp)

    def sanity(self) -> dict[str, float]:
        """Return what does not depend on G.

        `known_psnr` and `known_blurry_psnr` are K after and before the deblurrer: if it does not
        remove K's blur, translating to K cannot help.
        """
        return {
            "blur_effect_alone": self._alone_blur,
            "known_psnr": self._alone_psnr,
            "known_blurry_psnr": pooled_psnr(self._known, self._sharp),
        }

    def measure(self, translator: nn.Module, run: Run, *, begun: bool) -> dict[str, float]:
        """Return numbers of G, and warn of what looks wrong.

        `sharper`: how much the blur effect of deblur(G(y)) lies below that of deblur(y), on real
        pictures; above 0 is better. `known_loss`: dB that G costs on pictures of known blur.
        `moved`, `colour_drift`, `brightness_drift`: G(y) against y in 8-bit steps.

        Args:
            translator: G, averaged.
            run: takes the warnings.
            begun: whether G has learned for so long that it should have begun to do something.
        """
        translated = self._translated(translator, self._blurry)
        known = self._translated(translator, self._known)
        numbers = {
            "sharper": self._alone_blur - float(blur_effect(self._deblurred(translated)).mean()),
            "known_loss": self._alone_psnr - pooled_psnr(self._deblurred(known), self._sharp),
            "moved": 255 * float((translated - self._blurry).abs().mean()),
            "colour_drift": float(colour_drift(translated, self._blurry).mean()),
            "brightness_drift": float(brightness_drift(translated, self._blurry).mean()),
        }
        if begun:
            _warn(numbers, run)
        return numbers

    def warn_of_known_blur(self, run: Run) -> None:
        """Warn if the deblurrer does not handle what G is to translate to."""
        sanity = self.sanity()
        if sanity["known_psnr"] < sanity["known_blurry_psnr"]:
            run.warn(
                f"the deblurrer makes known-blur pictures worse ({sanity['known_blurry_psnr']:.1f}"
                f" to {sanity['known_psnr']:.1f} dB): the kernel extractor and the deblurrer may "
                "not be of one domain"
            )

    @torch.no_grad()
    def _translated(self, translator: nn.Module, image: Tensor) -> Tensor:
        made: list[Tensor] = []
        for crops in torch.split(image, _AT_ONCE):
            with self._numerics.autocast():
                made.append(translator(crops)[-1].float().clamp(0, 1))
        return torch.cat(made)

    @torch.no_grad()
    def _deblurred(self, image: Tensor) -> Tensor:
        made: list[Tensor] = []
        for crops in torch.split(image, _AT_ONCE):
            with self._numerics.autocast():
                made.append(self._deblurrer(crops).float().clamp(0, 1))
        return torch.cat(made)


def pooled_psnr(pictures: Tensor, references: Tensor) -> float:
    """Return the PSNR in dB of all pictures' pixels together, at most 99.

    The mean over pictures would be decided by flat ones: at 45 dB every network makes them a
    little worse, whatever it does to edges.

    Args:
        pictures: `(B, 3, H, W)` in [0, 1].
        references: the same shape.
    """
    error = float((pictures - references).square().mean())
    return min(-10 * math.log10(error), _EQUAL) if error > 0 else _EQUAL


def _warn(numbers: dict[str, float], run: Run) -> None:
    if numbers["moved"] < _UNCHANGED:
        run.warn(
            "the translator is still the identity: it changes pictures by less than "
            f"{_UNCHANGED} of 255 levels; raise lr or lower lambda_rec"
        )
    if numbers["known_loss"] > _BROKEN:
        run.warn(
            f"the translator breaks pictures: those of known blur lose {numbers['known_loss']:.1f} "
            "dB by it; lower lr or raise lambda_rec"
        )
    drift = max(numbers["colour_drift"], abs(numbers["brightness_drift"]))
    if drift > _SEEN:
        run.warn(f"colours or brightness drift by {drift:.1f} of 255 levels; raise colour_weight")

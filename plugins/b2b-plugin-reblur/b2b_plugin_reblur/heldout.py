"""What candidates are compared on: held-out sharp pictures under R, and held-out real ones."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from b2b_core.data.crops import CropSampler
from b2b_core.data.seeding import torch_rng
from b2b_core.metrics import blur_effect, brightness_drift, psnr
from b2b_core.training.job import Job
from b2b_core.training.precision import Numerics
from b2b_core.training.run import Run
from b2b_plugin_reblur.camera import CameraModel

#: Side of the held-out crops in pixels, and how many of each kind.
SIDE, COUNT = 192, 16
#: Crops that go through the networks at a time.
AT_ONCE = 4
#: A translator that changes less than this, in the range [0, 1], is the identity.
IDENTITY = 2e-4
#: Largest unexplained shift of a colour channel, in 8-bit steps, that passes without a word.
COLOUR_LIMIT = 4.0


class HeldOut:
    """Fixed crops: (R(S), S) with a reference, and real B without one.

    R's pictures stand in for the truth that nobody has; whether R is right, they cannot tell.
    """

    def __init__(self, job: Job, camera: CameraModel) -> None:
        numerics, seed = job.run.numerics, job.run.seed
        side = _side(job, camera)
        count = min(COUNT, 4 * len(job.held_sharp))
        sharp = CropSampler(job.held_sharp, side, seed, "held-sharp").batch(0, count)
        with torch.no_grad():
            made = camera(sharp.to(numerics.device), torch_rng(seed, "held-out"))
        self.blurry, self.sharp = made[0], made[1]
        real_side = min(SIDE, job.held_blurry.shortest_side) // job.multiple * job.multiple
        real = CropSampler(job.held_blurry, real_side, seed, "held-blurry")
        self.real = real.batch(0, COUNT // 2).to(numerics.device)
        self.numerics = numerics
        self.alone = self.psnr(None, job.deblurrer.module)
        self.expected = shift(self.sharp, self.blurry)
        self.untouched = mean(psnr(self.blurry, self.sharp))

    def psnr(self, translator: nn.Module | None, deblurrer: nn.Module) -> float:
        """Return the mean PSNR in dB of deblur(G(R(S))) against S (protocol rgb-uint8)."""
        return mean(psnr(restore(translator, deblurrer, self.blurry, self.numerics), self.sharp))

    def compare(self, translator: nn.Module | None, deblurrer: nn.Module) -> dict[str, float]:
        """Return PSNR and gain in dB over the deblurrer alone; blur effect and drifts on real B.

        `change` is how much the translator alters real pictures, the mean of |G(y) - y|.
        """
        score = self.psnr(translator, deblurrer)
        restored = restore(translator, deblurrer, self.real, self.numerics)
        # Blur in light makes pictures brighter; what undoes it may take that back, and no more.
        moved = shift(restored, self.real)
        explained = moved.clamp(self.expected.clamp_max(0), self.expected.clamp_min(0))
        drift = float((moved - explained).abs().max())
        numbers = {
            "psnr": score,
            "gain": score - self.alone,
            "blur_effect": mean(blur_effect(restored)),
            "colour_drift": drift,
            "brightness_drift": mean(brightness_drift(restored, self.real)),
        }
        if translator is not None:
            with torch.no_grad(), self.numerics.autocast():
                change = translator(self.real)[-1].float() - self.real
            numbers["change"] = float(change.abs().mean())
        return numbers

    def warn(self, run: Run, numbers: Mapping[str, float], progress: float) -> None:
        """Say in plain words what looks wrong in the numbers of `compare`."""
        if progress >= 0.1 and numbers.get("change", 1.0) < IDENTITY:
            run.warn(
                "the translator is still the identity: it changes nothing. Raise its learning rate "
                "or use --set strategy.mode=finetune"
            )
        drift = numbers["colour_drift"]
        if drift > COLOUR_LIMIT:
            run.warn(
                f"colours drift by {drift:.1f} of 255 levels on real blurry pictures: lower the "
                "learning rate, and look whether blurry and sharp pictures differ in brightness"
            )


@torch.no_grad()
def restore(
    translator: nn.Module | None, deblurrer: nn.Module, image: Tensor, numerics: Numerics
) -> Tensor:
    """Return deblur(G(y)) of crops `(B, 3, H, W)`, a few at a time, clamped to [0, 1]."""
    restored: list[Tensor] = []
    for crops in torch.split(image, AT_ONCE):
        with numerics.autocast():
            seen = crops if translator is None else translator(crops)[-1]
            restored.append(deblurrer(seen).float().clamp(0, 1))
    return torch.cat(restored)


def _side(job: Job, camera: CameraModel) -> int:
    """Return the side of sharp crops: as large as wanted and possible, R(S) of a fitting size."""
    inner = min(SIDE, job.held_sharp.shortest_side - camera.margin) // job.multiple * job.multiple
    return inner + camera.margin


def shift(image: Tensor, reference: Tensor) -> Tensor:
    """Return by how many 8-bit steps the mean of each colour channel rose, `(3,)`."""
    return 255 * (image - reference).mean((0, 2, 3))


def mean(scores: Tensor) -> float:
    """Return the mean as a number that is finite (identical pictures have infinite PSNR)."""
    value = float(scores.mean())
    return value if math.isfinite(value) else 99.0

"""Learning R: R(S) against B before a discriminator, within physics."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.optim import Adam, Optimizer

from b2b_core.data.crops import CropSampler
from b2b_core.data.seeding import torch_rng
from b2b_core.training.clock import Clock
from b2b_core.training.ema import Ema
from b2b_core.training.job import Job
from b2b_core.training.stage import Stage
from b2b_plugin_reblur.camera import CameraModel
from b2b_plugin_reblur.config import CameraConfig
from b2b_plugin_reblur.spectrum import SpectrumMatch

#: Steps over which D's advantage is averaged before it is judged.
WINDOW = 100


class CameraFit(Stage):
    """R plays against D; both see crops of the same side, B's real and R(S)'s made.

    The non-saturating form of Goodfellow et al. (2014). D's inputs carry uniform noise of one
    8-bit step, so that it cannot tell stored levels from computed ones.
    """

    name = "camera"
    title = "learning the camera's blur"

    def __init__(
        self, job: Job, camera: CameraModel, match: SpectrumMatch, config: CameraConfig
    ) -> None:
        numerics = job.run.numerics
        self.steps = config.steps
        self.config = config
        self.run = job.run
        self.numerics = numerics
        self.camera = camera
        self.discriminator = job.build("discriminator").module
        self.ema = Ema(self.camera, config.ema)
        self.camera_optimizer: Optimizer = Adam(self.camera.parameters(), config.lr, (0.5, 0.99))
        self.discriminator_optimizer: Optimizer = Adam(
            self.discriminator.parameters(), config.discriminator_lr, (0.5, 0.99)
        )
        seed = job.run.seed
        self.blurry = CropSampler(job.blurry, config.crop, seed, "camera-blurry")
        self.sharp = CropSampler(job.sharp, config.crop + self.camera.margin, seed, "camera-sharp")
        self.spectrum = match
        self.clock = Clock()
        self._losses: deque[float] = deque(maxlen=WINDOW)

    def parts(self) -> dict[str, Any]:
        """Return R, its average, D, both optimisers, the spectra and the time."""
        return {
            "camera": self.camera,
            "average": self.ema.shadow,
            "discriminator": self.discriminator,
            "camera_optimizer": self.camera_optimizer,
            "discriminator_optimizer": self.discriminator_optimizer,
            "spectrum": self.spectrum,
            "clock": self.clock,
        }

    def step(self, number: int) -> dict[str, float]:
        """One step of D, one of R, on the same R(S)."""
        began = time.perf_counter()
        device, batch = self.numerics.device, self.config.batch
        real = self.blurry.batch(number, batch).to(device)
        sharp = flip(self.sharp.batch(number, batch), self.run.seed, number).to(device)
        draw = torch_rng(self.run.seed, "camera-step", number)
        fake, target, kernels = self.camera(sharp, draw)

        seen_real, seen_fake = self._judge(real), self._judge(fake.detach())
        loss_d = F.softplus(-seen_real).mean() + F.softplus(seen_fake).mean()
        self.discriminator_optimizer.zero_grad(set_to_none=True)
        loss_d.backward()  # type: ignore[no-untyped-call]
        self.discriminator_optimizer.step()

        self.discriminator.requires_grad_(False)
        loss_r = F.softplus(-self._judge(fake)).mean()
        off_centre = self.camera.kernels.off_centre(kernels)
        objective = (
            loss_r
            + self.config.centre_weight * off_centre
            + self.config.spectrum_weight * self.spectrum(fake, target)
        )
        self.camera_optimizer.zero_grad(set_to_none=True)
        objective.backward()
        self.discriminator.requires_grad_(True)
        self.camera_optimizer.step()
        self.ema.update(number)
        self._watch(loss_d.item(), number)
        self.clock.seconds += time.perf_counter() - began
        return {"D": loss_d.item(), "R": loss_r.item(), "spectrum": self.spectrum.distance()}

    def validate(self, number: int) -> dict[str, float]:
        """Return what the averaged R has learned so far."""
        facts = self.ema.shadow.facts()
        if facts["spread_sd"] > 2 * facts["spread_px2"] and number > self.steps // 4:
            self.run.warn(
                "the camera's kernels are collapsing or spreading without bound; "
                "the pictures may have something that the blur model lacks"
            )
        return facts

    def _judge(self, images: Tensor) -> Tensor:
        dither = (torch.rand_like(images) - 0.5) / 255
        with self.numerics.autocast():
            logits = self.discriminator([images + dither])
        judged: Tensor = logits[0].float()
        return judged

    def _watch(self, loss: float, number: int) -> None:
        """Warn when D keeps winning: it sees something that R cannot imitate."""
        self._losses.append(loss)
        mean = sum(self._losses) / len(self._losses)
        if len(self._losses) == WINDOW and number > self.steps // 4 and mean < 0.4:
            self.run.warn(
                "the discriminator keeps telling re-blurred pictures from real ones "
                f"(loss {mean:.2f}, balance is 1.39): the camera does something that its blur "
                "model lacks, or the blurry and sharp pictures are not of one camera"
            )


def flip(images: Tensor, seed: int, number: int) -> Tensor:
    """Mirror each picture left to right with probability one half."""
    chosen = torch.rand(images.shape[0], generator=torch_rng(seed, "flip", number)) < 0.5
    return torch.where(chosen[:, None, None, None], images.flip(-1), images)

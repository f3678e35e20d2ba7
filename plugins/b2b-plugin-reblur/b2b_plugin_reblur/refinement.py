"""Refining R against a discriminator, within physics: R(S) against B."""

from __future__ import annotations

import time
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.optim import Adam, Optimizer

from b2b_core.data.crops import CropSampler
from b2b_core.data.seeding import torch_rng
from b2b_core.spectra import SpectrumMatch
from b2b_core.training.clock import Clock
from b2b_core.training.ema import Ema
from b2b_core.training.job import Job
from b2b_core.training.stage import Stage, tenth
from b2b_plugin_reblur.camera import CameraModel
from b2b_plugin_reblur.config import CameraConfig
from b2b_plugin_reblur.parts import PartTrials
from b2b_plugin_reblur.watch import GameWatch, explained, watch_camera


class Refinement(Stage):
    """R plays against D; both see crops of the same side, B's real and R(S)'s made.

    The non-saturating form of Goodfellow et al. (2014). D's inputs carry uniform noise of one
    8-bit step, so that it cannot tell stored levels from computed ones.
    """

    name = "camera"
    title = "refining the camera's blur"

    def __init__(
        self, job: Job, camera: CameraModel, match: SpectrumMatch, config: CameraConfig
    ) -> None:
        numerics = job.run.numerics
        self.steps, self.first_look = config.steps, tenth(config.steps)
        self.config = config
        self.job, self.run = job, job.run
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
        self.watch = GameWatch(config.steps)

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
        fake, _, kernels = self.camera(sharp, draw)

        seen_real, seen_fake = self._judge(real), self._judge(fake.detach())
        loss_d = F.softplus(-seen_real).mean() + F.softplus(seen_fake).mean()
        self.discriminator_optimizer.zero_grad(set_to_none=True)
        loss_d.backward()  # type: ignore[no-untyped-call]
        self.discriminator_optimizer.step()

        self.discriminator.requires_grad_(False)
        loss_r = F.softplus(-self._judge(fake)).mean()
        off_centre = self.camera.kernels.off_centre(kernels)
        spectrum = self.spectrum(fake)
        objective = (
            loss_r + self.config.centre_weight * off_centre + self.config.spectrum_weight * spectrum
        )
        self.camera_optimizer.zero_grad(set_to_none=True)
        objective.backward()
        self.discriminator.requires_grad_(True)
        self.camera_optimizer.step()
        self.ema.update(number)
        self.watch.update(loss_d.item())
        self.clock.seconds += time.perf_counter() - began
        return {"D": loss_d.item(), "R": loss_r.item(), "spectrum": spectrum.item()}

    def validate(self, number: int) -> dict[str, float]:
        """Return what the averaged R has learned so far, and warn of what looks wrong."""
        camera, done = self.ema.shadow, number == self.steps
        watch_camera(self.run, camera, self.spectrum, self.sharp, done=done)
        self.watch.warn(
            self.run,
            lambda: explained(self.run, camera, self.spectrum, self.sharp),
            lambda: PartTrials(self.job, camera, self.config).differences(),
        )
        return camera.facts()

    def _judge(self, images: Tensor) -> Tensor:
        dither = (torch.rand_like(images) - 0.5) / 255
        with self.numerics.autocast():
            logits = self.discriminator([images + dither])
        judged: Tensor = logits[0].float()
        return judged


def flip(images: Tensor, seed: int, number: int) -> Tensor:
    """Mirror each picture left to right with probability one half."""
    chosen = torch.rand(images.shape[0], generator=torch_rng(seed, "flip", number)) < 0.5
    return torch.where(chosen[:, None, None, None], images.flip(-1), images)

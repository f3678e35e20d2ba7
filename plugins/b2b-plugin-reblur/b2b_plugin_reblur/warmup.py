"""The first half minute of learning R: size of the blur and noise from spectra alone, without D.

A discriminator needs hundreds of steps before it sees blur at all, and what it first sees need not
be blur. Mean spectra tell at once how large the camera's kernels are, how narrow and how steep.
"""

from __future__ import annotations

import time
from typing import Any

from torch.optim import Adam, Optimizer

from b2b_core.data.crops import CropSampler
from b2b_core.data.seeding import torch_rng
from b2b_core.training.clock import Clock
from b2b_core.training.job import Job
from b2b_core.training.objectives import cosine
from b2b_core.training.stage import Stage
from b2b_plugin_reblur.camera import CameraModel
from b2b_plugin_reblur.config import CameraConfig
from b2b_plugin_reblur.spectrum import SpectrumMatch


class SpectrumFit(Stage):
    """The few numbers that give R's kernels their size, and R's noise, by `SpectrumMatch`.

    Everything else waits for D: mean spectra hardly determine how stored values follow light, and
    kernels of free shape would all become the one kernel that has the mean spectrum.
    """

    name = "spectrum"
    title = "measuring the camera's blur"

    def __init__(self, job: Job, camera: CameraModel, config: CameraConfig) -> None:
        self.steps = config.warmup_steps
        self.config, self.camera, self.run = config, camera, job.run
        seed = job.run.seed
        self.sharp = CropSampler(job.sharp, config.crop + camera.margin, seed, "warmup-sharp")
        # Spectra compare crops of one size; R(S) is smaller than the crops that R takes.
        self.match = SpectrumMatch(
            CropSampler(job.blurry, config.crop, seed, "spectrum-blurry"),
            CropSampler(job.sharp, config.crop, seed, "spectrum-sharp"),
            job.run.numerics.device,
        )
        learned = [*camera.kernels.sizes(), camera.log_read_noise, camera.log_shot_noise]
        self.optimizer: Optimizer = Adam(learned, config.warmup_lr, (0.5, 0.99))
        self.clock = Clock()

    def parts(self) -> dict[str, Any]:
        """Return R, the spectra, the optimiser and the time."""
        return {
            "camera": self.camera, "match": self.match, "optimizer": self.optimizer,
            "clock": self.clock,
        }  # fmt: skip

    def step(self, number: int) -> dict[str, float]:
        """One step on one batch of R(S)."""
        began = time.perf_counter()
        # Down to a tenth: the running means still move while the last kernels are found.
        rate = 0.1 + 0.9 * cosine(number / self.steps)
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.warmup_lr * rate
        sharp = self.sharp.batch(number, self.config.batch).to(self.run.numerics.device)
        draw = torch_rng(self.run.seed, "warmup", number)
        made, target, kernels = self.camera(sharp, draw)
        loss = self.match(made, target)
        off_centre = self.camera.kernels.off_centre(kernels)
        self.optimizer.zero_grad(set_to_none=True)
        (loss + self.config.centre_weight * off_centre).backward()
        self.optimizer.step()
        self.clock.seconds += time.perf_counter() - began
        return {"distance": self.match.distance()}

    def validate(self, number: int) -> dict[str, float]:  # noqa: ARG002 - as in Stage
        """Return what R has learned so far."""
        return self.camera.facts()

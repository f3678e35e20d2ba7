"""Measuring R by spectra: size, shape and variety of the blur, and the noise.

A discriminator needs hundreds of steps before it sees blur at all, and what it first sees need not
be blur. Spectra tell within seconds how large the kernels are, how narrow, and how they vary.
"""

from __future__ import annotations

import copy
import math
import time
from collections import deque
from itertools import product
from typing import Any

import torch
from torch import Tensor
from torch.optim import Adam, Optimizer

from b2b_core.data.crops import CropSampler
from b2b_core.data.seeding import torch_rng
from b2b_core.spectra import SpectrumMatch
from b2b_core.training.clock import Clock
from b2b_core.training.job import Job
from b2b_core.training.stage import Stage
from b2b_plugin_reblur.camera import CameraModel
from b2b_plugin_reblur.config import CameraConfig
from b2b_plugin_reblur.grain import GrainMatch
from b2b_plugin_reblur.parts import Findings, PartTrials
from b2b_plugin_reblur.settling import Settling
from b2b_plugin_reblur.watch import astray, watch_camera

#: Where the search may begin: the path's length and the lens' radius in pixels.
LENGTHS, RADII = (1.5, 4.0, 10.0), (0.6, 1.2, 2.4)
#: Batches on which each start is judged.
TRIES = 4
#: Steps after which R is judged for the first time, settled or not, so that warnings come in time.
JUDGED = 200
#: Steps over which the distance that is shown is averaged.
RECENT = 20
#: Steps between looks at how near R is, and the batches of a look.
LOOK, LOOKED_AT = 20, 8


class SpectrumFit(Stage):
    """The few numbers that make R's kernels, and R's noise, by `SpectrumMatch`.

    It is done where it gains no more (`Settling`). Spectra hardly tell the other parts of the
    chain; their own cues decide them (`PartTrials`) once the kernels are roughly right.
    """

    name = "spectrum"
    title = "measuring the camera's blur"

    def __init__(self, job: Job, camera: CameraModel, config: CameraConfig) -> None:
        self.steps, self.first_look = config.spectrum_steps, JUDGED
        self.config, self.camera, self.run = config, camera, job.run
        seed = job.run.seed
        self.job = job
        self.sharp = CropSampler(job.sharp, config.crop + camera.margin, seed, "spectrum-fit-sharp")
        # Spectra compare crops of one size; R(S) is smaller than the crops that R takes.
        blurry = CropSampler(job.blurry, config.crop, seed, "spectrum-blurry")
        sharp = CropSampler(job.sharp, config.crop, seed, "spectrum-sharp")
        self.match = SpectrumMatch(blurry, sharp, job.run.numerics.device)
        matched = config.noise is not False and config.grain_weight > 0
        self.grain = GrainMatch(blurry, job.run.numerics.device) if matched else None
        self.settling = Settling()
        self.optimizer = self._adam()
        #: R as it was at the best look.
        self.best = copy.deepcopy(camera)
        #: What was decided of the parts; empty before.
        self.findings = Findings()
        self.recent: deque[float] = deque(maxlen=RECENT)
        self.clock = Clock()

    def parts(self) -> dict[str, Any]:
        """Return R now and at its best, the spectra, the optimiser, how far it is, and the time."""
        return {
            "camera": self.camera, "best": self.best, "match": self.match,
            "optimizer": self.optimizer, "settling": self.settling, "findings": self.findings,
            "clock": self.clock,
        }  # fmt: skip

    @property
    def settled(self) -> bool:
        """Whether it gains no more, even at the lowest rate."""
        return self.settling.settled

    def step(self, number: int) -> dict[str, float]:
        """One step on one batch of R(S); the first one finds where to begin."""
        began = time.perf_counter()
        if number == 0:
            self._begin()
        loss = self._distance(number)
        self.recent.append(loss.item())
        loss = loss + self.config.prior_weight * self.camera.kernels.implausibility()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        if (done := number + 1) % LOOK == 0 or done == self.steps:
            self._look(last=done == self.steps)
        self.clock.seconds += time.perf_counter() - began
        return {"distance": sum(self.recent) / len(self.recent)}

    @torch.no_grad()
    def _begin(self) -> None:
        """Take the start, among a few far from each other, whose spectra are nearest to B's.

        Long paths and wide lenses have valleys of their own, out of which steps hardly find. Those
        that kernels of this size cannot hold are no start, but for the smallest.
        """
        kernels = self.camera.kernels

        def take(start: tuple[float, float]) -> None:
            kernels.log_length.fill_(math.log(start[0]))
            kernels.log_radius.fill_(math.log(start[1]))

        def distance(start: tuple[float, float]) -> float:
            take(start)
            if astray(kernels) and start != (LENGTHS[0], RADII[0]):
                return math.inf
            return sum(float(self._distance(number)) for number in range(TRIES))

        take(min(product(LENGTHS, RADII), key=distance))
        self._look(last=False)

    def _look(self, *, last: bool) -> None:
        """See how near R is; where a leg is over, go on from R's best, at the next rate."""
        leg, wild = self.settling.leg, astray(self.camera.kernels)
        for finding in wild:
            self.run.warn(finding)
        if self.settling.look(self._distances(), astray=bool(wild)):
            self.best.load_state_dict(self.camera.state_dict())
        if self.settling.leg == leg and not last:
            return
        if len(self.settling.best):
            self.camera.load_state_dict(self.best.state_dict())
        if not self.findings:
            self.findings.update(PartTrials(self.job, self.camera, self.config).decide())
            self.best.load_state_dict(self.camera.state_dict())
            self.settling.begin_again(self._distances())
        self.optimizer = self._adam()

    def _adam(self) -> Optimizer:
        camera = self.camera
        learned = [*camera.kernels.sizes(), camera.log_read_noise, camera.log_shot_noise]
        return Adam(learned, self.config.spectrum_lr * self.settling.rate, (0.7, 0.99))

    @torch.no_grad()
    def _distances(self) -> Tensor:
        return torch.stack([self._distance(number) for number in range(LOOKED_AT)]).cpu()

    def _distance(self, number: int) -> Tensor:
        """Return the distance of one batch of R(S) from B; the same batch for the same number."""
        sharp = self.sharp.batch(number, self.config.spectrum_batch).to(self.run.numerics.device)
        made, _, _ = self.camera(sharp, torch_rng(self.run.seed, "spectrum-fit", number))
        distance: Tensor = self.match(made)
        if self.grain is not None:
            distance = distance + self.config.grain_weight * self.grain(made)
        return distance

    def validate(self, number: int) -> dict[str, float]:
        """Return what R has learned so far, and warn of what looks wrong."""
        if number == self.steps and not self.settled:
            self.run.warn(
                f"the camera's blur had not settled after {number} steps: raise "
                "strategy.camera.spectrum_steps"
            )
        judged = self.settled or number in (self.first_look, self.steps)
        watch_camera(self.run, self.camera, self.match, self.sharp, done=judged)
        return self.camera.facts()

"""What can be trained once R is known: each candidate sees R(S) and knows the sharp original."""

from __future__ import annotations

import copy
import time
from abc import abstractmethod
from typing import Any

import torch
from attrs import evolve
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from b2b_core.data.seeding import seeded, torch_rng
from b2b_core.training.clock import Clock
from b2b_core.training.deblurrer import turn
from b2b_core.training.ema import Ema
from b2b_core.training.job import Job, Part
from b2b_core.training.objectives import charbonnier, cosine
from b2b_core.training.stage import Stage, tenth
from b2b_plugin_reblur.camera import CameraModel
from b2b_plugin_reblur.config import TrainingConfig
from b2b_plugin_reblur.heldout import HeldOut
from b2b_plugin_reblur.supply import SharpSupply


class Supervised(Stage):
    """Adam on R(S), with a cosine learning rate and an averaged copy that is validated.

    Subclasses say what network learns and which error it is given.
    """

    def __init__(
        self, job: Job, camera: CameraModel, config: TrainingConfig, held_out: HeldOut,
        *, steps: int, suffix: str = "",
    ) -> None:  # fmt: skip
        self.name += suffix
        self.trial = bool(suffix)
        self.config = config
        network = self.start(job, camera)
        self.steps, self.first_look = steps, 0 if suffix else tenth(steps)
        self.run = job.run
        self.camera = camera.eval().requires_grad_(False)
        self.held_out = held_out
        self.network = network.train().requires_grad_(True)
        self.ema = Ema(network, config.ema)
        self.optimizer: Optimizer = Adam(network.parameters(), config.lr, (0.9, 0.99))
        self.supply = SharpSupply(
            job, job.crop + camera.margin, f"{self.name}-sharp", config.known_share
        )
        self.clock = Clock()

    def parts(self) -> dict[str, Any]:
        """Return the network, its average, the optimiser and the time it took."""
        return {
            "network": self.network, "average": self.ema.shadow, "optimizer": self.optimizer,
            "clock": self.clock,
        }  # fmt: skip

    def step(self, number: int) -> dict[str, float]:
        """One step on a fresh batch of R(S)."""
        began = time.perf_counter()
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.lr * cosine(number / self.steps)
        (sharp,) = turn([self.supply.batch(number, self.config.batch)], self.run.seed, number)
        sharp = sharp.to(self.run.numerics.device)
        draw = torch_rng(self.run.seed, self.name, number)
        with torch.no_grad():
            blurry, target, kernels = self.camera(sharp, draw)
        loss = self.loss(blurry, target, sharp, kernels)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.ema.update(number)
        self.clock.seconds += time.perf_counter() - began
        return {"loss": loss.item()}

    def validate(self, number: int) -> dict[str, float]:
        """Compare deblur(y) after and before the adaptation, on pictures held out."""
        numbers = self.held_out.compare(*self.result())
        if not self.trial:  # a brief trial is judged by its PSNR alone
            self.held_out.warn(self.run, numbers, number / self.steps)
        return numbers

    @abstractmethod
    def start(self, job: Job, camera: CameraModel) -> nn.Module:
        """Return the network that learns, with its first weights."""

    @abstractmethod
    def loss(self, blurry: Tensor, target: Tensor, sharp: Tensor, kernels: Tensor) -> Tensor:
        """Return the error of the network on one batch."""

    @abstractmethod
    def result(self) -> tuple[nn.Module | None, nn.Module]:
        """Return (translator or None, deblurrer), averaged weights."""

    @abstractmethod
    def profile_parts(self) -> tuple[Part | None, Part | None]:
        """Return (translator, fine-tuned deblurrer) as parts of a camera profile."""


class FineTune(Supervised):
    """No translator: the known deblurrer itself learns the camera."""

    name = "finetune"
    title = "fine-tuning the deblurrer"

    def start(self, job: Job, camera: CameraModel) -> nn.Module:  # noqa: ARG002 - as above
        """Return a copy of the known deblurrer."""
        self.known = job.deblurrer
        return copy.deepcopy(self.known.module)

    def loss(self, blurry: Tensor, target: Tensor, sharp: Tensor, kernels: Tensor) -> Tensor:  # noqa: ARG002
        """Return the error of deblurrer(R(S)) towards S."""
        with self.run.numerics.autocast():
            restored = self.network(blurry)
        return charbonnier(restored.float(), target)

    def result(self) -> tuple[nn.Module | None, nn.Module]:
        """Return the fine-tuned deblurrer alone."""
        return None, self.ema.shadow

    def profile_parts(self) -> tuple[Part | None, Part | None]:
        """Return the fine-tuned deblurrer."""
        return None, evolve(self.known, module=self.ema.shadow)


class Scratch(FineTune):
    """A fresh network of the deblurrer's kind: what R(S) alone can teach."""

    name = "scratch"
    title = "training a fresh deblurrer"

    def start(self, job: Job, camera: CameraModel) -> nn.Module:
        """Return the known deblurrer's network with fresh weights."""
        known = super().start(job, camera)
        with seeded(job.run.seed, "scratch"):
            fresh = job.run.catalogue.build("deblurrer", self.known.component, self.known.options)
        if not isinstance(fresh, nn.Module):  # a deblurrer that learns nothing has no other start
            return known
        return job.run.numerics.place(fresh)

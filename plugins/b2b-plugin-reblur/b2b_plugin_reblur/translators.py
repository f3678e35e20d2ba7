"""The candidates with a translator in front of the known deblurrer, frozen or learning too."""

from __future__ import annotations

import copy
from typing import cast

from attrs import evolve
from torch import Tensor, nn

from b2b_core.training.job import Job, Part
from b2b_core.training.objectives import charbonnier
from b2b_plugin_reblur.camera import CameraModel
from b2b_plugin_reblur.candidates import Supervised
from b2b_plugin_reblur.config import TaskConfig
from b2b_plugin_reblur.nearest import NearestKnownBlur


class Translate(Supervised):
    """A translator in front of the frozen known deblurrer."""

    def start(self, job: Job, camera: CameraModel) -> nn.Module:
        """Return a fresh translator; measure the known domain's kernels if they are aimed at."""
        self.part, self.known = job.build("translator"), job.deblurrer
        self.deblurrer = self.known.module
        if self.conversion_weight():
            self.blurs = NearestKnownBlur(job.pairs, camera.config.kernel, job.run.seed)
        return self.part.module

    def conversion_weight(self) -> float:
        """Return how much G is to give S under the nearest known blur; 0: not at all."""
        return self.config.conversion if isinstance(self.config, TaskConfig) else 0.0

    def conversion(self, translated: Tensor, target: Tensor, kernels: Tensor) -> Tensor:
        """Return the error of G(R(S)) towards S under the nearest known kernel."""
        return charbonnier(translated.float(), self.blurs.blur(target, kernels))

    def result(self) -> tuple[nn.Module | None, nn.Module]:
        """Return the translator and the unchanged deblurrer."""
        return self.ema.shadow, self.deblurrer

    def profile_parts(self) -> tuple[Part | None, Part | None]:
        """Return the translator."""
        return evolve(self.part, module=self.ema.shadow), None


class Conversion(Translate):
    """G by conversion, the paper's own aim: R(S) becomes S under the nearest known blur."""

    name = "conversion"
    title = "training G towards the known blur"

    def conversion_weight(self) -> float:
        """Return 1: it does nothing else."""
        return 1.0

    def loss(self, blurry: Tensor, target: Tensor, sharp: Tensor, kernels: Tensor) -> Tensor:  # noqa: ARG002 - as above
        """Return the error of G(R(S)) towards S under the nearest known kernel."""
        with self.run.numerics.autocast():
            translated = self.network(blurry)[-1]
        return self.conversion(translated, target, kernels)


class Task(Translate):
    """G by its task: whatever makes the frozen deblurrer give the sharp picture.

    With `conversion` in its options that aim is added to it, in any mix.
    """

    name = "task"
    title = "training G through the deblurrer"

    def loss(self, blurry: Tensor, target: Tensor, sharp: Tensor, kernels: Tensor) -> Tensor:  # noqa: ARG002
        """Return the error of deblurrer(G(R(S))) towards S, and conversion's with its weight."""
        with self.run.numerics.autocast():
            translated, restored = self.restore(blurry)
        error = charbonnier(restored.float(), target)
        if weight := self.conversion_weight():
            error = error + weight * self.conversion(translated, target, kernels)
        return error

    def restore(self, blurry: Tensor) -> tuple[Tensor, Tensor]:
        """Return G(y) and deblurrer(G(y))."""
        translated = self.network(blurry)[-1]
        return translated, self.deblurrer(translated)


class Together(nn.Module):
    """A translator and a deblurrer that learn together.

    Args:
        translator: G.
        deblurrer: behind it.
    """

    def __init__(self, translator: nn.Module, deblurrer: nn.Module) -> None:
        super().__init__()
        self.translator, self.deblurrer = translator, deblurrer


class Joint(Task):
    """G by its task, and the known deblurrer learns as well."""

    name = "joint"
    title = "training G and the deblurrer"

    def start(self, job: Job, camera: CameraModel) -> nn.Module:
        """Return a fresh translator with a copy of the known deblurrer."""
        self.both = Together(super().start(job, camera), copy.deepcopy(self.deblurrer))
        return self.both

    def restore(self, blurry: Tensor) -> tuple[Tensor, Tensor]:
        """Return G(y) and what the learning deblurrer makes of it."""
        translated = self.both.translator(blurry)[-1]
        return translated, self.both.deblurrer(translated)

    @property
    def average(self) -> Together:
        """The averaged networks."""
        return cast("Together", self.ema.shadow)

    def result(self) -> tuple[nn.Module | None, nn.Module]:
        """Return both, averaged weights."""
        return self.average.translator, self.average.deblurrer

    def profile_parts(self) -> tuple[Part | None, Part | None]:
        """Return both."""
        translator = evolve(self.part, module=self.average.translator)
        return translator, evolve(self.known, module=self.average.deblurrer)

"""G against D, step by step."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import torch
from attrs import frozen
from torch import Tensor, nn

from b2b_core.training.clock import Clock
from b2b_core.training.ema import Ema
from b2b_core.training.stage import Stage, tenth
from b2b_plugin_adversarial.heldout import HeldOut
from b2b_plugin_adversarial.objective import Objective
from b2b_plugin_adversarial.pyramid import level_sizes, pyramid, translated_pyramid
from b2b_plugin_adversarial.supply import Supply, known_blur
from b2b_plugin_adversarial.watch import Watch

if TYPE_CHECKING:
    from b2b_core.contracts import Discriminator, FeatureExtractor
    from b2b_core.training.job import Job
    from b2b_plugin_adversarial.config import AdversarialConfig

#: Steps in which G should have begun to do something.
BEGUN = 50


@frozen(eq=False)
class Shown:
    """What D compares in one step, at full scale `(B, 3, H, W)` or as a pyramid, coarse to fine.

    Translated pictures: y, K and G(y). Restored ones: F(y), S and F(G(y)), F the deblurrer.
    """

    before: Tensor
    real: Tensor
    after: Tensor
    before_levels: Sequence[Tensor]
    real_levels: Sequence[Tensor]
    after_levels: Sequence[Tensor]


class AdversarialStage(Stage):
    """One step of D, then one of G on the same pictures (Pham et al., CVPR 2024).

    Args:
        job: pictures, pairs, networks and run.
        config: options.
    """

    name = "adversarial"
    title = "training G against D"

    def __init__(self, job: Job, config: AdversarialConfig) -> None:
        self.steps = config.steps
        self.first_look = max(tenth(config.steps), config.d_warmup + BEGUN)
        self.config, self.run = config, job.run
        self.part = job.build("translator")
        self.translator = self.part.module.train()
        self.discriminator = job.build("discriminator").module.train()
        known, self.noise = known_blur(job, config.known)
        self.deblurrer = job.deblurrer.module
        self.supply = Supply(job, known if config.compare == "translated" else None, config)
        self.objective = Objective(
            job.run.catalogue,
            cast("Discriminator", self.discriminator),
            _features(job) if config.lambda_rec else None,
            config,
            job.run.numerics,
        )
        self.held_out = HeldOut(job, known)
        self.watch, self.clock = Watch(config.steps, config.d_warmup), Clock()
        self.ema = Ema(self.translator, config.ema)
        self.optimizer = torch.optim.Adam(self.translator.parameters(), config.lr, config.betas)
        self.discriminator_optimizer = torch.optim.Adam(
            self.discriminator.parameters(), config.discriminator_lr, config.betas
        )

    def parts(self) -> dict[str, Any]:
        """Return G, its average, D, both optimisers, D's state and the time spent."""
        return {
            "translator": self.translator,
            "average": self.ema.shadow,
            "discriminator": self.discriminator,
            "optimizer": self.optimizer,
            "discriminator_optimizer": self.discriminator_optimizer,
            "watch": self.watch,
            "clock": self.clock,
        }

    def step(self, number: int) -> dict[str, float]:
        """Train D, then G; G only watches while D warms up."""
        began = time.perf_counter()
        self._set_rates(number)
        blurry, real = self.supply.batch(number)
        playing = number - self.config.d_warmup
        with torch.set_grad_enabled(playing >= 0), self.run.numerics.autocast():
            outputs = self.judged(self.translator(blurry))
        with torch.no_grad(), self.run.numerics.autocast():
            before = self.judged([blurry])[-1]
        shown = self._shown(before, real, outputs)
        numbers = self._train_discriminator(shown, number)
        if playing >= 0:
            numbers |= self._train_translator(shown)
            self.ema.update(playing)
        self.watch.warn(self.run, playing + 1)
        self.clock.seconds += time.perf_counter() - began
        return numbers | {"accuracy": self.watch.accuracy}

    def validate(self, number: int) -> dict[str, float]:
        """Judge the averaged G by its task, and warn."""
        return self.held_out.measure(
            self.ema.shadow, self.run, begun=number >= min(self.first_look, self.steps)
        )

    def judged(self, outputs: Sequence[Tensor]) -> list[Tensor]:
        """Return what D judges of a pyramid: itself, or what the deblurrer makes of it."""
        if self.config.compare == "restored":
            outputs = [self.deblurrer(outputs[-1])]
        return [output.float() for output in outputs]

    def _shown(self, before: Tensor, real: Tensor, outputs: Sequence[Tensor]) -> Shown:
        config = self.config
        sizes, how = level_sizes(outputs, config.scales), config.resampling
        return Shown(
            before, real, outputs[-1],
            pyramid(before, sizes, how),
            pyramid(real, sizes, how),
            translated_pyramid(outputs, sizes, how, own=config.own_levels),
        )  # fmt: skip

    def _train_discriminator(self, shown: Shown, number: int) -> dict[str, float]:
        config = self.config.penalty
        after = [level.detach() for level in shown.after_levels]
        real, fake = self.objective.judge(shown.real_levels), self.objective.judge(after)
        self.watch.update(real, fake)
        loss = self.objective.for_discriminator(real, fake)
        numbers = {"D": float(loss.detach())}
        if config.weight and number % config.every == 0:
            penalty = self.objective.penalty(shown.before_levels, shown.real_levels, after)
            numbers["penalty"] = float(penalty.detach())
            loss = loss + config.every * config.weight * penalty
        _descend(self.discriminator_optimizer, loss)
        return numbers

    def _train_translator(self, shown: Shown) -> dict[str, float]:
        config, objective = self.config, self.objective
        self.discriminator.requires_grad_(False)
        game = objective.for_translator(objective.judge(shown.after_levels))
        self.discriminator.requires_grad_(True)
        content = objective.reconstruction(shown.before_levels, shown.after_levels)
        loss = game + config.lambda_rec * content
        if config.identity_weight:
            with self.run.numerics.autocast():
                unchanged = self.translator(shown.real)[-1].float()
            loss = loss + config.identity_weight * objective.likeness(unchanged, shown.real)
        if config.colour_weight:
            loss = loss + config.colour_weight * objective.colour(shown.after, shown.before)
        if config.anchor.coarse or config.anchor.fine:
            loss = loss + objective.anchor(shown.after, shown.before)
        _descend(self.optimizer, loss)
        return {"G": float(game.detach()), "content": float(content.detach())}

    def _set_rates(self, number: int) -> None:
        """Constant, then falling linearly to zero."""
        config = self.config
        left = 1 - number / config.steps
        factor = min(1.0, left / (1 - config.constant)) if config.constant < 1 else 1.0
        for optimizer, rate in (
            (self.optimizer, config.lr),
            (self.discriminator_optimizer, config.discriminator_lr),
        ):
            for group in optimizer.param_groups:
                group["lr"] = rate * factor


def _features(job: Job) -> FeatureExtractor:
    part = job.build("feature-extractor")
    if part.options.get("weights", "") is None:
        job.run.warn(
            f"the feature extractor '{part.component}' has no weights and is random, so that it "
            "hardly holds on to content; give them by --set features.weights=FILE"
        )
    module: nn.Module = part.module.eval().requires_grad_(False)
    return cast("FeatureExtractor", module)


def _descend(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()

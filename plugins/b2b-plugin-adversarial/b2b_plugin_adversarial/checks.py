"""Two checks of the translator, Table 6 of the paper: whether its pictures have the known blur.

Both say what share of pictures is taken for K, before and after G. The first judge is D itself. The
second is a ResNet-18 that never saw G: it learns to tell two kinds of sharp pictures of the known
domain, under the domain's own blur and under that of the camera's true pairs. Both kinds are made
alike, so that only blur tells them apart.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import torch
from attrs import evolve
from torch import Tensor
from torch.nn import functional as F
from torch.optim import Adam, Optimizer

from b2b_core.data.crops import CropSampler
from b2b_core.data.seeding import seed_torch, seeded, torch_rng
from b2b_core.synthesis.levels import stored
from b2b_core.training.clock import Clock
from b2b_core.training.objectives import cosine
from b2b_core.training.stage import Stage, run_stage
from b2b_plugin_adversarial.pyramid import level_sizes, pyramid, translated_pyramid
from b2b_plugin_adversarial.resnet import ResNet18
from b2b_plugin_adversarial.stage import AdversarialStage
from b2b_plugin_adversarial.supply import known_blur

if TYPE_CHECKING:
    from b2b_core.data.pairs import PairSet
    from b2b_core.data.pictures import PictureSet
    from b2b_core.training.job import Job
    from b2b_plugin_adversarial.config import AdversarialConfig

#: Test crops that are judged, and how many go through a network at once.
COUNT, _AT_ONCE = 64, 4
_CROPS = "converter-check"


class KnownBlurClassifier(Stage):
    """ResNet-18 learns to tell known blur (class 1) from the camera's (class 0).

    Args:
        job: the known domain's pairs, extractor and run.
        config: how known blur is made.
        pairs: true pairs of the camera, for its blur codes.
        steps: of training.
        batch: pictures of both classes together.
        lr: learning rate; it falls as half a cosine.
    """

    name = "converter-check"
    title = "learning to tell known blur"

    def __init__(
        self, job: Job, config: AdversarialConfig, pairs: PairSet,
        *, steps: int, batch: int, lr: float,
    ) -> None:  # fmt: skip
        self.steps, self.job, self.half = steps, job, max(1, batch // 2)
        self.known, _ = known_blur(job, config.known)
        self.other, _ = known_blur(evolve(job, pairs=pairs), config.known)
        with seeded(job.run.seed, self.name):
            self.network = job.run.numerics.place(ResNet18()).train()
        self.lr = lr
        self.optimizer: Optimizer = Adam(self.network.parameters(), lr)
        self.clock = Clock()

    def parts(self) -> dict[str, Any]:
        """Return the network, its optimiser and the time it took."""
        return {"network": self.network, "optimizer": self.optimizer, "clock": self.clock}

    def step(self, number: int) -> dict[str, float]:
        """One step on the same sharp crops under both kinds of blur."""
        began = time.perf_counter()
        job = self.job
        # down to zero, so that the means of its normalisation are those of its last weights
        for group in self.optimizer.param_groups:
            group["lr"] = self.lr * cosine(number / self.steps)
        sharp, _ = job.pairs.batch(job.crop, self.half, job.run.seed, self.name, number)
        sharp = sharp.to(job.run.numerics.device)
        seen = torch.cat([self.known.batch(sharp, number), self.other.batch(sharp, number)])
        wanted = torch.arange(2, device=seen.device).flip(0).repeat_interleave(self.half)
        with job.run.numerics.autocast():
            logits = self._logits(seen)
        loss = F.cross_entropy(logits.float(), wanted)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        self.clock.seconds += time.perf_counter() - began
        right = (logits.argmax(1) == wanted).float().mean()
        return {"loss": loss.item(), "accuracy": right.item()}

    @torch.no_grad()
    def known_share(self, pictures: Tensor) -> float:
        """Return the percentage of `(B, 3, H, W)` that is taken for known blur."""
        self.network.eval()
        classes = [self._logits(part).argmax(1) for part in torch.split(pictures, _AT_ONCE)]
        return 100 * float(torch.cat(classes).float().mean())

    def _logits(self, pictures: Tensor) -> Tensor:
        # about zero, with a deviation of about one: what the network is made for
        logits: Tensor = self.network(4 * (pictures - 0.5))
        return logits


def check_converter(
    job: Job, config: AdversarialConfig, test: PictureSet, pairs: PairSet,
    *, steps: int, batch: int, lr: float,
) -> dict[str, float]:  # fmt: skip
    """Return both accuracies in per cent, for pictures as they came and as G converts them.

    Args:
        job: of the finished run.
        config: of the finished run.
        test: blurry pictures of the camera that nothing was trained on.
        pairs: true pairs of the camera; G never sees them.
        steps: of the classifier's training.
        batch: of the classifier's training.
        lr: of the classifier's training.
    """
    finished = AdversarialStage(job, config)
    run_stage(finished, job.run)  # nothing is left to train: the networks come from the checkpoint
    judge = KnownBlurClassifier(job, config, pairs, steps=steps, batch=batch, lr=lr)
    run_stage(judge, job.run)
    blurry = CropSampler(test, job.crop, job.run.seed, _CROPS).batch(0, COUNT)
    blurry = blurry.to(job.run.numerics.device)
    converted = _converted(finished, blurry)
    return {
        "Acc1 input": _known_to_d(finished, blurry, convert=False),
        "Acc1 converted": _known_to_d(finished, blurry, convert=True),
        "Acc2 input": judge.known_share(_as_stored(blurry, job.run.seed)),
        "Acc2 converted": judge.known_share(_as_stored(converted, job.run.seed)),
    }


@torch.no_grad()
def _converted(stage: AdversarialStage, blurry: Tensor) -> Tensor:
    made: list[Tensor] = []
    for part in torch.split(blurry, _AT_ONCE):
        with stage.run.numerics.autocast():
            made.append(stage.ema.shadow(part)[-1].float().clamp(0, 1))
    return torch.cat(made)


@torch.no_grad()
def _known_to_d(stage: AdversarialStage, blurry: Tensor, *, convert: bool) -> float:
    """Return the percentage that D takes for real, by the mean of logits over places and levels.

    D sees what it saw in training: G's own pyramid, or the picture's resampled as K's is.
    """
    config, verdicts = stage.config, list[Tensor]()
    stage.discriminator.eval()
    for number, part in enumerate(torch.split(blurry, _AT_ONCE)):
        seed_torch(stage.run.seed, _CROPS, number)  # of the noise on all that D sees
        with stage.run.numerics.autocast():
            outputs = stage.judged(stage.ema.shadow(part))
            before = stage.judged([_as_stored(part, stage.run.seed)])[-1]
        sizes, how = level_sizes(outputs, config.scales), config.resampling
        levels = (
            translated_pyramid(outputs, sizes, how, own=config.own_levels)
            if convert
            else pyramid(before, sizes, how)
        )
        logits = [seen.mean((1, 2, 3)) for seen in stage.objective.judge(levels)]
        verdicts.append(torch.stack(logits).mean(0) > 0)
    return 100 * float(torch.cat(verdicts).float().mean())


def _as_stored(pictures: Tensor, seed: int) -> Tensor:
    return stored(pictures, torch_rng(seed, _CROPS))

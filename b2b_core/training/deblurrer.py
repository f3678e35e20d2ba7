"""Supervised training of a known domain's deblurrer on the domain's pairs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import torch
from attrs import frozen
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from b2b_core.data.pairs import LoadedPair, PairSet
from b2b_core.data.seeding import numpy_rng
from b2b_core.metrics import psnr
from b2b_core.training.clock import Clock
from b2b_core.training.ema import Ema
from b2b_core.training.objectives import charbonnier, cosine
from b2b_core.training.run import Run
from b2b_core.training.stage import Stage


@frozen
class DeblurrerTraining:
    """Options of `b2b train deblurrer`."""

    steps: int = 6000
    batch: int = 8
    #: Side of the crops in pixels.
    crop: int = 128
    lr: float = 1e-3
    ema: float = 0.999


class DeblurrerStage(Stage):
    """Charbonnier error, Adam with a cosine learning rate, averaged weights.

    Args:
        network: learns in place; `average` holds the weights to keep.
        pairs: what it learns from.
        held_out: pairs that are only measured on; may be empty.
        config: lengths and rates.
        run: folder, seed and device.
    """

    name = "deblurrer"
    title = "training the deblurrer"

    def __init__(
        self, network: nn.Module, pairs: PairSet, held_out: Sequence[LoadedPair],
        config: DeblurrerTraining, run: Run,
    ) -> None:  # fmt: skip
        self.steps = config.steps
        self.network = network.train().requires_grad_(True)
        self.pairs, self.held_out, self.config, self.run = pairs, held_out, config, run
        self.optimizer: Optimizer = Adam(network.parameters(), config.lr, (0.9, 0.99))
        self.ema = Ema(network, config.ema)
        self.clock = Clock()

    @property
    def average(self) -> nn.Module:
        """The averaged network."""
        return self.ema.shadow

    def parts(self) -> dict[str, Any]:
        """Return the network, its average, the optimiser and the time it took."""
        return {
            "network": self.network, "average": self.ema.shadow, "optimizer": self.optimizer,
            "clock": self.clock,
        }  # fmt: skip

    def step(self, number: int) -> dict[str, float]:
        """One step on a fresh batch of crops, turned and mirrored."""
        began = time.perf_counter()
        config, device = self.config, self.run.numerics.device
        for group in self.optimizer.param_groups:
            group["lr"] = config.lr * cosine(number / self.steps)
        crops = self.pairs.batch(config.crop, config.batch, self.run.seed, self.name, number)
        sharp, blurry = turn(crops, self.run.seed, number)
        with self.run.numerics.autocast():
            restored = self.network(blurry.to(device))
        loss = charbonnier(restored.float(), sharp.to(device))
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.ema.update(number)
        self.clock.seconds += time.perf_counter() - began
        return {"loss": loss.item()}

    def validate(self, number: int) -> dict[str, float]:  # noqa: ARG002 - as in Stage
        """Return mean PSNR (rgb-uint8) of held-out pairs, before and after."""
        if not self.held_out:
            return {}
        return measure(self.ema.shadow, self.held_out, self.run)


@torch.no_grad()
def measure(network: nn.Module, pairs: Sequence[LoadedPair], run: Run) -> dict[str, float]:
    """Return mean PSNR of pairs, cut to a multiple of 16 pixels, before and after deblurring."""
    before, after = list[float](), list[float]()
    for pair in pairs:
        height, width = (side // 16 * 16 for side in pair.sharp.shape[1:])
        sharp, blurry = (
            picture[None, :, :height, :width].to(run.numerics.device).float() / 255
            for picture in (pair.sharp, pair.blurry)
        )
        with run.numerics.autocast():
            restored = network(blurry).float()
        before.append(float(psnr(blurry, sharp)))
        after.append(float(psnr(restored, sharp)))
    count = len(pairs)
    return {"blurry_psnr": sum(before) / count, "psnr": sum(after) / count}


def turn(pictures: Sequence[Tensor], seed: int, step: int) -> list[Tensor]:
    """Turn by a multiple of 90 degrees and mirror, all pictures of the batch alike.

    Args:
        pictures: square batches `(B, 3, c, c)` that belong together.
        seed: the run's seed.
        step: which of the eight is a pure function of (seed, step).
    """
    rng = numpy_rng(seed, "turn", step)
    quarter, mirror = int(rng.integers(4)), bool(rng.integers(2))
    turned = [picture.rot90(quarter, (-2, -1)) for picture in pictures]
    return [p.flip(-1) if mirror else p for p in turned]

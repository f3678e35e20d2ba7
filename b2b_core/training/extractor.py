"""Training of a kernel extractor on a domain's pairs.

Tran et al. (CVPR 2021) train by self-reconstruction: the code of a pair, applied to the pair's own
sharp picture, has to give its blurry one. Nothing then keeps the blurry picture itself from
travelling through the code. Here a share of the codes is taken from another window of the same
picture than the one they are applied to: only what both windows have in common, the blur, helps.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from attrs import field, frozen
from attrs.validators import and_, ge, gt, le
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from b2b_core.contracts import BlurCode, KernelExtractor
from b2b_core.data.pairs import LoadedPair, PairSet
from b2b_core.data.seeding import numpy_rng
from b2b_core.metrics import psnr
from b2b_core.training.clock import Clock
from b2b_core.training.deblurrer import turn
from b2b_core.training.ema import Ema
from b2b_core.training.objectives import charbonnier, cosine
from b2b_core.training.run import Run
from b2b_core.training.stage import Stage

#: Held-out windows that every measurement looks at.
_MEASURED = 24


@frozen
class ExtractorTraining:
    """Options of `b2b train extractor`."""

    steps: int = field(default=6000, validator=ge(1))
    batch: int = field(default=8, validator=ge(1))
    #: Side of the windows in pixels.
    crop: int = field(default=96, validator=ge(16))
    lr: float = field(default=5e-4, validator=gt(0.0))
    ema: float = field(default=0.998, validator=and_(ge(0.0), le(1.0)))
    #: Share of the codes that come from another window than the one they are applied to.
    cross: float = field(default=0.5, validator=and_(ge(0.0), le(1.0)))
    #: How far the two windows are apart at most, along each side, as a share of their side.
    shift: float = field(default=0.75, validator=and_(ge(0.0), le(4.0)))
    #: Weight of the divergence of codes that are distributions from N(0, 1).
    divergence: float = field(default=10.0, validator=ge(0.0))


@frozen(eq=False)
class Windows:
    """Aligned crops `(B, 3, c, c)`: where codes are taken from, and what they are applied to."""

    source_sharp: Tensor
    source_blurry: Tensor
    sharp: Tensor
    blurry: Tensor


class ExtractorStage(Stage):
    """Charbonnier error of the re-blurred picture, Adam, cosine rate, averaged weights.

    Args:
        network: a kernel extractor; learns in place, `average` holds the weights to keep.
        pairs: what it learns from; no side shorter than the crop.
        held_out: pairs that are only measured on; may be empty.
        config: lengths and rates.
        run: folder, seed and device.
    """

    name = "extractor"
    title = "training the kernel extractor"

    def __init__(
        self,
        network: nn.Module,
        pairs: PairSet,
        held_out: Sequence[LoadedPair],
        config: ExtractorTraining,
        run: Run,
    ) -> None:
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
        """Return the network, its average, the optimiser and the time spent."""
        return {
            "network": self.network,
            "average": self.ema.shadow,
            "optimizer": self.optimizer,
            "clock": self.clock,
        }

    def step(self, number: int) -> dict[str, float]:
        """One step on fresh windows, turned and mirrored."""
        began = time.perf_counter()
        config, seed = self.config, self.run.seed
        for group in self.optimizer.param_groups:
            group["lr"] = config.lr * cosine(number / self.steps)
        drawn = draw_windows(self.pairs, config, seed, self.name, number)
        turned = turn(
            (drawn.source_sharp, drawn.source_blurry, drawn.sharp, drawn.blurry), seed, number
        )
        windows = Windows(*(crops.to(self.run.numerics.device) for crops in turned))
        extractor = cast("KernelExtractor", self.network)
        with self.run.numerics.autocast():
            code = extractor.extract(windows.source_sharp, windows.source_blurry)
            blurred = extractor.reblur(windows.sharp, _sampled(code))
        error = charbonnier(blurred.float(), windows.blurry)
        loss = error + config.divergence * divergence(code) / blurred.numel()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.ema.update(number)
        self.clock.seconds += time.perf_counter() - began
        return {"loss": float(error.detach())}

    def validate(self, number: int) -> dict[str, float]:  # noqa: ARG002 - as in Stage
        """Return the PSNR of re-blurred held-out windows, by where their code came from."""
        if not self.held_out:
            return {}
        pairs = PairSet(self.held_out, self.pairs.domain)
        return measure_extractor(self.ema.shadow, pairs, self.config, self.run)


def divergence(code: BlurCode) -> Tensor:
    """Return twice the KL divergence from N(0, 1), summed; 0 for a code without deviation."""
    if code.sigma is None:
        return code.mean.new_zeros(())
    mean, variance = code.mean.float(), code.sigma.float().square()
    return (mean.square() + variance - (variance + 1e-8).log() - 1).sum()


def draw_windows(
    pairs: PairSet, config: ExtractorTraining, seed: int, stream: str, step: int
) -> Windows:
    """Return windows of a batch, a pure function of (seed, stream, step)."""
    drawn: list[list[Tensor]] = []
    rngs = [numpy_rng(seed, stream, step, slot) for slot in range(config.batch)]
    chosen = pairs.load([int(rng.integers(len(pairs))) for rng in rngs])
    for rng, pair in zip(rngs, chosen, strict=True):
        height, width = pair.sharp.shape[1:]
        top = int(rng.integers(height - config.crop + 1))
        left = int(rng.integers(width - config.crop + 1))
        source_top, source_left = top, left
        if rng.random() < config.cross:
            reach = round(config.shift * config.crop)
            source_top = _shifted(rng, top, reach, height - config.crop)
            source_left = _shifted(rng, left, reach, width - config.crop)
        drawn.append(
            [
                side[:, y : y + config.crop, x : x + config.crop]
                for y, x in ((source_top, source_left), (top, left))
                for side in (pair.sharp, pair.blurry)
            ]
        )
    return Windows(*(torch.stack(crops).float() / 255 for crops in zip(*drawn, strict=True)))


@torch.no_grad()
def measure_extractor(
    network: nn.Module, pairs: PairSet, config: ExtractorTraining, run: Run
) -> dict[str, float]:
    """Return mean PSNR in dB (rgb-uint8) of re-blurred windows against the blurry ones.

    `self_psnr`: with the window's own code; `same_psnr`: with a code from another window of the
    same picture; `other_psnr`: with one from another picture (absent if there is only one);
    `sharp_psnr`: the sharp window as it is. If codes hold blur and not content, `same_psnr` lies
    well above `other_psnr` and `sharp_psnr`.
    """
    seed, side = run.seed, config.crop
    scores: dict[str, list[float]] = {}
    extractor = cast("KernelExtractor", network)
    for number in range(_MEASURED):
        rng = numpy_rng(seed, "extractor-measured", number)
        index = number % len(pairs)
        other = int(rng.integers(len(pairs) - 1)) if len(pairs) > 1 else index
        other += other >= index and len(pairs) > 1
        one, another = pairs.load([index, other])
        here, near = _neighbours(one, side, rng)
        far, _ = _neighbours(another, side, rng)
        sources = {"self": here, "same": near} | ({"other": far} if other != index else {})
        sharp, blurry = (crop.to(run.numerics.device) for crop in here)
        scores.setdefault("sharp_psnr", []).append(float(psnr(sharp, blurry)))
        for name, source in sources.items():
            with run.numerics.autocast():
                taken = (crop.to(run.numerics.device) for crop in source)
                made = extractor.reblur(sharp, extractor.extract(*taken).mean)
            score = float(psnr(made.float(), blurry))
            scores.setdefault(f"{name}_psnr", []).append(score)
    return {name: sum(values) / len(values) for name, values in scores.items()}


def _neighbours(
    pair: LoadedPair, side: int, rng: np.random.Generator
) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Return two windows of one pair, side by side where it is large enough."""
    height, width = pair.sharp.shape[1:]
    top, left = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
    beside = left + side if left + 2 * side <= width else max(0, left - side)

    def window(x: int) -> tuple[Tensor, Tensor]:
        sharp, blurry = (
            picture[None, :, top : top + side, x : x + side].float() / 255
            for picture in (pair.sharp, pair.blurry)
        )
        return sharp, blurry

    return window(left), window(beside)


def _shifted(rng: np.random.Generator, place: int, reach: int, last: int) -> int:
    """Return a place in [0, last], at most `reach` away from `place`."""
    return int(rng.integers(max(0, place - reach), min(last, place + reach) + 1))


def _sampled(code: BlurCode) -> Tensor:
    if code.sigma is None:
        return code.mean
    return code.mean + code.sigma * torch.randn_like(code.mean)

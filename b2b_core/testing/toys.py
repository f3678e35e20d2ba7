"""The smallest adaptation: pictures of a few pixels and networks of a few weights."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from b2b_core.catalogue import Catalogue
from b2b_core.contracts import BlurCode
from b2b_core.data.pairs import LoadedPair, PairSet
from b2b_core.data.pictures import PictureSet, TrainingPicture
from b2b_core.networks import NetworkFile
from b2b_core.registry import load_registry
from b2b_core.testing.check import skip
from b2b_core.testing.inputs import blurred, pictures
from b2b_core.training.job import Job, Part
from b2b_core.training.precision import Numerics
from b2b_core.training.run import Run
from b2b_core.typed_torch import random

#: Side of the pictures and of the crops, and what the sides of networks are multiples of.
SIDE, CROP, MULTIPLE = 160, 32, 4
#: Whole numbers that say how long or how much is trained, and what they become.
_LONG = re.compile(
    r"(.*_)?(steps|epochs|iterations|iters|warmup|hold|grow|batch|batch_size|samples|kernels)"
)
SHORT = 2


class Translator(nn.Module):
    """A pyramid at 1/4, 1/2 and 1 from one convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return the pyramid."""
        full = image + 0.1 * self.conv(image)
        return [F.avg_pool2d(full, 4), F.avg_pool2d(full, 2), full]


class Deblurrer(nn.Module):
    """One convolution beside the identity."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        """Return a picture of the same size."""
        corrected: Tensor = image + 0.1 * self.conv(image)
        return corrected


class Discriminator(nn.Module):
    """Two layers, shared by the levels."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 4, 3), nn.LeakyReLU(0.2), nn.Conv2d(4, 1, 3))

    def forward(self, pyramid: Sequence[Tensor]) -> list[Tensor]:
        """Return one map of logits per level."""
        return [self.layers(level) for level in pyramid]


class Extractor(nn.Module):
    """Its code is the mean difference of a pair, per colour; reblurring adds that."""

    def extract(self, sharp: Tensor, blurry: Tensor) -> BlurCode:
        """Return three numbers per pair."""
        return BlurCode((blurry - sharp).mean((2, 3), keepdim=True))

    def reblur(self, sharp: Tensor, code: Tensor) -> Tensor:
        """Return the picture with the code added."""
        return sharp + code


class Features(nn.Module):
    """Differences of neighbours, along and across."""

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return two maps."""
        return [image[..., 1:] - image[..., :-1], image[..., 1:, :] - image[..., :-1, :]]


NETWORKS: Mapping[str, Callable[[], nn.Module]] = {
    "translator": Translator,
    "deblurrer": Deblurrer,
    "discriminator": Discriminator,
    "kernel-extractor": Extractor,
    "feature-extractor": Features,
}


def part(kind: str) -> Part:
    """Return a toy under the name of the index's default; its weights are the same every time."""
    with random.fork_rng(devices=[]):
        random.manual_seed(0)
        return Part(kind, load_registry().defaults.get(kind, "toy"), {}, NETWORKS[kind]())


class ImpatientRun(Run):
    """A run that is given up once it takes too long."""

    deadline: float = 0.0

    def log_step(self, stage: str, step: int, numbers: Mapping[str, float]) -> None:
        """Log a step, or end the check."""
        if time.monotonic() > self.deadline:
            skip(
                f"an adaptation takes too long to check: it was given up in '{stage}', step {step};"
                " a preset 'tiny' would be used instead of shortened defaults"
            )
        super().log_step(stage, step, numbers)


def job(folder: Path, catalogue: Catalogue, seconds: float) -> Job:
    """Return a job of toys that is given up after `seconds`; `folder` is its run folder."""
    # every step is logged, for that is where the time is looked at
    run = ImpatientRun(
        folder, 0, Numerics("cpu", "float32"), catalogue, log_every=1, log=_silence()
    )
    run.deadline = time.monotonic() + seconds
    deblurrer = part("deblurrer")
    deblurrer.module.eval().requires_grad_(False)
    return Job(
        blurry=_set("blurry", 4, 1, blur=True),
        sharp=_set("sharp", 4, 2),
        held_blurry=_set("blurry", 2, 3, blur=True),
        held_sharp=_set("sharp", 2, 4),
        domain="toy",
        pairs=_pairs(),
        crop=CROP,
        multiple=MULTIPLE,
        deblurrer=deblurrer,
        deblurrer_file=NetworkFile(
            path=folder / "none.safetensors", kind="deblurrer", component=deblurrer.component
        ),
        build=part,
        run=run,
    )


def shortened(config: Any) -> Any:  # noqa: ANN401 - of a plugin's class
    """Return options whose whole numbers called `steps`, `..._steps`, `batch`, ... are 2."""
    changes: dict[str, object] = {}
    for field in attrs.fields(config.__class__):
        value = getattr(config, field.name)
        if attrs.has(value.__class__):
            changes[field.alias] = shortened(value)
        elif type(value) is int and value > SHORT and _LONG.fullmatch(field.name):
            changes[field.alias] = SHORT
    return attrs.evolve(config, **changes)


def _silence() -> Any:  # noqa: ANN401 - structlog's wrappers are untyped
    """Return a logger that shows nothing: toys give rise to warnings that mean nothing."""
    import structlog

    quiet = structlog.make_filtering_bound_logger(logging.CRITICAL)
    return structlog.wrap_logger(structlog.ReturnLogger(), wrapper_class=quiet)


def _levels(count: int, seed: int, *, blur: bool) -> list[Tensor]:
    image = pictures(count, SIDE, SIDE, seed)
    image = blurred(image) if blur else image
    return list((image * 255).round().to(torch.uint8))


def _set(role: str, count: int, seed: int, *, blur: bool = False) -> PictureSet:
    return PictureSet(
        [
            TrainingPicture(Path(f"{role}-{seed}-{i}.png"), f"{role}-{seed}-{i}", pixels)
            for i, pixels in enumerate(_levels(count, seed, blur=blur))
        ],
        role,
    )


def _pairs() -> PairSet:
    both = zip(_levels(3, 5, blur=True), _levels(3, 5, blur=False), strict=True)
    return PairSet([LoadedPair(one, other, str(i)) for i, (one, other) in enumerate(both)], "toy")

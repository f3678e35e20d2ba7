"""Toys for the adversarial strategy: networks of a few weights, random textures, a job of them."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from b2b_core.catalogue import discover
from b2b_core.config import structure
from b2b_core.contracts import BlurCode
from b2b_core.data.pairs import LoadedPair, PairSet
from b2b_core.data.pictures import PictureSet, TrainingPicture
from b2b_core.training.job import Job, Part
from b2b_core.training.precision import Numerics
from b2b_core.training.run import Run
from b2b_plugin_adversarial import b2b_strategies
from b2b_plugin_adversarial.config import AdversarialConfig
from b2b_plugin_adversarial.stage import AdversarialStage

SIDE, CROP = 48, 32
CATALOGUE = discover()
(SPEC,) = b2b_strategies()


class Translator(nn.Module):
    """Two scales; starts as the identity."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        nn.init.zeros_(self.conv.weight)
        nn.init.zeros_(self.conv.bias)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return 1/2 and 1."""
        full = image + self.conv(image)
        return [F.avg_pool2d(full, 2), full]


class Discriminator(nn.Module):
    """One hidden layer, shared by the levels."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 8, 3), nn.LeakyReLU(0.2), nn.Conv2d(8, 1, 3))
        self.seen: list[list[tuple[int, ...]]] = []

    def forward(self, pyramid: list[Tensor]) -> list[Tensor]:
        """Return a map of logits per level."""
        self.seen.append([tuple(level.shape[-2:]) for level in pyramid])
        return [self.layers(level) for level in pyramid]


class Extractor(nn.Module):
    """Its code is how much darker the blurry picture of a pair is; it darkens."""

    def extract(self, sharp: Tensor, blurry: Tensor) -> BlurCode:
        """Return one number per pair."""
        return BlurCode((sharp - blurry).mean((1, 2, 3), keepdim=True))

    def reblur(self, sharp: Tensor, code: Tensor) -> Tensor:
        """Darken by the code."""
        return sharp - code


class Features(nn.Module):
    """Horizontal and vertical differences."""

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return two maps."""
        return [image[..., 1:] - image[..., :-1], image[..., 1:, :] - image[..., :-1, :]]


TOYS = {
    "translator": ("unet", Translator),
    "discriminator": ("patchgan", Discriminator),
    "kernel-extractor": ("kernel-space", Extractor),
    "feature-extractor": ("filter-bank", Features),
}


def build(kind: str) -> Part:
    """Return a toy whose first weights are always the same."""
    name, kind_of_toy = TOYS[kind]
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return Part(kind, name, {}, kind_of_toy())


def pictures(role: str, count: int, seed: int) -> PictureSet:
    """Return random textured pictures."""
    rng = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 3, SIDE // 8, SIDE // 8, generator=rng)
    smooth = F.interpolate(coarse, size=(SIDE, SIDE), mode="bilinear") * 200 + 20
    return PictureSet(
        [
            TrainingPicture(Path(f"{n}.png"), str(n), picture.round().to(torch.uint8))
            for n, picture in enumerate(smooth)
        ],
        role,
    )


def pairs() -> PairSet:
    """Return pairs, the blurry picture 10 levels darker."""
    return PairSet(
        [LoadedPair(p.pixels - 10, p.pixels, p.scene) for p in pictures("sharp", 3, 9)], "toy"
    )


def job(folder: Path, **run: object) -> Job:
    """Return a job of toys in `folder`."""
    return Job(
        blurry=pictures("blurry", 5, 0),
        sharp=pictures("sharp", 4, 1),
        held_blurry=pictures("blurry", 2, 2),
        held_sharp=pictures("sharp", 2, 3),
        domain="toy",
        pairs=pairs(),
        crop=CROP,
        deblurrer=Part("deblurrer", "unet", {}, nn.Identity()),
        build=build,
        run=Run(folder, 7, Numerics("cpu", "float32"), CATALOGUE, **run),  # type: ignore[arg-type]
        **{name: None for name in ("deblurrer_file", "multiple", "size") if has(name)},
    )


def recording(folder: Path) -> tuple[Job, list[str]]:
    """Return a job, and the list of the kinds of parts that it is asked for."""
    asked: list[str] = []

    def record(kind: str) -> Part:
        asked.append(kind)
        return build(kind)

    plain = job(folder)
    object.__setattr__(plain, "build", record)
    return plain, asked


def has(name: str) -> bool:
    """Tell whether a job has this further field."""
    return name in {a.name for a in Job.__attrs_attrs__}  # type: ignore[attr-defined]


#: The paper's game with every term of the objective.
ALL_TERMS = {
    "compare": "translated", "scales": [], "lambda_rec": 0.8, "identity_weight": 0.5,
    "colour_weight": 2.0, "known": {"source": "extractor"},
}  # fmt: skip


def config(**options: object) -> AdversarialConfig:
    """Return options for three quick steps of all parts of the objective."""
    quick = {"steps": 3, "batch": 2, "d_warmup": 1, "lr": 1e-2, "penalty": {"every": 2}}
    return structure(AdversarialConfig, quick | ALL_TERMS | options)


def weights(stage: AdversarialStage) -> dict[str, Tensor]:
    """Return all tensors of a stage by name."""
    parts = {"G": stage.translator, "mean": stage.ema.shadow, "D": stage.discriminator}
    return {f"{k}.{n}": t.clone() for k, m in parts.items() for n, t in m.state_dict().items()}


def pyramids(stage: AdversarialStage) -> tuple[list[Tensor], list[Tensor]]:
    """Return a real pyramid, and G's of the same picture."""
    image = torch.rand(2, 3, CROP, CROP)
    return [F.avg_pool2d(image, 2), image], stage.translator(image)


class Half(nn.Module):
    """A deblurrer that darkens by half."""

    def forward(self, image: Tensor) -> Tensor:
        """Return the picture at half its light."""
        return image / 2


RESTORED = {"compare": "restored", "scales": [0.5], "known": {"source": "extractor"}}


def restoring(folder: Path, **options: object) -> AdversarialStage:
    """Return a stage in which D compares F(G(y)) with S, F being `Half`."""
    made = job(folder)
    object.__setattr__(made, "deblurrer", Part("deblurrer", "unet", {}, Half()))
    return AdversarialStage(made, structure(AdversarialConfig, RESTORED | {"batch": 2} | options))


@pytest.fixture
def toys() -> SimpleNamespace:
    """Return what tests build their stages of."""
    return SimpleNamespace(
        spec=SPEC, job=job, config=config, build=build, weights=weights, pyramids=pyramids,
        restoring=restoring, recording=recording, Features=Features,
    )  # fmt: skip

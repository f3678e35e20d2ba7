"""Table 6: the judges judge blur, and what they are shown."""

from pathlib import Path

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
from b2b_core.training.stage import run_stage
from b2b_plugin_adversarial.checks import KnownBlurClassifier, check_converter
from b2b_plugin_adversarial.config import AdversarialConfig
from b2b_plugin_adversarial.stage import AdversarialStage

SIDE, CROP = 48, 32
CONFIG = structure(
    AdversarialConfig,
    {"steps": 1, "batch": 2, "d_warmup": 0, "ema": 0.0, "lambda_rec": 0.0, "lr": 1e-9,
     "discriminator_lr": 1e-9, "known": {"source": "extractor", "noise": False}},
)  # fmt: skip


class Identity(nn.Module):
    """A translator that changes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(()))

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return the picture."""
        return [image + self.shift]


class Brightness(nn.Module):
    """A discriminator that takes bright pictures for known blur."""

    def __init__(self) -> None:
        super().__init__()
        self.threshold = nn.Parameter(torch.tensor(0.5))

    def forward(self, pyramid: list[Tensor]) -> list[Tensor]:
        """Return one logit per pixel."""
        return [50 * (level.mean(1, keepdim=True) - self.threshold) for level in pyramid]


class Smoother(nn.Module):
    """Its code is how much flatter the blurry picture of a pair is; it mixes with a mean."""

    def extract(self, sharp: Tensor, blurry: Tensor) -> BlurCode:
        """Return the share of detail that is gone, one number per pair."""
        left = detail(blurry) / detail(sharp)
        return BlurCode((1 - left).clamp(0, 1).view(-1, 1, 1, 1))

    def reblur(self, sharp: Tensor, code: Tensor) -> Tensor:
        """Take that share of the detail away."""
        mean = F.avg_pool2d(F.pad(sharp, (2, 2, 2, 2), "reflect"), 5, 1)
        return (1 - code) * sharp + code * mean


def detail(image: Tensor) -> Tensor:
    """Return the mean difference of neighbours of each picture."""
    return (image[..., 1:] - image[..., :-1]).abs().mean((1, 2, 3))


def pictures(count: int, seed: int, level: float = 0.5) -> PictureSet:
    """Return noise about a level."""
    rng = torch.Generator().manual_seed(seed)
    levels = 255 * (level + 0.3 * (torch.rand(count, 3, SIDE, SIDE, generator=rng) - 0.5))
    return PictureSet(
        [
            TrainingPicture(Path(f"{n}.png"), str(n), p.to(torch.uint8))
            for n, p in enumerate(levels)
        ],
        "pictures",
    )


def pairs(share: float) -> PairSet:
    """Return pairs whose blurry picture has lost a share of its detail."""
    loaded = []
    for picture in pictures(3, 9):
        sharp = picture.as_float()
        blurry = Smoother().reblur(sharp, torch.tensor(share)) * 255
        loaded.append(LoadedPair(blurry[0].round().to(torch.uint8), picture.pixels, picture.scene))
    return PairSet(loaded, "toy")


def build(kind: str) -> Part:
    """Return a toy of a kind."""
    toys = {
        "translator": ("unet", Identity),
        "discriminator": ("patchgan", Brightness),
        "kernel-extractor": ("kernel-space", Smoother),
    }
    name, toy = toys[kind]
    return Part(kind, name, {}, toy())


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """Return a job of toys; the known blur takes hardly any detail."""
    run = Run(tmp_path, 7, Numerics("cpu", "float32"), discover())
    return Job(
        blurry=pictures(3, 0), sharp=pictures(3, 1), held_blurry=pictures(2, 2),
        held_sharp=pictures(2, 3), domain="toy", pairs=pairs(0.1), crop=CROP, multiple=1,
        deblurrer=Part("deblurrer", "unet", {}, nn.Identity()), deblurrer_file=None, build=build,
        run=run,
    )  # fmt: skip


def test_the_classifier_learns_to_tell_two_kinds_of_blur(job):
    """After some steps sharp pictures under known blur are known, those under the camera's not."""
    judge = KnownBlurClassifier(job, CONFIG, pairs(0.9), steps=30, batch=16, lr=5e-4)
    for module in judge.network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.5  # its means have few steps to settle
    run_stage(judge, job.run)
    sharp = torch.cat([picture.as_float() for picture in pictures(8, 5)])[..., :CROP, :CROP]
    smoother = Smoother()
    assert judge.known_share(smoother.reblur(sharp, torch.tensor(0.1))) >= 75
    assert judge.known_share(smoother.reblur(sharp, torch.tensor(0.9))) <= 25


@pytest.mark.parametrize(("level", "wanted"), [(0.8, 100.0), (0.2, 0.0)])
def test_d_judges_the_test_pictures_and_what_g_makes_of_them(job, level, wanted):
    """Bright pictures are K to a D that likes light; a G that does nothing changes no verdict."""
    run_stage(AdversarialStage(job, CONFIG), job.run)
    found = check_converter(
        job, CONFIG, pictures(4, 6, level), pairs(0.9), steps=1, batch=2, lr=1e-3
    )
    assert found["Acc1 input"] == found["Acc1 converted"] == wanted
    assert found["Acc2 input"] == found["Acc2 converted"]


def test_the_checks_go_on_where_they_were(job, monkeypatch):
    """A second call trains neither G nor the classifier again, and says the same."""
    run_stage(AdversarialStage(job, CONFIG), job.run)
    call = {"steps": 2, "batch": 2, "lr": 1e-3}
    first = check_converter(job, CONFIG, pictures(4, 6), pairs(0.9), **call)
    monkeypatch.setattr(KnownBlurClassifier, "step", lambda *_: pytest.fail("trains"))
    monkeypatch.setattr(AdversarialStage, "step", lambda *_: pytest.fail("trains"))
    assert check_converter(job, CONFIG, pictures(4, 6), pairs(0.9), **call) == first

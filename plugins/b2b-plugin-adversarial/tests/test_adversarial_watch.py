"""Games built to fail are named in plain words within the first tenth; a healthy one is not."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch import nn
from torch.nn import functional as F

from b2b_core.catalogue import discover
from b2b_core.config import structure
from b2b_core.contracts import BlurCode
from b2b_core.data.pairs import LoadedPair, PairSet
from b2b_core.data.pictures import PictureSet, TrainingPicture
from b2b_core.training.job import Job, Part
from b2b_core.training.precision import Numerics
from b2b_core.training.run import Run
from b2b_core.training.stage import run_stage, tenth
from b2b_plugin_adversarial.config import AdversarialConfig
from b2b_plugin_adversarial.stage import AdversarialStage
from b2b_plugin_adversarial.watch import Watch

PAGE = (Path(__file__).parents[3] / "docs" / "warnings.md").read_text()
HEADINGS = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
CATALOGUE = discover()
SIDE, CROP, STEPS = 64, 32, 1000


class Translator(nn.Module):
    """Two scales of the picture and a convolution's residual, which may be off, and a shift."""

    def __init__(self, scale=1.0, red=0.0):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        nn.init.zeros_(self.conv.weight)
        nn.init.zeros_(self.conv.bias)
        self.scale = scale
        self.register_buffer("red", torch.tensor([red, 0.0, 0.0]).view(1, 3, 1, 1))

    def forward(self, image):
        full = image + self.scale * self.conv(image) + self.red
        return [F.avg_pool2d(full, 2), full]


class Brightness(nn.Module):
    """A discriminator that takes bright pictures for known blur."""

    def __init__(self, gain):
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(gain))

    def forward(self, pyramid):
        return [self.gain * (level.mean((1, 2, 3), keepdim=True) - 0.5) for level in pyramid]


class Guess(nn.Module):
    """A discriminator whose logits have next to nothing to do with the picture."""

    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(1.0))

    def forward(self, pyramid):
        return [self.gain * torch.randn_like(x[:, :1]) + 1e-6 * x[:, :1] for x in pyramid]


class Sharpness(nn.Module):
    """A discriminator that sees blur: edges in patches of each of two levels, against a limit."""

    def __init__(self):
        super().__init__()
        self.limits = nn.Parameter(torch.tensor([-2.9, -3.6]))

    def forward(self, pyramid):
        edges = [
            (level[..., 1:] - level[..., :-1]).abs().mean(1, keepdim=True) for level in pyramid
        ]
        patches = [F.avg_pool2d(edge, 8, 4).log() for edge in edges]
        return [4 * (p - limit) for p, limit in zip(patches, self.limits, strict=True)]


class Extractor(nn.Module):
    """Its blur is a mean over 3 x 3 pixels, whatever the code."""

    def extract(self, sharp, blurry):
        return BlurCode((sharp - blurry).mean((1, 2, 3), keepdim=True))

    def reblur(self, sharp, code):
        padded = F.pad(sharp, (1, 1, 1, 1), mode="reflect")
        return F.avg_pool2d(padded, 3, 1) + 0 * code


class Features(nn.Module):
    """Differences to the right."""

    def forward(self, image):
        return [image[..., 1:] - image[..., :-1]]


def pictures(role, count, seed, *, sigma=0.0, mean=0.5):
    """Return random textures under a Gaussian blur."""
    rng = np.random.default_rng(seed)
    made = []
    for index in range(count):
        light = gaussian_filter(rng.random((SIDE, SIDE, 3)), (0.7, 0.7, 0))
        light = gaussian_filter((light - 0.5) / light.std() * 0.12 + mean, (sigma, sigma, 0))
        pixels = torch.from_numpy((light.clip(0, 1) * 255).round().astype(np.uint8))
        scene = f"{seed}-{index}"
        made.append(TrainingPicture(Path(scene), scene, pixels.permute(2, 0, 1).contiguous()))
    return PictureSet(made, role)


def stage_of(folder, *, translator=None, discriminator=None, means=(0.5, 0.5), **options):
    """Return a stage of `STEPS` steps on toys; G begins to learn after 20."""
    parts = {
        "translator": translator or Translator(),
        "discriminator": discriminator or Sharpness(),
        "kernel-extractor": Extractor(),
        "feature-extractor": Features(),
    }
    names = {"kernel-extractor": "kernel-space"}
    dark, bright = means
    blurry = pictures("blurry", 12, 0, sigma=1.2, mean=dark)
    sharp = pictures("sharp", 12, 1, mean=bright)
    run = Run(folder, 7, Numerics("cpu", "float32"), CATALOGUE, validate_every=10**6)
    job = Job(
        blurry=blurry, sharp=sharp, held_blurry=blurry[:2], held_sharp=sharp[:2], domain="toy",
        pairs=PairSet([LoadedPair(p.pixels, p.pixels, p.scene) for p in sharp[:3]], "toy"),
        crop=CROP, multiple=2, deblurrer=Part("deblurrer", "unet", {}, nn.Identity()),
        deblurrer_file=None, build=lambda kind: Part(kind, names.get(kind, kind), {}, parts[kind]),
        run=run,
    )  # fmt: skip
    quick = {"steps": STEPS, "batch": 2, "d_warmup": 20, "known": {"source": "extractor"}}
    quick |= {"compare": "translated", "scales": [], "lambda_rec": 0.8, "input_noise": 0.004}
    quick |= {"identity_weight": 0.5, "colour_weight": 2.0, "lr": 2e-4, "discriminator_lr": 4e-4}
    quick["augmentation"] = {"flip": False, "rotate": False, "jitter": 0.0}
    return AdversarialStage(job, structure(AdversarialConfig, quick | options))


class OverError(Exception):
    """A tenth of the steps is over."""


def first_tenth(stage):
    """Train a stage for a tenth of its steps; return its warnings, all of which are documented."""
    step = stage.step

    def stops(number):
        if number == tenth(STEPS):
            raise OverError
        return step(number)

    stage.step = stops
    with pytest.raises(OverError):
        run_stage(stage, stage.run)
    found = stage.run.warnings
    assert [m for m in found if not any(heading in m for heading in HEADINGS)] == []
    return found


@pytest.mark.parametrize(
    ("how", "word"),
    [
        (
            {
                "discriminator": lambda: Brightness(60.0),
                "translator": lambda: Translator(scale=0.02),
                "means": (0.3, 0.7),
            },
            "the discriminator wins",
        ),
        ({"discriminator": Guess}, "the discriminator is blind"),
        ({"translator": lambda: Translator(scale=0.0)}, "the translator is still the identity"),
        (
            {"translator": lambda: Translator(scale=0.0, red=15 / 255)},
            "colours or brightness drift by",
        ),
    ],
    ids=["D wins", "D blind", "identity", "colours"],
)
def test_a_game_that_fails_is_named_within_the_first_tenth(tmp_path, how, word):
    """D that sees something else than blur, D that sees nothing, G that cannot move or reddens."""
    made = {name: part() if callable(part) else part for name, part in how.items()}
    found = first_tenth(stage_of(tmp_path, **made))
    assert any(message.startswith(word) for message in found)
    others = [message for message in found if not message.startswith(word)]
    assert not [message for message in others if "discriminator" in message]


def test_a_healthy_game_is_not_named(tmp_path):
    """The discriminator of the defaults sees blur, G moves, and nothing is warned of."""
    stage = stage_of(tmp_path)
    assert first_tenth(stage) == []
    assert stage.watch.best > 0.6


@pytest.mark.parametrize(
    ("steps", "d_warmup", "blind", "wins"),
    [(4000, 600, 400, 50), (1000, 20, 100, 80), (1_000_000, 0, 400, 200), (300, 0, 100, 50)],
)
def test_when_d_is_judged(steps, d_warmup, blind, wins):
    """Blind after a tenth of the steps, winning in what of that tenth G has, both within limits."""

    class Listener:
        def __init__(self):
            self.warnings = []

        def warn(self, message):
            self.warnings.append(message.split(":")[0])

    real, fake = [torch.ones(1, 2, 2)], [torch.ones(1, 2, 2)]
    watch, heard = Watch(steps, d_warmup), Listener()
    for number in range(1, blind + 1):
        assert heard.warnings == []
        watch.update(real, fake)
        watch.warn(heard, number - d_warmup)
    assert heard.warnings == ["the discriminator is blind"]
    sure, heard = Watch(steps, d_warmup), Listener()
    for _ in range(60):
        sure.update([9 * real[0]], [-9 * fake[0]])
    sure.warn(heard, wins - 1)
    assert heard.warnings == []
    sure.warn(heard, wins)
    assert heard.warnings == ["the discriminator wins"]


@pytest.mark.parametrize(
    ("steps", "d_warmup", "look"), [(4000, 600, 650), (1000, 20, 100), (4000, 0, 400)]
)
def test_when_g_is_judged(tmp_path, steps, d_warmup, look):
    """After a tenth of the steps, and when G has learned for 50 of them."""
    assert stage_of(tmp_path, steps=steps, d_warmup=d_warmup).first_look == look

"""Runs built to fail: each is named in plain words in time; a healthy one is not."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch import nn

from b2b_core.catalogue import discover
from b2b_core.data.pairs import LoadedPair, PairSet
from b2b_core.data.pictures import PictureSet, TrainingPicture
from b2b_core.training.job import Job, Part
from b2b_core.training.precision import Numerics
from b2b_core.training.run import Run
from b2b_core.training.stage import run_stage, tenth
from b2b_plugin_reblur.camera import CameraModel
from b2b_plugin_reblur.candidates import FineTune
from b2b_plugin_reblur.config import CameraConfig, ReblurConfig, TrainingConfig
from b2b_plugin_reblur.heldout import HeldOut
from b2b_plugin_reblur.kernels import KernelDistribution
from b2b_plugin_reblur.refinement import Refinement
from b2b_plugin_reblur.spectrum_fit import JUDGED, SpectrumFit
from b2b_plugin_reblur.strategy import Reblur
from b2b_plugin_reblur.translators import Task
from b2b_plugin_reblur.watch import (
    Explained,
    GameWatch,
    fit_findings,
    kernel_findings,
    light_beyond,
)

PAGE = (Path(__file__).parents[3] / "docs" / "warnings.md").read_text()
HEADINGS = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
CATALOGUE = discover()
FIT = {"kernel": 9, "crop": 48, "spectrum_steps": 400, "spectrum_batch": 4, "spectrum_lr": 0.06}


def textures(seed, sigmas=(0.0, 0.0), change=None, count=14):
    """Return random textures under Gaussian blur of random width, changed in some way."""
    rng = np.random.default_rng(seed)
    pictures = []
    for index in range(count):
        light = gaussian_filter(rng.random((96, 96, 3)), (0.7, 0.7, 0))
        light = (light - light.mean()) / light.std() * 0.15 + 0.5
        sigma = rng.uniform(*sigmas)
        light = gaussian_filter(light, (sigma, sigma, 0)) if sigma else light
        levels = (change(light) if change else light).clip(0, 1) * 255
        pixels = torch.from_numpy(levels.round().astype(np.uint8)).permute(2, 0, 1).contiguous()
        pictures.append(TrainingPicture(Path(f"{seed}-{index}"), f"{seed}-{index}", pixels))
    return PictureSet(pictures, "test")


def striped(light):
    """Return a picture with a fine pattern, as a broken sensor gives it."""
    return light + 0.12 * np.sin(np.arange(96) * 2 * np.pi / 2.5)[None, :, None]


class Network(nn.Module):
    """A deblurrer or a translator: the picture, a convolution's residual and a shift of colours."""

    def __init__(self, scale=1.0, shift=(0.0, 0.0, 0.0), levels=False):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        nn.init.zeros_(self.conv.weight)
        nn.init.zeros_(self.conv.bias)
        self.scale, self.levels = scale, levels
        self.register_buffer("shift", torch.tensor(shift).view(1, 3, 1, 1))

    def forward(self, image):
        full = image + self.scale * self.conv(image) + self.shift
        return [full] if self.levels else full


class Discriminator(nn.Module):
    """Takes what is brighter than R(S) for real, or knows nothing at gain 0."""

    def __init__(self, gain):
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(gain))

    def forward(self, pyramid):
        return [self.gain * (level.mean((1, 2, 3), keepdim=True) - 0.59) for level in pyramid]


def job_of(folder, blurry, *, deblurrer=None, **parts):
    """Return a job on textures, with these networks."""

    def build(kind):
        return Part(kind, "toy", {}, parts[kind])

    run = Run(folder, 0, Numerics("cpu", "float32"), CATALOGUE, validate_every=10**6)
    known = [LoadedPair(one.pixels, one.pixels, one.scene) for one in textures(9)]
    return Job(
        blurry=blurry, sharp=textures(0), held_blurry=blurry[:3], held_sharp=textures(5, count=3),
        domain="toy", pairs=PairSet(known, "toy"), crop=32, multiple=1, deblurrer_file=None,
        deblurrer=Part("deblurrer", "toy", {}, deblurrer or Network()), build=build, run=run,
    )  # fmt: skip


def warned(run):
    """Return the warnings of a run, each of which has its section in the page."""
    assert [m for m in run.warnings if not any(heading in m for heading in HEADINGS)] == []
    return run.warnings


class OverError(Exception):
    """A tenth of the steps is over."""


def first_tenth(stage, run):
    """Train a stage for a tenth of its steps."""
    step = stage.step

    def stops(number):
        if number == tenth(stage.steps):
            raise OverError
        return step(number)

    stage.step = stops
    with pytest.raises(OverError):
        run_stage(stage, run)


def sizes(*, length=3.0, radius=1.5, length_spread=0.4, radius_spread=0.3, size=15):
    """Return kernels with these sizes."""
    kernels = KernelDistribution(size)
    with torch.no_grad():
        kernels.log_length.fill_(np.log(length))
        kernels.log_radius.fill_(np.log(radius))
        kernels.length_spread.fill_(np.log(length_spread))
        kernels.radius_spread.fill_(np.log(radius_spread))
    return kernels


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({}, []),
        ({"length": 0.9, "radius": 0.4}, ["no blur was found"]),
        ({"length": 0.9, "radius": 0.6}, []),
        ({"length": 30.0}, ["the camera's blur is wider than kernels of 15 pixels"]),
        ({"length_spread": 0.01, "radius_spread": 0.04}, ["the camera's blur collapsed"]),
        ({"length_spread": 0.01}, []),
        (
            {"radius": 0.6, "radius_spread": 1.5, "size": 61},
            ["the camera's blur runs away: its lens"],
        ),
        ({"length": 0.05, "length_spread": 1.4}, []),
    ],
)
def test_sizes_that_make_no_sense_are_named(how, words):
    """Sizes below what is blur, beyond the kernels, all alike or without bound; others are not."""
    assert [m[: len(w)] for m, w in zip(kernel_findings(sizes(**how)), words, strict=True)] == words


def test_light_beyond_the_border_by_area():
    """A disk of radius 8 has 81 of its 64 pi square pixels within 9 x 9."""
    kernels = sizes(length=0.01, radius=8.0, radius_spread=1e-6, size=9)
    with torch.no_grad():
        kernels.softness.fill_(-20)
    assert light_beyond(kernels) == pytest.approx(1 - 81 / (64 * np.pi), abs=0.02)


def test_what_a_fit_leaves_is_told_where_it_is_more_than_chance():
    """Little distance is no blur; much of it left is told with its share; a good fit is not."""
    assert [m.split(":")[0] for m in fit_findings(Explained(0.2, 0.1))] == ["no blur was found"]
    (message,) = fit_findings(Explained(4.0, 3.0))
    assert "explains 25% of what tells" in message
    assert fit_findings(Explained(4.0, 0.6)) == fit_findings(Explained(1.2, 0.45)) == []


def test_by_default_r_is_judged_within_the_first_tenth():
    """The first judgement of R by spectra comes within a tenth of the shortest run."""
    config = ReblurConfig()
    whole = config.camera.spectrum_steps + config.camera.steps + config.finetune.steps
    assert tenth(whole) >= JUDGED


@pytest.mark.parametrize(
    ("blurry", "kernel", "words"),
    [
        ({"sigmas": (0.8, 2.0)}, 9, []),
        ({}, 9, ["no blur was found"]),
        ({"sigmas": (4.0, 6.0)}, 7, ["the camera's blur is wider than"]),
        ({"sigmas": (0.8, 2.0), "change": striped}, 9, ["the camera's blur model explains"]),
    ],
    ids=["healthy", "no blur", "too wide", "something else than blur"],
)
def test_a_fit_that_goes_astray_is_named_at_its_end(tmp_path, blurry, kernel, words):
    """R is fitted to blur, to none, to too much of it and to stripes: it says which."""
    job, config = job_of(tmp_path, textures(1, **blurry)), CameraConfig(**{**FIT, "kernel": kernel})
    torch.manual_seed(0)
    run_stage(SpectrumFit(job, CameraModel(config), config), job.run)
    assert bool(warned(job.run)) == bool(words)
    assert all(any(word in message for message in job.run.warnings) for word in words)


@pytest.mark.parametrize(
    ("gain", "change", "word"),
    [
        (300.0, lambda light: light + 0.17, "the discriminator wins"),
        (0.0, striped, "the discriminator is blind"),
        (0.0, None, None),
    ],
    ids=["wins", "blind", "nothing left to see"],
)
def test_a_d_that_teaches_nothing_is_named_in_time(tmp_path, gain, change, word):
    """D that sees brightness wins; D that sees nothing is blind, unless R explains all there is."""
    blurry = textures(1, (0.8, 2.0), change)
    job = job_of(tmp_path, blurry, discriminator=Discriminator(gain))
    config = CameraConfig(**FIT, steps=60, batch=2)
    torch.manual_seed(0)
    camera = CameraModel(config)
    warmup = SpectrumFit(job, camera, config)
    if word is None:
        run_stage(warmup, job.run)
    first_tenth(Refinement(job, camera, warmup.match, config), job.run)
    found = [message for message in warned(job.run) if "discriminator" in message]
    assert [message[: len(word or "")] for message in found] == ([word] if word else [])


@pytest.mark.parametrize(
    ("cues", "words"),
    [
        ({"noise": 2.0, "response": 0.6}, "It may see noise: there the two are 2.00 deviations"),
        ({"noise": 0.1}, "It may see what no cue"),
        ({}, "It may see what no cue"),
    ],
)
def test_a_d_that_wins_is_reported_with_what_it_may_see(tmp_path, cues, words):
    """The cue by which R(S) and B differ most is named, if it is more than chance gives."""
    run, watch = job_of(tmp_path, textures(1)).run, GameWatch(10)
    watch.update(0.1)
    watch.warn(run, lambda: Explained(1.0, 1.0), lambda: cues)
    (message,) = warned(run)
    assert words in message


@pytest.mark.parametrize(
    ("candidate", "networks", "word"),
    [
        (Task, {"translator": Network(scale=0.0, levels=True)}, "is still the identity"),
        (
            FineTune,
            {"deblurrer": Network(scale=0.0, shift=(8 / 255, 0.0, 0.0))},
            "colours drift by",
        ),
        (Task, {"translator": Network(levels=True)}, None),
        (FineTune, {}, None),
    ],
    ids=["identity", "colours", "healthy task", "healthy finetune"],
)
def test_a_candidate_that_learns_nothing_good_is_named_in_time(tmp_path, candidate, networks, word):
    """A translator that cannot learn, and a deblurrer that reddens; healthy ones are not named."""
    job = job_of(tmp_path, textures(1, (0.8, 2.0)), **networks)
    camera = CameraModel(CameraConfig(**FIT))
    config = TrainingConfig(batch=2, lr=1e-3, ema=0.9)
    stage = candidate(job, camera, config, HeldOut(job, camera), steps=80)
    first_tenth(stage, job.run)
    assert [word in message for message in warned(job.run)] == ([True] if word else [])


def test_a_healthy_run_warns_of_nothing(tmp_path):
    """From textures under blur to a fine-tuned deblurrer without one warning."""
    job = job_of(tmp_path, textures(1, (0.8, 2.0)))
    short = TrainingConfig(steps=20, batch=2, lr=1e-3)
    config = ReblurConfig(mode="finetune", camera=CameraConfig(**FIT), finetune=short)
    outcome = Reblur(config).adapt(job)
    assert outcome.chosen == "finetune"
    assert warned(job.run) == []

"""What is said of a user's pictures before training: too few, swapped, not of one camera."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter

from b2b_core.adaptation.adapt import adapt
from b2b_core.adaptation.one_camera import beyond, middles, of_makers, of_sizes
from b2b_core.adaptation.settings import read_settings
from b2b_core.adaptation.suspicions import FEW, suspicions
from b2b_core.catalogue import discover
from b2b_core.data.pictures import load_pictures
from b2b_core.data.scenes import hold_out
from b2b_core.images.maker import camera_of
from b2b_core.training.precision import Numerics
from b2b_core.training.run import Run
from b2b_core.training.stage import Stage, run_stage, tenth

PAGE = (Path(__file__).parents[1] / "docs" / "warnings.md").read_text()
HEADINGS = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
STRATEGY = """
from attrs import frozen
from b2b_core import hookimpl
from b2b_core.specs import StrategySpec

@frozen
class Config:
    pass

def build(config):
    from b2b_core.training.job import Outcome

    class Strategy:
        def adapt(self, job):
            return Outcome(None, None, chosen="nothing", summary={"warned": [*job.run.warnings]})

    return Strategy()

@hookimpl
def b2b_strategies():
    return [StrategySpec(name="recording", config=Config, factory=build, summary="records")]
"""


def photograph(rng, size=(96, 80), *, blur=0.0, noise=1.0, tint=(0, 0, 0), grey=False):
    """Return the pixels of a scene: a flat sky over textured ground, as a camera stores it."""
    width, height = size
    light = np.zeros((height, width, 3)) + rng.uniform(70, 170) + rng.normal(0, 15, 3)
    ground = height // 2
    light[ground:] += 40 * gaussian_filter(rng.normal(size=(ground, width, 1)), (0.6, 0.6, 0)) * 3
    if grey:
        light = np.repeat(light.mean(-1, keepdims=True), 3, -1)
    light = gaussian_filter(light, (blur, blur, 0)) + np.array(tint)
    light = light + noise * rng.normal(size=(*light.shape[:2], 1 if grey else 3))
    return light.clip(0, 255).round().astype(np.uint8)


def shoot(folder, count, seed, *, suffix=".png", camera=None, sizes=((96, 80),), **how):
    """Write photographs of `count` scenes to a folder, as one camera would."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    exif = Image.Exif()
    if camera is not None:
        exif[271], exif[272] = camera
    for index in range(count):
        pixels = photograph(rng, sizes[index % len(sizes)], **how)
        path = folder / f"{folder.name}{index}{suffix}"
        Image.fromarray(pixels).save(
            path, exif=exif, **({"quality": 92} if suffix == ".jpg" else {})
        )


@pytest.fixture
def warned(tmp_path):
    """Give a function from how B and S are made to what is said of them."""

    def said(blurry=None, sharp=None, count=18, held_out=0.2):
        roles = {"blurry": {"blur": 1.5, **(blurry or {})}, "sharp": sharp or {}}
        pictures = {}
        for seed, (role, how) in enumerate(roles.items()):
            shoot(tmp_path / role, how.pop("count", count), seed, **how)
            loaded = load_pictures(tmp_path / role, role, 32)
            pictures[role], pictures[f"held_{role}"] = hold_out(loaded, held_out, 0)
        found = suspicions(pictures)
        assert [m for m in found if not any(heading in m for heading in HEADINGS)] == []
        return found

    return said


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"suffix": ".jpg", "camera": ("ACME", "ACME X100")},
        {"noise": 4.0, "sizes": ((96, 80), (80, 96), (64, 48))},
        {"grey": True},
    ],
    ids=["plain", "jpeg", "noisy, turned and cut", "grey"],
)
def test_one_camera_is_not_suspected(warned, how):
    """Blurry and sharp pictures that were made alike, of different scenes, give no warning."""
    assert warned(dict(how), dict(how)) == []


def test_a_cut_set_is_not_suspected(warned):
    """One set cut to smaller pictures of another shape is still of one camera."""
    assert warned({"sizes": ((96, 80),)}, {"sizes": ((64, 64),)}) == []


@pytest.mark.parametrize(
    ("blurry", "sharp", "evidence"),
    [
        (
            {"camera": ("ACME", "ACME X100")},
            {"camera": ("Other", "Z5")},
            "EXIF names ACME X100 for the blurry pictures, Other Z5 for the sharp ones",
        ),
        ({"suffix": ".jpg"}, {}, "blurry pictures are JPEG files, the sharp ones lossless"),
        ({}, {"suffix": ".jpg"}, "sharp pictures are JPEG files, the blurry ones lossless"),
        ({"sizes": ((192, 144),)}, {"sizes": ((96, 128),)}, "the same shape at another scale"),
        ({"sizes": ((128, 48),)}, {"sizes": ((96, 80),)}, "neither can be a part of the other"),
        ({"noise": 5.0}, {"noise": 0.8}, "parts of the blurry pictures are"),
        ({"noise": 0.8}, {"noise": 6.0}, "parts of the sharp pictures are"),
        ({"grey": True}, {}, "the blurry pictures are grey, the sharp ones in colour"),
        ({}, {"tint": (60, 0, -60)}, "the sharp pictures are redder by"),
    ],
)
def test_two_cameras_are_told_with_the_evidence(warned, blurry, sharp, evidence):
    """One warning says that the sets differ, and in what."""
    (message,) = warned(blurry, sharp)
    assert "may not be of one camera" in message
    assert evidence in message
    assert message.endswith("take both from one camera, saved the same way")


def test_swapped_folders_are_told(warned):
    """If B is sharper than S, that is asked."""
    assert any("folders swapped" in message for message in warned({"blur": 0.0}, {"blur": 1.5}))


def test_too_few_pictures_are_told_by_role(warned):
    """Roles with fewer scenes than it takes are named, with what to do."""
    found = warned({"count": 6}, {})
    assert [message.split(";")[0] for message in found] == [
        f"too few pictures: 5 blurry scenes to learn from. With fewer than {FEW}, what is taken "
        "for blur is in part chance",
        "too few pictures to measure on: 1 blurry scene held out, so that one odd scene decides. "
        "Add pictures, or hold more out: --set data.held_out=0.50",
    ]


def test_scenes_count_not_pictures(tmp_path):
    """Forty pictures of two scenes are few."""
    for scene in ("a", "b"):
        shoot(tmp_path / "many" / scene, 20, 0)
    many = load_pictures(tmp_path / "many", "blurry", 32)
    kept, held = hold_out(many, 0.2, 0)
    roles = dict.fromkeys(("blurry", "sharp"), kept) | dict.fromkeys(
        ("held_blurry", "held_sharp"), held
    )
    assert "1 blurry scene to learn from" in suspicions(roles)[0]


def test_warnings_come_before_training(tmp_path, install):
    """`adapt` has warned of the pictures when the strategy begins; the profile keeps the words."""
    install("b2b-plugin-recorder", STRATEGY)
    shoot(tmp_path / "blurry", 4, 0, blur=1.5, suffix=".jpg")
    shoot(tmp_path / "sharp", 4, 1)
    data = {"blurry": str(tmp_path / "blurry"), "sharp": str(tmp_path / "sharp"), "crop": 32}
    plain = {"data": data, "strategy": "recording", "run": {"device": "cpu"}}
    made = adapt(read_settings(plain), tmp_path / "run", discover())
    starts = ["too few pictures:", "too few pictures to measure on:"] * 2
    assert all(m.startswith(s) for m, s in zip(made.warnings, starts, strict=False))
    assert "may not be of one camera" in made.warnings[-1]
    assert made.outcome.summary["warned"] == made.warnings


def test_one_model_of_several_is_enough_where_half_is_shared():
    """By hand: 0.5 of B's pictures and 0.6 of S's are of X; that share, 0.5, is enough."""
    ours, theirs = Counter({"X": 5, "Y": 5}), Counter({"X": 6, "Z": 4})
    assert of_makers(ours, theirs) == []
    assert of_makers(Counter({"X": 4, "Y": 6}), theirs) != []
    assert of_makers(Counter(), theirs) == []


def test_mixed_sizes_say_nothing():
    """Without a usual size on both sides, or with one that both have, sizes are no evidence."""
    mixed = Counter({(90, 10): 1, (80, 20): 1, (70, 30): 1})
    assert of_sizes(mixed, Counter({(50, 50): 9})) == []
    assert of_sizes(Counter({(90, 10): 9}), Counter({(50, 40): 9, (90, 10): 1})) == []
    assert of_sizes(Counter({(90, 10): 9}), Counter({(50, 40): 9})) != []


def test_a_difference_counts_beyond_what_scenes_differ_by():
    """By hand: deviation 1 within both of 8, error 0.5: 2 x 1.5 = 3 is the limit."""
    scenes = torch.tensor([[-1.0], [1.0]]).repeat(4, 1) * (7 / 8) ** 0.5
    assert float(scenes.var(0)) == pytest.approx(1)
    assert float(beyond(scenes + 2.9, scenes)) == 0
    assert float(beyond(scenes - 3.1, scenes)) == pytest.approx(-3.1)
    assert len(beyond(scenes[:3] + 9, scenes)) == 0


def test_one_picture_of_each_scene_is_measured(tmp_path):
    """Of folders with several pictures each, one each, cut to its middle."""
    for scene in ("a", "b", "c"):
        shoot(tmp_path / "set" / scene, 3, 0, sizes=((600, 40),))
    assert [tuple(m.shape) for m in middles(load_pictures(tmp_path / "set", "x", 32))] == [
        (3, 40, 512)
    ] * 3


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
def test_the_camera_is_read_from_every_format(tmp_path, suffix):
    """Maker and model, without the maker twice and without a C string's end."""
    shoot(tmp_path / "set", 1, 0, suffix=suffix, camera=("NIKON", "NIKON D70\0"))
    assert camera_of(tmp_path / "set" / f"set0{suffix}") == "NIKON D70"


def test_files_without_a_camera_have_none(tmp_path):
    """No EXIF, and damaged files, name no camera."""
    shoot(tmp_path / "set", 1, 0)
    (tmp_path / "torn.jpg").write_bytes(b"\xff\xd8\xff\xe1\0\x10Exif\0\0II*\0")
    assert camera_of(tmp_path / "set" / "set0.png") is None
    assert camera_of(tmp_path / "torn.jpg") is None


class Looking(Stage):
    """Does nothing; keeps when it was validated."""

    name, title, steps = "looking", "looking", 30

    def __init__(self, first_look):
        self.first_look = first_look
        self.looks = []

    def step(self, number):  # noqa: ARG002 - as in Stage
        return {"loss": 1.0}

    def parts(self):
        return {}

    def validate(self, number):
        self.looks.append(number)
        return {}


@pytest.mark.parametrize(("first", "looks"), [(0, [12, 24, 30]), (3, [3, 12, 24, 30])])
def test_a_stage_is_looked_at_early_where_it_asks_for_it(tmp_path, first, looks):
    """Beside every twelfth step and the last one, `validate` comes at the stage's first look."""
    stage = Looking(first)
    run = Run(tmp_path, 0, Numerics("cpu", "float32"), discover(), validate_every=12)
    run_stage(stage, run)
    assert stage.looks == looks
    assert [tenth(steps) for steps in (4000, 25, 7)] == [400, 3, 1]


def test_a_warning_is_said_once_whatever_its_numbers(tmp_path):
    """The same words with other numbers are the same warning."""
    run = Run(tmp_path, 0, Numerics("cpu", "float32"), discover())
    for message in ("drift by 4.1 of 255", "drift by 12 of 255", "drift of 4.1 of 255"):
        run.warn(message)
    assert run.warnings == ["drift by 4.1 of 255", "drift of 4.1 of 255"]

"""Parts of the chain are found on cameras made by scipy, from unpaired pictures."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from b2b_core.catalogue import discover
from b2b_core.data.pairs import PairSet
from b2b_core.data.pictures import PictureSet, TrainingPicture
from b2b_core.images.jpeg import JpegCoding
from b2b_core.training.job import Job
from b2b_core.training.precision import Numerics
from b2b_core.training.run import Run
from b2b_plugin_reblur.camera import CameraModel
from b2b_plugin_reblur.config import CameraConfig
from b2b_plugin_reblur.parts import Findings, PartTrials

SIDE, SCENES, WIDTH = 96, 16, 1.5
GAMMA = 2.2


def scene(rng):
    """Return light and dark patches in front of a wall, and a window that is white."""
    picture = np.full((SIDE, SIDE), 0.4)
    for value in rng.uniform(0.05, 0.85, 80):
        top, left = rng.integers(0, SIDE - 10, 2)
        height, width = rng.integers(4, 16, 2)
        picture[top : top + height, left : left + width] = value
    top, left = rng.integers(8, SIDE - 40, 2)
    picture[top : top + 30, left : left + 30] = 1.0
    return picture


def pictures(seed, *, blur, light=True, gain=1.0, noise=0.0, count=SCENES):
    """Return pictures of a camera: Gaussian blur in light or of stored values, lights, noise."""
    rng, taken = np.random.default_rng(seed), list[TrainingPicture]()
    exponent = GAMMA if light else 1.0
    for index in range(count):
        value = scene(rng) ** exponent
        value = np.where(value >= 0.999, gain, value)
        value = gaussian_filter(value, WIDTH) if blur else value
        value = value + noise * rng.standard_normal(value.shape)
        stored = np.round(255 * value.clip(0, 1) ** (1 / exponent)).astype(np.uint8)
        pixels = torch.from_numpy(stored).expand(3, SIDE, SIDE).contiguous()
        taken.append(TrainingPicture(Path(f"{seed}-{index}"), f"{seed}-{index}", pixels))
    return PictureSet(taken, "test")


def trials(folder, camera_options, *, codings=(), scenes=SCENES, **config):
    """Return R, whose kernels are those of the camera, and the trials of its parts."""
    blurry = pictures(1, blur=True, count=scenes, **camera_options)
    sharp = pictures(2, blur=False, count=scenes, noise=camera_options.get("noise", 0.0))
    run = Run(folder, 0, Numerics("cpu", "float32"), discover())
    job = Job(
        blurry=blurry, sharp=sharp, held_blurry=blurry, held_sharp=sharp, domain="none",
        pairs=PairSet([], "none"), crop=32, multiple=1, deblurrer=None, deblurrer_file=None,
        build=None, run=run,
    )  # fmt: skip
    options = CameraConfig(kernel=13, crop=64, **config)
    camera = CameraModel(options, list(codings))
    with torch.no_grad():
        # a cone of this radius has the second moment of the Gaussian
        camera.kernels.log_radius.fill_(np.log(WIDTH * (10 / 3) ** 0.5 / 2 * 1.05))
        camera.kernels.softness.fill_(6.0)
        camera.kernels.log_length.fill_(-3.0)
        for spread in (camera.kernels.radius_spread, camera.kernels.length_spread):
            spread.fill_(-6.0)
        camera.log_read_noise.fill_(np.log(0.01))
        camera.log_shot_noise.fill_(np.log(0.001))
    return camera, PartTrials(job, camera, options)


@pytest.mark.parametrize(
    ("made", "parts"),
    [
        ({"noise": 0.01}, {"response": True, "highlights": False, "noise": True}),
        ({"light": False, "noise": 0.01}, {"response": False, "highlights": False}),
        ({"gain": 3.0, "noise": 0.01}, {"response": True, "highlights": True, "noise": True}),
        ({}, {"response": True, "highlights": False, "noise": False}),
    ],
    ids=["light and noise", "blur of stored values", "lights beyond white", "no noise"],
)
def test_the_parts_of_a_camera_are_found(tmp_path, made, parts):
    """Blur in light or not, lights or not, noise or not: as the camera was made."""
    camera, found = trials(tmp_path, made)
    decided = found.decide()
    assert {part: camera.parts[part] for part in parts} == parts
    assert {part: decided[part].on for part in parts} == parts
    # beside lights that are cut off, how edges bend tells nothing of the response
    assert [part for part in parts if not decided[part].measured] == (
        ["response"] if parts["highlights"] else []
    )
    facts = camera.facts()
    assert (facts["highlight_gain"] > 0.9) == parts["highlights"]
    assert facts["blur_in_light"] == parts["response"]


def test_what_the_user_says_is_not_measured(tmp_path):
    """A camera without noise whose user insists on noise and on stored values gets both."""
    camera, found = trials(tmp_path, {}, noise=True, response=False)
    decided = found.decide()
    assert camera.parts["noise"]
    assert not camera.parts["response"]
    assert decided["response"].measured == {}


def test_too_few_scenes_decide_nothing(tmp_path):
    """Three scenes: every part stays as nearly all cameras have it."""
    camera, found = trials(tmp_path, {"light": False}, scenes=3)
    decided = found.decide()
    assert camera.parts == {
        "response": True, "highlights": False, "noise": True, "compression": True,
    }  # fmt: skip
    assert all(finding.measured == {} for finding in decided.values())


def test_compression_that_pictures_do_not_show_is_off(tmp_path):
    """Files say JPEG with strong tables, but nothing in B jumps at blocks: R leaves it out."""
    strong = JpegCoding((tuple([60] * 64), tuple([60] * 64)), 2)
    camera, found = trials(tmp_path, {"noise": 0.01}, codings=[strong])
    assert not found.decide()["compression"].on
    assert camera.facts()["compression"] == 0.0
    assert camera.margin == 13 - 1 + 16


def test_differences_name_the_part_that_is_wrong(tmp_path):
    """With R's noise switched off before a noisy camera, noise lies farthest from B."""
    camera, found = trials(tmp_path, {"noise": 0.03})
    camera.parts["noise"] = False
    apart = found.differences()
    assert max(apart, key=lambda part: apart[part]) == "noise"
    assert apart["noise"] > 1


def test_findings_and_parts_survive_a_checkpoint(tmp_path):
    """Both come back as plain data."""
    camera, found = trials(tmp_path, {"light": False})
    decided = Findings(found.decide())
    restored = Findings()
    restored.load_state_dict(decided.state_dict())
    assert restored == decided
    again = CameraModel(camera.config)
    again.load_state_dict(camera.state_dict())
    assert again.parts == camera.parts
    assert not again.parts["response"]

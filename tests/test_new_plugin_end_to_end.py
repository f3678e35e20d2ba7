"""From an empty folder to `b2b adapt` with one's own plugin, and from one domain to another."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter
from safetensors.torch import load_file

from b2b_core.catalogue import discover
from b2b_core.networks import save_network
from b2b_core.profile import read_profile_header

#: An adaptation of a few steps on small pictures; what is said of the method is said by the test.
SHORT = [
    "--device", "cpu", "--precision", "float32", "--set", "data.crop=32",
    *(
        f"--set=strategy.{setting}"
        for setting in (
            "camera.spectrum_steps=2", "camera.spectrum_batch=2", "camera.crop=24",
            "camera.kernel=9", "task.steps=3", "task.batch=2",
            "conversion.steps=3", "conversion.batch=2",
        )
    ),
]  # fmt: skip


class Place:
    """An empty folder, and one that pip installs into; commands run as a user would run them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.site = folder, folder / "site"

    def run(self, *command) -> str:
        """Run a command in a process of its own and return what it printed; it must succeed."""
        done = subprocess.run(
            [sys.executable, *map(str, command)],
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": str(self.site), "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def b2b(self, *arguments) -> str:
        """Run `b2b`."""
        return self.run("-c", "from b2b_core.cli import main; main()", *arguments)

    def install(self, name: str) -> None:
        """Build the wheel of a plugin, install it, and take the sources away."""
        quiet = ["-q", "--disable-pip-version-check", "--no-deps", "--no-index"]
        tree = self.folder / f"b2b-plugin-{name}"
        self.run("-m", "pip", "wheel", *quiet, "--no-build-isolation", "-w", "dist", tree)
        (wheel,) = (self.folder / "dist").glob(f"b2b_plugin_{name}-0.1.0-*.whl")
        self.run("-m", "pip", "install", *quiet, "--target", self.site, wheel)
        shutil.rmtree(tree)


@pytest.fixture
def place(tmp_path):
    """Return an empty folder to work in."""
    folder = tmp_path / "empty"
    folder.mkdir()
    return Place(folder)


def texture(rng):
    """Return a picture with structure at several scales."""
    coarse = rng.integers(0, 256, (18, 20, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((112, 104), Image.Resampling.BICUBIC)


@pytest.fixture(scope="module")
def camera(tmp_path_factory):
    """Return the folders of a small camera's blurry and sharp pictures."""
    folder, rng = tmp_path_factory.mktemp("camera"), np.random.default_rng(0)
    for role, radius in (("blurry", 2), ("sharp", 0)):
        (folder / role).mkdir()
        for number in range(4):
            picture = texture(rng).filter(ImageFilter.GaussianBlur(radius))
            picture.save(folder / role / f"{role}{number}.png")
    return folder / "blurry", folder / "sharp"


def test_a_translator_from_an_empty_folder_to_a_camera_profile(place, camera):
    """Generated, built, installed, chosen by one setting, trained, used: nothing else is edited."""
    blurry, sharp = camera
    place.b2b("new-plugin", "--kind", "translator", "--name", "mine", "--yes")
    place.install("mine")
    mode = ["--set", "translator.name=mine", "--set", "strategy.mode=task"]
    said = place.b2b("adapt", blurry, sharp, *mode, *SHORT, "-o", "run")
    assert "Chosen (*): task" in said

    profile = place.folder / "run" / "profile.safetensors"
    part = read_profile_header(profile).translator
    assert (part.component, part.distribution, part.version) == ("mine", "b2b-plugin-mine", "0.1.0")
    learned = load_file(profile)["translator.last.weight"]
    assert torch.isfinite(learned).all()
    assert learned.abs().max() > 0  # a fresh one is zero

    said = place.b2b("deblur", profile, blurry, "-o", "out", "--device", "cpu")
    assert "4 of 4 pictures deblurred" in said
    for path in blurry.iterdir():
        with Image.open(path) as before, Image.open(place.folder / "out" / path.name) as after:
            assert after.size == before.size
            assert np.any(np.asarray(after) != np.asarray(before))


def test_another_known_domain_is_one_word(place, camera):
    """Two installed domains, one command: only the domain's name differs."""
    blurry, sharp = camera
    place.b2b("new-plugin", "--kind", "domain", "--name", "mine", "--yes")
    package = place.folder / "b2b-plugin-mine" / "b2b_plugin_mine"
    ship_pairs(package / "pairs")
    ship_deblurrer(package / "weights" / "deblurrer.safetensors")
    place.install("mine")
    (report,) = json.loads(place.b2b("check-plugin", "mine", "--json"))["plugins"]
    assert {check["status"] for check in report["checks"]} == {"passed"}

    def command(domain):
        mode = ["--set", "strategy.mode=conversion", "--set", "translator.width=8"]
        return ["adapt", blurry, sharp, "--domain", domain, *mode, *SHORT]

    differences = [pair for pair in zip(command("starter"), command("mine"), strict=True)
                   if pair[0] != pair[1]]  # fmt: skip
    assert differences == [("starter", "mine")]
    for domain in ("starter", "mine"):
        place.b2b(*command(domain), "-o", domain)
        header = read_profile_header(place.folder / domain / "profile.safetensors")
        assert header.domain == domain
        assert header.published.name == f"unet.{domain}"
        assert header.training["chosen"] == "conversion"


def ship_pairs(folder):
    """Put pairs under a box blur into `folder`, two scenes of which one is for testing."""
    rng = np.random.default_rng(1)
    for number in range(4):
        sharp = texture(rng)
        for role, picture in (("sharp", sharp), ("blurry", sharp.filter(ImageFilter.BoxBlur(1)))):
            path = folder / role / f"scene{number}" / "0.png"
            path.parent.mkdir(parents=True)
            picture.save(path)


def ship_deblurrer(path):
    """Write a network file as `b2b train deblurrer` does."""
    options = {"width": 8, "levels": 2, "blocks": 1}
    network = discover().build("deblurrer", "unet", options)
    path.parent.mkdir()
    save_network(
        path, network, kind="deblurrer", component="unet", options=options, facts={},
        distribution="b2b-plugin-unet", version="0.1.0",
    )  # fmt: skip

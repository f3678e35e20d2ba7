"""What ships: pictures, their separation, their licences, the weights' hashes."""

import csv
from pathlib import Path

import numpy as np
import pytest

from b2b_core.errors import UsageError
from b2b_core.images.files import find_pictures
from b2b_core.images.read import read_picture
from b2b_plugin_starter.config import DemoConfig, StarterConfig
from b2b_plugin_starter.demo import StarterDemo
from b2b_plugin_starter.domain import StarterDomain
from b2b_plugin_starter.places import CAMERA, KNOWN, TEST

INPUTS = Path(__file__).parents[1] / "recipes" / "inputs.csv"


def inputs():
    """Return the listed originals by role."""
    roles = {}
    with INPUTS.open(newline="") as stream:
        for row in csv.DictReader(stream):
            roles.setdefault(row["role"], []).append(row)
    return roles


def test_no_original_has_two_roles():
    """What the demo measures on is the original of nothing that is trained on."""
    hashes = [row["sha256"] for rows in inputs().values() for row in rows]
    assert len(hashes) == len(set(hashes))


def test_shipped_pictures_are_those_listed():
    """Every shipped picture stems from the original listed for its role, and none is missing."""
    roles = inputs()
    stems = {role: {Path(row["file"]).stem for row in rows} for role, rows in roles.items()}
    assert {p.stem for p in find_pictures(CAMERA / "blurry")} == stems["camera-blurry"]
    assert {p.stem for p in find_pictures(CAMERA / "sharp")} == stems["camera-sharp"]
    tests = {f"kodak-{int(stem):02d}" for stem in stems["test"]}
    assert {p.stem for p in find_pictures(TEST / "blurry")} == tests
    assert {p.stem for p in find_pictures(TEST / "sharp")} == tests
    scenes = {p.parent.name for p in find_pictures(KNOWN / "blurry")}
    video = {Path(row["file"]).parent.name for row in roles["known-video"]}
    assert scenes <= stems["known"] | video


def test_the_demo_measures_on_at_least_twelve_pairs_of_equal_size():
    """Inputs and references fit, and inputs really are blurred."""
    pairs = zip(find_pictures(TEST / "blurry"), find_pictures(TEST / "sharp"), strict=True)
    pairs = list(pairs)
    assert len(pairs) >= 12
    for blurry, sharp in pairs[:3]:
        y, x = read_picture(blurry).pixels, read_picture(sharp).pixels
        assert y.shape == x.shape
        assert (
            np.abs(np.diff(y.astype(int), axis=1)).mean()
            < np.abs(np.diff(x.astype(int), axis=1)).mean()
        )


def test_b_and_s_share_no_scene():
    """The camera's blurry and sharp pictures are unpaired."""
    blurry = {p.stem for p in find_pictures(CAMERA / "blurry")}
    sharp = {p.stem for p in find_pictures(CAMERA / "sharp")}
    assert blurry
    assert sharp
    assert not blurry & sharp


def test_the_domains_splits_are_disjoint_by_scene():
    """Training and test pairs come from different scenes and are all there are."""
    domain = StarterDomain(StarterConfig())
    train, test = domain.pairs(KNOWN, "train"), domain.pairs(KNOWN, "test")
    assert train
    assert test
    assert not {p.scene for p in train} & {p.scene for p in test}
    assert len(train) + len(test) == len(find_pictures(KNOWN / "blurry"))


def test_a_root_without_pairs_is_refused(tmp_path):
    """The error says which folder is missing and how to lay pairs out."""
    with pytest.raises(UsageError, match=r"needs the folder 'blurry'.*SCENE"):
        StarterDomain(StarterConfig()).pairs(tmp_path, "train")


def test_a_blurry_picture_without_partner_is_named(tmp_path):
    """The error names the picture whose partner is missing."""
    from PIL import Image

    for folder in ("blurry/s", "sharp/s"):
        (tmp_path / folder).mkdir(parents=True)
    Image.new("RGB", (4, 4)).save(tmp_path / "blurry/s/0.png")
    with pytest.raises(UsageError, match=r"no sharp partner.*0\.png"):
        StarterDomain(StarterConfig()).pairs(tmp_path, "train")


def test_pictures_take_at_most_25_megabytes():
    """The repository stays small."""
    folder = CAMERA.parent
    assert sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) < 25e6


def test_the_demo_says_that_its_camera_is_simulated():
    """Nobody is to take the numbers for those of a real phone."""
    demo = StarterDemo(DemoConfig())
    assert "simulated" in demo.description
    assert demo.upper_bound.psnr > 20
    assert "data" not in demo.settings(quick=True)

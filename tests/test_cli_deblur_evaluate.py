"""Tests of `b2b deblur` and `b2b evaluate` from the command line, with tiny networks."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from attrs import evolve
from skimage.metrics import peak_signal_noise_ratio
from torch import nn

from b2b_core.cli import run
from b2b_core.contracts import Metric
from b2b_core.errors import UsageError
from b2b_core.images.read import Picture, read_picture
from b2b_core.images.write import write_picture
from b2b_core.networks import save_network
from b2b_core.profile import CameraProfile, ProfilePart, save_profile
from b2b_core.specs import DeblurrerSpec, DomainSpec, MetricSpec, SizeRule, TranslatorSpec


class Shift(nn.Module):
    """Adds a constant to every value."""

    def __init__(self, by: float) -> None:
        super().__init__()
        self.by = nn.Parameter(torch.tensor(by))

    def forward(self, image):
        """Return the brighter image."""
        return image + self.by


class ShiftPyramid(Shift):
    """The same as a translator."""

    def forward(self, image):
        """Return a pyramid of one level."""
        return [super().forward(image)]


def minimum(image, reference=None):  # noqa: ARG001 - as the contract has it
    """Return the least value of each picture, a metric of no use."""
    return image.amin(dim=(1, 2, 3)).double()


OFFERS = {
    ("translator", "g"): TranslatorSpec(
        name="g", config=dict, factory=lambda o: ShiftPyramid(**o), summary=""
    ),
    ("deblurrer", "d"): DeblurrerSpec(
        name="d",
        config=dict,
        factory=lambda o: Shift(**o),
        summary="",
        size=SizeRule(multiple_of=4),
    ),
    ("domain", "known"): DomainSpec(
        name="known",
        config=dict,
        factory=dict,
        summary="",
        layout="",
        deblurrer="d.known",
    ),
    ("metric", "minimum"): MetricSpec(
        name="minimum",
        config=dict,
        factory=lambda _: minimum,
        summary="",
        protocol="least",
        higher_is_better=True,
        needs_reference=False,
    ),
}


class FakeCatalogue:
    """What plugins would offer."""

    def __init__(self, weights: Path | None = None) -> None:
        self.weights = weights

    def spec(self, kind, name):
        """Return a spec, or say that it is not there."""
        if (kind, name) not in OFFERS:
            raise UsageError(f"no installed plugin offers the {kind} '{name}'")
        return OFFERS[kind, name]

    def build(self, kind, name, options=()):
        """Build a component."""
        return self.spec(kind, name).factory(dict(options))

    def answers(self, _hook, name):
        """Ship the weights "d.known"."""
        return [("b2b-plugin-d", self.weights)] if self.weights and name == "d.known" else []


def part(component: str, by: float) -> ProfilePart:
    """Describe a shift."""
    return ProfilePart(
        component=component,
        options={"by": by},
        distribution=f"b2b-plugin-{component}",
        version="0.1.0",
    )


PROFILE = CameraProfile(
    translator=part("g", 0.0),
    deblurrer=part("d", 0.0),
    published=None,
    domain="known",
    scales=(1.0,),
    strategy="reblur",
    created="2026-01-02T03:04:05+00:00",
)


@pytest.fixture(autouse=True)
def catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeCatalogue:
    """Put the fake catalogue, with weights of the known deblurrer, behind both commands."""
    weights = tmp_path / "known.safetensors"
    save_network(
        weights,
        Shift(2 / 255),
        kind="deblurrer",
        component="d",
        options={"by": 0.0},
        facts={},
        distribution="b2b-plugin-d",
        version="0.1.0",
    )
    made = FakeCatalogue(weights)
    monkeypatch.setattr("b2b_core.cli.deblur.catalogue_from", lambda _: made)
    monkeypatch.setattr("b2b_core.cli.evaluate.catalogue_from", lambda _: made)
    return made


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """Write a profile whose networks add 3 and 5 steps of 255."""
    path = tmp_path / "camera.safetensors"
    save_profile(path, PROFILE, translator=ShiftPyramid(3 / 255), deblurrer=Shift(5 / 255))
    return path


def picture(seed=0, height=13, width=18, dtype=np.uint8):
    """Make random pixels away from white."""
    high = np.iinfo(dtype).max * 3 // 4
    return np.random.default_rng(seed).integers(0, high, (height, width, 3)).astype(dtype)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder of three pictures, in two levels and two depths."""
    folder = tmp_path / "in"
    write_picture(folder / "a.png", picture(1))
    write_picture(folder / "more" / "b.png", picture(2, dtype=np.uint16))
    write_picture(folder / "more" / "c.png", picture(3, 1, 1))
    return folder


def deblur(profile: Path, *rest) -> int:
    """Run `b2b deblur` on the CPU in float32 and return the exit code."""
    return run(["deblur", str(profile), *map(str, rest), "--device=cpu", "--precision=float32"])


def evaluate(*rest) -> int:
    """Run `b2b evaluate` on the CPU in float32 and return the exit code."""
    return run(["evaluate", *map(str, rest), "--device=cpu", "--precision=float32"])


def test_deblur_folder(profile: Path, folder: Path, tmp_path: Path, capsys) -> None:
    """Every picture of the tree is restored by deblurrer(G(y)), in its own depth and size."""
    assert deblur(profile, folder, "-o", tmp_path / "out") == 0
    assert "3 of 3 pictures deblurred (cpu, float32)" in capsys.readouterr().out
    for name, step in (("a.png", 1), ("more/b.png", 257), ("more/c.png", 1)):
        before = read_picture(folder / name).pixels
        after = read_picture(tmp_path / "out" / name).pixels
        assert after.dtype == before.dtype
        assert np.array_equal(after, before + 8 * step), name


def test_deblur_keeps_metadata(profile: Path, tmp_path: Path) -> None:
    """Opacity and colour profile of the input are in the output."""
    alpha = np.full((13, 18), 99, np.uint8)
    like = Picture(picture(), alpha=alpha, icc=b"0" * 16 + b"RGB " + b"0" * 128)
    write_picture(tmp_path / "a.png", picture(), like)
    assert deblur(profile, tmp_path / "a.png", "-o", tmp_path / "b.png") == 0
    read = read_picture(tmp_path / "b.png")
    assert np.array_equal(read.alpha, alpha)
    assert read.icc == like.icc


def test_one_bad_picture(profile: Path, folder: Path, tmp_path: Path, capsys) -> None:
    """A damaged picture is reported at the end with exit code 1; the others are restored."""
    broken = folder / "broken.png"
    broken.write_bytes((folder / "a.png").read_bytes()[:200])
    assert deblur(profile, folder, "-o", tmp_path / "out") == 1
    said = capsys.readouterr()
    assert "3 of 4 pictures deblurred" in said.out
    assert f"not deblurred: the picture cannot be read" in said.err  # noqa: F541
    assert str(broken) in said.err
    assert said.err.strip().splitlines()[-1].startswith("b2b: 1 of 4 pictures could not be")
    assert not (tmp_path / "out" / "broken.png").exists()
    assert (tmp_path / "out" / "more" / "c.png").exists()


def test_existing_output(profile: Path, folder: Path, tmp_path: Path, capsys) -> None:
    """Results that are there are refused before any work starts, and replaced if asked."""
    write_picture(tmp_path / "out" / "more" / "c.png", picture(9))
    assert deblur(profile, folder, "-o", tmp_path / "out") == 2
    assert "exists already" in capsys.readouterr().err
    assert not (tmp_path / "out" / "a.png").exists()
    assert deblur(profile, folder, "-o", tmp_path / "out", "--overwrite") == 0
    assert (tmp_path / "out" / "a.png").exists()


def test_suffix_beside_the_originals(profile: Path, folder: Path) -> None:
    """With a suffix, results may lie beside their originals."""
    assert deblur(profile, folder / "a.png", "-o", folder, "--suffix=-sharp") == 0
    assert (folder / "a-sharp.png").exists()


def test_tiles_change_nothing_here(profile: Path, tmp_path: Path) -> None:
    """--tile is passed on; too small a tile is refused in one line."""
    write_picture(tmp_path / "a.png", picture(1, 100, 150))
    assert deblur(profile, tmp_path / "a.png", "-o", tmp_path / "b.png", "--tile=64") == 0
    assert np.array_equal(read_picture(tmp_path / "b.png").pixels, picture(1, 100, 150) + 8)
    assert deblur(profile, tmp_path / "a.png", "-o", tmp_path / "c.png", "--tile=8") == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["none.safetensors", "IN", "-o", "out"], "there is no such camera profile"),
        (["PROFILE", "nowhere", "-o", "out"], "there is no such picture or folder"),
        (["PROFILE", "IN"], "--out"),
        (["PROFILE", "-o", "out"], "INPUT"),
    ],
)
def test_wrong_use_of_deblur(profile, folder, monkeypatch, capsys, arguments, words) -> None:
    """Wrong use ends with exit code 2 and one line."""
    monkeypatch.chdir(folder.parent)
    names = {"PROFILE": str(profile), "IN": str(folder)}
    assert run(["deblur", *(names.get(word, word) for word in arguments)]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert len(error.strip().splitlines()) == 1


def test_profile_of_a_missing_plugin(tmp_path: Path, folder: Path, capsys) -> None:
    """A profile whose plugin is not installed says what to install."""
    path = tmp_path / "other.safetensors"
    changed = evolve(PROFILE, translator=part("new", 0.0))
    save_profile(path, changed, translator=Shift(0.0), deblurrer=Shift(0.0))
    assert deblur(path, folder, "-o", tmp_path / "out") == 2
    assert "pip install -U b2b-plugin-new" in capsys.readouterr().err


@pytest.fixture
def references(folder: Path, tmp_path: Path) -> Path:
    """Make the originals of the pictures, 8 steps brighter, as other formats."""
    references = tmp_path / "sharp"
    for name in ("a", "more/b"):
        pixels = read_picture(folder / f"{name}.png").pixels
        step = 257 if pixels.dtype == np.uint16 else 1
        noise = np.random.default_rng(5).integers(-3, 4, pixels.shape) * step
        bright = np.clip(pixels.astype(np.int64) + 8 * step + noise, 0, None)
        write_picture(references / f"{name}.tif", bright.astype(pixels.dtype))
    (folder / "more" / "c.png").unlink()
    return references


def to8(pixels):
    """Round 16 bits to 8 as a float division does."""
    return np.rint(pixels / 257).astype(np.uint8) if pixels.dtype == np.uint16 else pixels


def test_evaluate_folders(folder: Path, references: Path, tmp_path: Path, capsys) -> None:
    """The mean of the per-picture PSNR is printed with its protocol; JSON has every score."""
    file = tmp_path / "new" / "scores.json"
    assert evaluate("--restored", folder, "--reference", references, "--json", file) == 0
    said = capsys.readouterr().out
    expected = {
        name: peak_signal_noise_ratio(
            to8(read_picture(references / f"{name}.tif").pixels),
            to8(read_picture(folder / f"{name}.png").pixels),
        )
        for name in ("a", "more/b")
    }
    mean = sum(expected.values()) / 2
    assert f"{mean:.2f}" in said
    for words in ("rgb-uint8", "ssim2d-valid", "ssim3d-nafnet", "2 whole pictures"):
        assert words in said
    document = json.loads(file.read_text())
    restored = document["ways"]["restored"]
    assert restored["means"]["PSNR"] == pytest.approx(mean, abs=1e-9)
    for name, value in expected.items():
        assert restored["pictures"][name]["PSNR"] == pytest.approx(value, abs=1e-9)
    assert document["versions"]["python"]


def test_evaluate_profile(profile: Path, folder: Path, references: Path, tmp_path, capsys) -> None:
    """In profile mode the blurry pictures, the known deblurrer alone and b2b are compared."""
    file, page = tmp_path / "scores.json", tmp_path / "report.html"
    options = ["--reference", references, "--json", file, "--report", page]
    assert evaluate("--profile", profile, "--blurry", folder, *options) == 0
    ways = json.loads(file.read_text())["ways"]
    assert list(ways) == ["blurry", "known deblurrer alone", "b2b"]
    blurry, alone, b2b = (ways[way]["means"]["PSNR"] for way in ways)
    assert blurry < alone < b2b
    assert "ran on cpu in float32" in capsys.readouterr().out
    text = page.read_text()
    assert text.count("<img ") == 2 * 2 * 4
    assert "known deblurrer alone" in text
    assert f"b2b evaluate --profile {profile} --blurry {folder}" in text
    assert "--device cpu --precision float32" in text
    assert "translator: g of b2b-plugin-g 0.1.0" in text


def test_evaluate_without_the_known_deblurrer(
    profile: Path, folder: Path, references: Path, catalogue: FakeCatalogue, capsys
) -> None:
    """Where the known deblurrer is not at hand, the row is left out and the reason is said."""
    catalogue.weights = None
    assert evaluate("--profile", profile, "--blurry", folder, "--reference", references) == 0
    said = capsys.readouterr().out
    assert "The known deblurrer alone could not be had" in said
    assert "\nknown deblurrer alone" not in said
    assert "\nb2b " in said


def test_evaluate_without_reference(folder: Path, capsys) -> None:
    """Without references only the blur effect is measured, and its limit is said."""
    (folder / "more" / "c.png").unlink()
    assert evaluate("--restored", folder) == 0
    said = capsys.readouterr().out
    assert "blur effect" in said
    assert "No reference was given" in said
    assert "PSNR" not in said


def test_metric_of_a_plugin(folder: Path, references: Path, capsys) -> None:
    """A plugin's metric is measured by name; an unknown one is refused."""
    assert isinstance(minimum, Metric)
    options = ["--restored", folder, "--reference", references]
    assert evaluate(*options, "--metric", "minimum") == 0
    assert "minimum least (higher is better)" in capsys.readouterr().out
    assert evaluate(*options, "--metric", "lpips") == 2
    assert "the metric 'lpips'" in capsys.readouterr().err


def test_equal_pictures(folder: Path, tmp_path: Path, capsys) -> None:
    """Infinite PSNR is shown as such, and JSON stays valid."""
    (folder / "more" / "c.png").unlink()
    file = tmp_path / "scores.json"
    assert evaluate("--restored", folder, "--reference", folder, "--json", file) == 0
    assert "∞" in capsys.readouterr().out
    means = json.loads(file.read_text())["ways"]["restored"]["means"]
    assert means["PSNR"] is None
    assert means["SSIM"] == pytest.approx(1)


def test_unpaired_pictures(folder: Path, references: Path, capsys) -> None:
    """Pictures without partner are listed from both sides."""
    (folder / "a.png").rename(folder / "x.png")
    assert evaluate("--restored", folder, "--reference", references) == 2
    error = capsys.readouterr().err
    assert f"1 of 2 in {folder} (x)" in error
    assert f"1 of 2 in {references} (a)" in error


def test_two_pictures_of_one_name(folder: Path, references: Path, capsys) -> None:
    """A name with two endings cannot be paired."""
    write_picture(folder / "a.bmp", picture())
    assert evaluate("--restored", folder, "--reference", references) == 2
    assert "two pictures are called 'a': a.bmp and a.png" in capsys.readouterr().err


def test_sizes_must_agree(folder: Path, references: Path, capsys) -> None:
    """A picture and a reference of another size are named; nothing is resized."""
    write_picture(folder / "a.png", picture(1, 20, 18))
    assert evaluate("--restored", folder, "--reference", references) == 2
    assert "'a' has 18x20 pixels, its reference 18x13" in capsys.readouterr().err


def test_too_small_pictures(folder: Path, capsys) -> None:
    """A picture too small for a metric is named."""
    assert evaluate("--restored", folder, "--reference", folder) == 2
    assert "c.png" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name either --restored DIR or --profile FILE"),
        (["--restored", "IN", "--profile", "P"], "name either"),
        (["--restored", "IN", "--blurry", "IN"], "--blurry goes with --profile"),
        (["--profile", "P"], "--profile needs --blurry"),
    ],
)
def test_wrong_use_of_evaluate(folder, profile, capsys, arguments, words) -> None:
    """Options that do not go together are refused in one line."""
    names = {"IN": str(folder), "P": str(profile)}
    assert run(["evaluate", *(names.get(word, word) for word in arguments)]) == 2
    assert words in capsys.readouterr().err

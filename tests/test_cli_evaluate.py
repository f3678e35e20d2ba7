"""Tests of `b2b evaluate` from the command line, with tiny networks."""

import json
from pathlib import Path

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from b2b_core.cli import run
from b2b_core.contracts import Metric
from b2b_core.images.read import read_picture
from b2b_core.images.write import write_picture
from tests.shifting import (
    FakeCatalogue,
    minimum,
    picture,
    write_known,
    write_pictures,
    write_profile,
)


@pytest.fixture(autouse=True)
def catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeCatalogue:
    """Put the fake catalogue, with weights of the known deblurrer, behind the command."""
    made = FakeCatalogue(write_known(tmp_path))
    monkeypatch.setattr("b2b_core.cli.evaluate.catalogue_from", lambda _: made)
    return made


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """Give a profile whose networks add 3 and 5 steps of 255."""
    return write_profile(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder of three pictures, in two levels and two depths."""
    return write_pictures(tmp_path)


def evaluate(*rest) -> int:
    """Run `b2b evaluate` on the CPU in float32 and return the exit code."""
    return run(["evaluate", *map(str, rest), "--device=cpu", "--precision=float32"])


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

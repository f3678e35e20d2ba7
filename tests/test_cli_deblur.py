"""Tests of `b2b deblur` from the command line, with tiny networks."""

from pathlib import Path

import numpy as np
import pytest
from attrs import evolve

from b2b_core.cli import run
from b2b_core.images.read import Picture, read_picture
from b2b_core.images.write import write_picture
from b2b_core.profile import save_profile
from tests.shifting import (
    PROFILE,
    FakeCatalogue,
    Shift,
    part,
    picture,
    write_known,
    write_pictures,
    write_profile,
)


@pytest.fixture(autouse=True)
def catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeCatalogue:
    """Put the fake catalogue, with weights of the known deblurrer, behind the command."""
    made = FakeCatalogue(write_known(tmp_path))
    monkeypatch.setattr("b2b_core.cli.deblur.catalogue_from", lambda _: made)
    return made


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """Give a profile whose networks add 3 and 5 steps of 255."""
    return write_profile(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder of three pictures, in two levels and two depths."""
    return write_pictures(tmp_path)


def deblur(profile: Path, *rest) -> int:
    """Run `b2b deblur` on the CPU in float32 and return the exit code."""
    return run(["deblur", str(profile), *map(str, rest), "--device=cpu", "--precision=float32"])


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

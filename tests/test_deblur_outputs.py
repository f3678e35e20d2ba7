"""Tests of where `b2b deblur` writes, decided before it starts."""

from pathlib import Path

import pytest

from b2b_core.errors import UsageError
from b2b_core.inference.outputs import plan


def touch(folder: Path, *names: str) -> list[Path]:
    """Make empty files and return them."""
    paths = [folder / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return paths


def targets(tasks, out: Path) -> list[str]:
    """Return where tasks write, below `out`."""
    return [task.target.relative_to(out).as_posix() for task in tasks]


def test_tree_is_kept(tmp_path: Path) -> None:
    """Below the output folder, every picture has the path it had below the input folder."""
    touch(tmp_path / "in", "a.jpg", "day 1/b.png", "day 1/x/c.tif", "notes.txt")
    tasks = plan([tmp_path / "in"], tmp_path / "out")
    assert targets(tasks, tmp_path / "out") == ["a.jpg", "day 1/b.png", "day 1/x/c.tif"]
    assert not (tmp_path / "out").exists()


def test_pictures_and_folders_together(tmp_path: Path) -> None:
    """Single pictures go to the top of the output folder, beside what folders hold."""
    touch(tmp_path, "in/a.jpg", "b.jpg")
    tasks = plan([tmp_path / "b.jpg", tmp_path / "in"], tmp_path / "out")
    assert targets(tasks, tmp_path / "out") == ["b.jpg", "a.jpg"]


def test_single_picture_to_a_named_file(tmp_path: Path) -> None:
    """For one picture, the output may be a file name, with another format too."""
    (source,) = touch(tmp_path, "a.jpg")
    assert plan([source], tmp_path / "b.png")[0].target == tmp_path / "b.png"
    assert plan([source], tmp_path / "folder")[0].target == tmp_path / "folder" / "a.jpg"
    (tmp_path / "odd.png").mkdir()
    assert plan([source], tmp_path / "odd.png")[0].target == tmp_path / "odd.png" / "a.jpg"


def test_suffix(tmp_path: Path) -> None:
    """A suffix goes between name and ending, so that results may lie beside the originals."""
    touch(tmp_path, "a.b.jpg")
    tasks = plan([tmp_path], tmp_path.parent / "out", suffix="-sharp")
    assert targets(tasks, tmp_path.parent / "out") == ["a.b-sharp.jpg"]


def test_results_are_no_inputs(tmp_path: Path) -> None:
    """An output folder inside the input folder is not deblurred again."""
    touch(tmp_path, "a.jpg", "out/a.jpg")
    tasks = plan([tmp_path], tmp_path / "out", overwrite=True)
    assert targets(tasks, tmp_path / "out") == ["a.jpg"]
    with pytest.raises(UsageError, match="all pictures found lie in the output folder"):
        plan([tmp_path / "out"], tmp_path / "out", overwrite=True)


def test_inputs_are_never_replaced(tmp_path: Path) -> None:
    """An output that is an input is refused, even with --overwrite and through a link."""
    (source,) = touch(tmp_path, "in/a.jpg")
    (tmp_path / "link").symlink_to(tmp_path / "in")
    for given, out in (
        ([source], tmp_path / "in"),
        ([source], tmp_path / "in" / "a.jpg"),
        ([source], tmp_path / "link"),
    ):
        with pytest.raises(UsageError, match="would replace an input"):
            plan(given, out, overwrite=True)
    assert plan([source], tmp_path / "in", suffix="-sharp")


def test_existing_outputs_are_refused_at_once(tmp_path: Path) -> None:
    """Results of an earlier run are not replaced unasked; the first and the number are said."""
    touch(tmp_path, "in/a.jpg", "in/b.jpg", "in/c.jpg", "out/b.jpg", "out/c.jpg")
    with pytest.raises(
        UsageError, match=r"exists already and 1 more \(.*b\.jpg\); add --overwrite"
    ):
        plan([tmp_path / "in"], tmp_path / "out")
    assert len(plan([tmp_path / "in"], tmp_path / "out", overwrite=True)) == 3


def test_two_pictures_for_one_output(tmp_path: Path) -> None:
    """Two inputs of one name do not overwrite each other."""
    touch(tmp_path, "x/a.jpg", "y/a.jpg")
    with pytest.raises(UsageError, match="would both be written"):
        plan([tmp_path / "x", tmp_path / "y"], tmp_path / "out")


def test_wrong_inputs(tmp_path: Path) -> None:
    """A missing input, a file that is no picture and a folder without pictures are told apart."""
    (tmp_path / "empty").mkdir()
    (text,) = touch(tmp_path, "a.txt")
    for given, words in (
        (tmp_path / "none.jpg", "no such picture or folder"),
        (text, "not a picture"),
        (tmp_path / "empty", "it is empty"),
    ):
        with pytest.raises(UsageError, match=words):
            plan([given], tmp_path / "out")


def test_file_as_output_of_several(tmp_path: Path) -> None:
    """Several pictures need a folder as output."""
    one, two, out = touch(tmp_path, "a.jpg", "b.jpg", "out.jpg")
    with pytest.raises(UsageError, match="the output is a file"):
        plan([one, two], out)

"""Tests of finding pictures."""

from pathlib import Path

import pytest

from b2b_core.errors import UsageError
from b2b_core.images.files import find_pictures


def touch(folder: Path, *names: str) -> None:
    """Make empty files."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_natural_order_below_folders(tmp_path: Path) -> None:
    """Pictures of the whole tree come folder by folder, and frame 2 before frame 10."""
    touch(tmp_path, "b/frame10.png", "b/frame2.png", "a10/1.jpg", "a9/1.JPG", "z.tiff")
    found = [path.relative_to(tmp_path).as_posix() for path in find_pictures(tmp_path)]
    assert found == ["a9/1.JPG", "a10/1.jpg", "b/frame2.png", "b/frame10.png", "z.tiff"]


def test_names_that_mix_digits_and_letters_can_be_sorted(tmp_path: Path) -> None:
    """A name that starts with a digit and one that does not are comparable."""
    touch(tmp_path, "1a.png", "a1.png", "a.png", "_.png", "²3.png")
    assert len(find_pictures(tmp_path)) == 5


@pytest.mark.parametrize("suffix", ["png", "jpg", "jpeg", "webp", "tif", "tiff", "bmp", "PNG"])
def test_suffixes(tmp_path: Path, suffix: str) -> None:
    """Every promised suffix is found, in either case, and nothing else is."""
    touch(tmp_path, f"a.{suffix}", "notes.txt", "b.npy")
    assert [path.name for path in find_pictures(tmp_path)] == [f"a.{suffix}"]


def test_hidden_is_skipped(tmp_path: Path) -> None:
    """Hidden files (such as macOS's ._x.jpg) and what lies in hidden folders are no pictures."""
    touch(tmp_path, "a.jpg", "._a.jpg", ".cache/b.jpg")
    assert [path.name for path in find_pictures(tmp_path)] == ["a.jpg"]


def test_hidden_parent_does_not_matter(tmp_path: Path) -> None:
    """Only what lies below the named folder can hide a picture."""
    touch(tmp_path, ".photos/a.jpg")
    assert [path.name for path in find_pictures(tmp_path / ".photos")] == ["a.jpg"]


def test_missing_folder(tmp_path: Path) -> None:
    """A missing folder is named."""
    with pytest.raises(UsageError, match=r"no such folder \(.*nowhere\); check"):
        find_pictures(tmp_path / "nowhere")


def test_file_instead_of_folder(tmp_path: Path) -> None:
    """For a file, the folder that holds it is suggested."""
    touch(tmp_path, "a.jpg")
    with pytest.raises(UsageError, match=f"this is a file.*name the folder.*{tmp_path}"):
        find_pictures(tmp_path / "a.jpg")


def test_folder_without_pictures(tmp_path: Path) -> None:
    """What was found instead is said, and what a picture's name ends in."""
    with pytest.raises(UsageError, match="it is empty"):
        find_pictures(tmp_path)
    touch(tmp_path, "film.mp4", "README")
    with pytest.raises(UsageError, match=r"only files with \.mp4, no suffix were found.*\.webp"):
        find_pictures(tmp_path)

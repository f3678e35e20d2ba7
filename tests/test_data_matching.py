"""What domains share: pairs by key, halves that are missing, splits without a common scene."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from b2b_core.contracts import Pair
from b2b_core.data.matching import apart, contents, counted, matched, pictures_of, present
from b2b_core.errors import UsageError


def files(folder: Path, *names: str) -> list[Path]:
    """Create empty files."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return [folder / name for name in names]


def pairs(*scenes: str) -> list[Pair]:
    """Return a pair of each scene; the files are nowhere."""
    return [Pair(Path(f"b/{n}.png"), Path(f"s/{n}.png"), s) for n, s in enumerate(scenes)]


def test_pictures_are_sorted_and_nothing_else_is_one(tmp_path: Path) -> None:
    """Pictures right in the folder, by name; no notes, hidden files, folders or their contents."""
    files(tmp_path, "2.png", "1.JPG", "notes.txt", ".0.png", "more/3.png", "4.png/5.png")
    assert [path.name for path in pictures_of(tmp_path)] == ["1.JPG", "2.png"]


def test_contents_of_a_folder_in_one_line(tmp_path: Path) -> None:
    """The first six names, folders with a slash; nothing where there is nothing."""
    assert contents(tmp_path) == contents(tmp_path / "missing") == "nothing"
    files(tmp_path, "b", "a/c")
    assert contents(tmp_path) == "a/, b"
    files(tmp_path, *"defgh")
    assert contents(tmp_path) == "a/, b, d, e, f, g, ..."


def test_matched_by_key_in_the_order_of_the_blurry() -> None:
    """Equal keys make a pair, whatever the files are called; the scene comes from the key."""
    blurry = {"y/1": Path("b.jpg"), "x/1": Path("a.jpg")}
    sharp = {"x/1": Path("c.png"), "y/1": Path("d.png")}
    assert matched(blurry, sharp, lambda key: key[0]) == [
        Pair(Path("b.jpg"), Path("d.png"), "y"),
        Pair(Path("a.jpg"), Path("c.png"), "x"),
    ]


def test_the_first_lonely_key_of_both_sides_is_named() -> None:
    """Both sides are looked through; the counts help to see which is short."""
    blurry = {"2": Path("b/2.png"), "4": Path("b/4.png")}
    sharp = {"1": Path("s/1.png"), "2": Path("s/2.png"), "3": Path("s/3.png")}
    with pytest.raises(
        UsageError, match=r"3 picture.*2 blurry, 3 sharp.*is s/1\.png, which has no blurry version"
    ):
        matched(blurry, sharp, str)


def test_what_a_list_names_may_be_missing_whole(tmp_path: Path) -> None:
    """Pairs without any file are left out, the order stays."""
    made = files(tmp_path, "b/2", "s/2", "b/0", "s/0")
    known = [Pair(made[0], made[1], "x"), Pair(tmp_path / "b/1", tmp_path / "s/1", "x")]
    known += [Pair(made[2], made[3], "y")]
    assert present(known) == [known[0], known[2]]


@pytest.mark.parametrize(("there", "missing"), [("b", "s"), ("s", "b")])
def test_half_a_pair_is_an_error(tmp_path: Path, there: str, missing: str) -> None:
    """Where one file of a pair is there, the other one is named."""
    files(tmp_path, f"{there}/7.png")
    half = Pair(tmp_path / "b/7.png", tmp_path / "s/7.png", "x")
    with pytest.raises(
        UsageError, match=rf"{there}/7\.png is there, but not its partner {missing}/7\.png"
    ):
        present([half])


def test_training_without_the_scenes_of_the_test(tmp_path: Path) -> None:
    """Pairs of a scene that is measured on are left out, and it is said; a clean split is quiet."""
    train = pairs("a", "b", "a", "c")
    with capture_logs() as logs:
        assert apart(train, {"a", "z"}, tmp_path) == [train[1], train[3]]
    assert [(log["log_level"], log["pairs"], log["of"]) for log in logs] == [("warning", 2, 4)]
    with capture_logs() as logs:
        assert apart(train, {"z"}, tmp_path) == train
        assert apart([], {"z"}, tmp_path) == []
    assert logs == []


def test_no_training_scene_of_its_own_is_an_error(tmp_path: Path) -> None:
    """Nothing is left to train on: an error, not an empty split."""
    with pytest.raises(UsageError, match="every training scene is in the test split"):
        apart(pairs("a", "b"), {"a", "b"}, tmp_path)


@pytest.mark.parametrize(
    ("published", "said"),
    [
        (3, [("info", "a part of the data set")]),
        (2, []),
        (1, [("warning", "more pairs than published")]),
    ],
)
def test_counts_that_differ_are_said(published: int, said: list[tuple[str, str]]) -> None:
    """Fewer pairs are usual, more are strange, the published number is not worth a word."""
    found = pairs("a", "b")
    with capture_logs() as logs:
        assert counted(found, "reds", "train", published) is found
    assert [(log["log_level"], log["event"]) for log in logs] == said

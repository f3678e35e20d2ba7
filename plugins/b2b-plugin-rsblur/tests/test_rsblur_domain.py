"""The domain `rsblur` on tiny trees, with lists like those of its authors."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import uniform_filter1d
from structlog.testing import capture_logs

from b2b_core.catalogue import discover
from b2b_core.cli import run
from b2b_core.data.domains import open_domain
from b2b_core.errors import UsageError
from b2b_plugin_rsblur import b2b_domains
from b2b_plugin_rsblur.config import RsblurConfig
from b2b_plugin_rsblur.domain import RsblurDomain
from b2b_plugin_rsblur.lists import Line, read_list

#: Lines that are in the published lists, by list: first and last shots of runs.
SHOTS = {
    "train": ("0019/000722", "0019/000741", "0018/001542", "0006/000095"),
    "test": ("0001/000022", "0019/003082", "0019/003101"),
    "val": ("0010/001202", "0018/002003"),
}


def picture(path: Path, array: np.ndarray | None = None) -> None:
    """Write a picture; of one pixel without `array`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((1, 1, 3), np.uint8) if array is None else array).save(path)


def write_list(path: Path, *shots: str) -> None:
    """Write a list as the authors do: sharp first, below the name of the data set."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (f"RSBlur/{s}/gt/gt_sharp.png RSBlur/{s}/real_blur/real_blur.png\n" for s in shots)
    path.write_text("".join(lines))


def write_shots(folder: Path, *shots: str) -> None:
    """Write the pictures of shots."""
    for shot in shots:
        for name in ("gt/gt_sharp.png", "real_blur/real_blur.png", "avg65_img/avg_blur.png"):
            picture(folder / shot / name)


def original(root: Path, lists: str = "datalist/RSBlur") -> Path:
    """Write archive and lists as they are published, with few shots."""
    for name, shots in SHOTS.items():
        write_list(root / lists / f"RSBlur_real_{name}.txt", *shots)
        write_shots(root / "RSBlur", *shots)
    return root


def listed(root: Path, split: str = "train", **options: object) -> list[tuple[str, str, str]]:
    """Return (blurry, sharp, scene) of all pairs, paths relative to the root."""
    pairs = RsblurDomain(RsblurConfig(**options)).pairs(root, split)  # type: ignore[arg-type]
    return [
        (p.blurry.relative_to(root).as_posix(), p.sharp.relative_to(root).as_posix(), p.scene)
        for p in pairs
    ]


@pytest.mark.parametrize("lists", ["", "datalist/RSBlur", "datalist", "RSBlur"])
def test_archive_and_lists(tmp_path: Path, lists: str) -> None:
    """Pairs are those of the lists, in their order, wherever the lists lie."""
    root = original(tmp_path, lists)
    for split in ("train", "test"):
        assert [(blurry, sharp) for blurry, sharp, _ in listed(root, split)] == [
            (f"RSBlur/{shot}/real_blur/real_blur.png", f"RSBlur/{shot}/gt/gt_sharp.png")
            for shot in SHOTS[split]
        ]


@pytest.mark.parametrize("lists", ["", "datalist/RSBlur", "RSBlur"])
def test_root_may_be_the_archive_itself(tmp_path: Path, lists: str) -> None:
    """The folder RSBlur serves as root, with the lists in it or beside it."""
    root = original(tmp_path, lists) / "RSBlur"
    assert [sharp for _, sharp, _ in listed(root)] == [
        f"{shot}/gt/gt_sharp.png" for shot in SHOTS["train"]
    ]


def test_short_names_of_lists(tmp_path: Path) -> None:
    """Lists may be called train.txt and test.txt."""
    root = original(tmp_path, "")
    for name in SHOTS:
        (root / f"RSBlur_real_{name}.txt").rename(root / f"{name}.txt")
    assert len(listed(root)) == 4
    assert len(listed(root, "test")) == 3


@pytest.mark.parametrize(
    ("shot", "scene"),
    [
        ("0019/000722", "0019/000722"),
        ("0019/000741", "0019/000722"),
        ("0019/000742", "0019/000742"),
        ("0018/000722", "0018/000722"),
        ("0001/000002", "0001/000002"),
        ("0001/000001", "0001/000002"),
        ("0001/night", "0001"),
    ],
)
def test_a_scene_is_a_run_of_twenty_shots(tmp_path: Path, shot: str, scene: str) -> None:
    """Shots 2 to 21 of a folder are a scene, named after the first, then 22 to 41, and so on."""
    write_list(tmp_path / "list.txt", shot)
    (line,) = read_list(tmp_path / "list.txt")
    assert isinstance(line, Line)
    assert line.scene == scene


def test_splits_share_no_scene(tmp_path: Path) -> None:
    """The published lines of one folder, 0019, fall into two scenes; none is in both splits."""
    root = original(tmp_path)
    train, test = ({scene for _, _, scene in listed(root, split)} for split in ("train", "test"))
    assert train == {"0019/000722", "0018/001542", "0006/000082"}
    assert test == {"0001/000022", "0019/003082"}


def test_training_pairs_of_a_test_scene_are_left_out(tmp_path: Path) -> None:
    """A list of one's own that cuts a run in two does not leak into training."""
    root = original(tmp_path)
    write_list(root / "datalist/RSBlur/RSBlur_real_test.txt", "0019/000730", "0001/000022")
    with capture_logs() as logs:
        assert {scene for _, _, scene in listed(root)} == {"0018/001542", "0006/000082"}
    assert "left out of training" in logs[0]["event"]
    assert logs[0]["pairs"] == 2


@pytest.mark.parametrize(
    ("test", "file"),
    [
        ("val", "val"),
        ("saturation", "test_saturation"),
        ("non-saturation", "test_non_saturation"),
    ],
)
def test_other_lists_to_measure_on(tmp_path: Path, test: str, file: str) -> None:
    """The option names the list; training does not change."""
    root = original(tmp_path)
    write_list(root / f"datalist/RSBlur/RSBlur_real_{file}.txt", "0018/002003")
    assert [scene for _, _, scene in listed(root, "test", test=test)] == ["0018/002002"]
    assert listed(root, test=test) == listed(root)


@pytest.mark.parametrize("name", ["avg65_img", "oracle_avg65_img"])
def test_synthetic_blur(tmp_path: Path, name: str) -> None:
    """With `blur=avg65` the same shots are paired with the synthetic picture."""
    root = original(tmp_path)
    for folder in root.glob("RSBlur/*/*/avg65_img"):
        folder.rename(folder.with_name(name))
    assert [blurry for blurry, _, _ in listed(root, "test", blur="avg65")] == [
        f"RSBlur/{shot}/{name}/avg_blur.png" for shot in SHOTS["test"]
    ]


@pytest.mark.parametrize("folder", ["RSBlur_additional", "RSBlur"])
def test_additional_pairs(tmp_path: Path, folder: str) -> None:
    """The additional set is used if asked for, in its own folder or unpacked into RSBlur."""
    root = original(tmp_path)
    shots = ("0002/001622", "0019/001782")
    write_list(root / "datalist/RSBlur/RSBlur_real_additional_train.txt", *shots)
    write_shots(root / folder, *shots)
    assert len(listed(root)) == 4
    found = listed(root, additional=True)
    assert [sharp for _, sharp, _ in found[4:]] == [f"{folder}/{s}/gt/gt_sharp.png" for s in shots]
    assert len(listed(root, "test", additional=True)) == 3


def test_additional_beside_the_archive(tmp_path: Path) -> None:
    """With RSBlur itself as root, the additional set beside it is found."""
    root = original(tmp_path)
    write_list(root / "datalist/RSBlur/RSBlur_real_additional_train.txt", "0002/001622")
    write_shots(root / "RSBlur_additional", "0002/001622")
    pairs = RsblurDomain(RsblurConfig(additional=True)).pairs(root / "RSBlur", "train")
    assert pairs[-1].sharp == root / "RSBlur_additional/0002/001622/gt/gt_sharp.png"


def test_a_part_of_the_archive(tmp_path: Path) -> None:
    """What the lists name and is not there is left out, and the count is reported."""
    root = original(tmp_path)
    for file in sorted((root / "RSBlur/0018").rglob("*.png")):
        file.unlink()
    with capture_logs() as logs:
        assert len(listed(root)) == 3
    assert [(log["event"], log["pairs"], log["of"]) for log in logs] == [
        ("a part of the data set", 3, 8878)
    ]


@pytest.mark.parametrize("lost", ["gt/gt_sharp.png", "real_blur/real_blur.png"])
def test_missing_half(tmp_path: Path, lost: str) -> None:
    """A shot with one of its two pictures is an error that names the other one."""
    (original(tmp_path) / "RSBlur/0018/001542" / lost).unlink()
    with pytest.raises(UsageError, match=rf"but not its partner {lost} .*0018/001542/{lost}"):
        listed(tmp_path)


def test_missing_list_says_where_one_gets_it(tmp_path: Path) -> None:
    """The archive alone is not enough: the lists are in the authors' repository."""
    write_shots(tmp_path / "RSBlur", *SHOTS["train"])
    with pytest.raises(
        UsageError,
        match=r"list RSBlur_real_train\.txt: not found; here is RSBlur/ .*"
        r"https://github\.com/rimchang/RSBlur \(CC BY 4\.0\)",
    ):
        listed(tmp_path)


def test_missing_pictures(tmp_path: Path) -> None:
    """The lists alone are not enough either."""
    write_list(tmp_path / "train.txt", *SHOTS["train"])
    with pytest.raises(UsageError, match=r"pictures of its lists: not found; here is train\.txt"):
        listed(tmp_path)


def test_wrong_root(tmp_path: Path) -> None:
    """An unrelated folder is refused by name."""
    (tmp_path / "other").mkdir()
    picture(tmp_path / "other/holiday/1.png")
    with pytest.raises(UsageError, match=r"here is holiday/ \(.*/other\)"):
        listed(tmp_path / "other")


@pytest.mark.parametrize(
    "line",
    [
        "RSBlur/0019/000722/gt/gt_sharp.png",
        "a b c",
        "RSBlur/../../secret/gt.png RSBlur/0019/000722/real_blur/real_blur.png",
        "/RSBlur/0019/000722/gt/gt_sharp.png /RSBlur/0019/000722/real_blur/real_blur.png",
        "0019/000722/gt_sharp.png 0019/000722/real_blur.png",
        "\x89PNG\r",
    ],
)
def test_a_line_that_is_no_pair(tmp_path: Path, line: str) -> None:
    """A damaged list, or one that leads out of the data set, is an error with the line's number."""
    root = original(tmp_path)
    file = root / "datalist/RSBlur/RSBlur_real_train.txt"
    file.write_text(f"{file.read_text()}\n{line}\n")
    with pytest.raises(UsageError, match=r"line 6 is not two paths.*RSBlur_real_train\.txt"):
        listed(root)


def test_spec_declares_the_data_set() -> None:
    """Counts are those of the published lists; no weights are published."""
    (spec,) = b2b_domains()
    assert spec.counts == {"train": 8878, "test": 3360}
    assert spec.counts["train"] + 1120 + spec.counts["test"] == 13358
    assert (spec.deblurrer, spec.extractor, spec.data_licence) == (None, None, "CC-BY-4.0")
    assert "ECCV 2022" in spec.citation


def test_opened_through_the_catalogue(tmp_path: Path) -> None:
    """The installed plugin's domain opens by name, takes options, and needs a root."""
    catalogue = discover()
    root = original(tmp_path)
    pairs = open_domain(catalogue, "rsblur", root, "test", 1, {"test": "val"})
    assert (len(pairs), pairs.domain, pairs[1].scene) == (2, "rsblur", "0018/002002")
    with pytest.raises(UsageError, match="--domain-root DIR, laid out as DIR/RSBlur/"):
        open_domain(catalogue, "rsblur", None, "train", 1)


def test_synthesize_puts_its_blur_on_pictures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`b2b synthesize --domain rsblur` blurs as the pairs are blurred: along the rows only."""
    rng = np.random.default_rng(0)
    write_list(tmp_path / "root/train.txt", "0001/000002", "0001/000003")
    for shot in ("0001/000002", "0001/000003"):
        sharp = rng.integers(0, 256, (96, 96, 3), np.uint8)
        blurry = uniform_filter1d(sharp.astype(float), 7, axis=1, mode="mirror")
        folder = tmp_path / "root/RSBlur" / shot
        picture(folder / "gt/gt_sharp.png", sharp)
        picture(folder / "real_blur/real_blur.png", blurry.round().astype(np.uint8))
    picture(tmp_path / "mine/1.png", rng.integers(0, 256, (96, 96, 3), np.uint8))
    said = ["synthesize", "--domain", "rsblur", "--domain-root", str(tmp_path / "root"), "--sharp"]
    said += [str(tmp_path / "mine"), "--count", "1", "--crop", "64", "--device", "cpu"]
    said += ["-o", str(tmp_path / "out")]
    assert run(said) == 2
    assert "'rsblur' has no published kernel extractor" in capsys.readouterr().err
    assert run([*said, "--kernels"]) == 0
    known = np.asarray(Image.open(tmp_path / "out/known/0000.png"), float)
    across, down = (np.abs(np.diff(known, axis=axis)).mean() for axis in (1, 0))
    assert across < down / 2

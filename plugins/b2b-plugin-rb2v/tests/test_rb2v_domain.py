"""The domain `rb2v` on tiny trees as HyperCUT describes them."""

import json
import shutil
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
from b2b_plugin_rb2v import b2b_domains
from b2b_plugin_rb2v.config import Rb2vConfig
from b2b_plugin_rb2v.domain import Rb2vDomain

#: Sequence -> its partition; each has two blurry frames.
SEQUENCES = {"00000": "train", "00001": "test", "00002": "train", "00003": "val"}


def picture(path: Path, array: np.ndarray | None = None) -> None:
    """Write a picture; of one pixel without `array`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((1, 1, 3), np.uint8) if array is None else array).save(path)


def write_sequence(folder: Path) -> None:
    """Write two blurry frames with seven sharp ones each."""
    for name in ("0000", "0001"):
        picture(folder / f"blur/{name}.png")
        for frame in range(1, 8):
            picture(folder / f"sharp/{name}_{frame}.png")


def entry(sequence: str, name: str, partition: str, above: str = "") -> dict[str, str]:
    """Return one entry of `metadata.json`."""
    frames = {f"frame{n:03d}_path": f"{above}{sequence}/sharp/{name}_{n}.png" for n in range(1, 8)}
    return {
        "id": f"{sequence}/{name}",
        "order": "ignore",
        "partition": partition,
        "blur_path": f"{above}{sequence}/blur/{name}.png",
        **frames,
    }


def write_metadata(
    part: Path, sequences: dict[str, str] | None = None, above: str = ""
) -> list[dict[str, str]]:
    """Write `metadata.json` and return its entries."""
    found = (SEQUENCES if sequences is None else sequences).items()
    data = [entry(seq, name, is_in, above) for seq, is_in in found for name in ("0000", "0001")]
    content = {"name": part.name, "frame_per_seq": 7, "data": data}
    (part / "metadata.json").write_text(json.dumps(content))
    return data


def original(root: Path, part: str = "Street") -> Path:
    """Write a part as HyperCUT describes it."""
    for sequence in SEQUENCES:
        write_sequence(root / part / sequence)
    write_metadata(root / part)
    return root


def listed(root: Path, split: str = "train", **options: object) -> list[tuple[str, str, str]]:
    """Return (blurry, sharp, scene) of all pairs, paths relative to the root."""
    pairs = Rb2vDomain(Rb2vConfig(**options)).pairs(root, split)  # type: ignore[arg-type]
    return [
        (p.blurry.relative_to(root).as_posix(), p.sharp.relative_to(root).as_posix(), p.scene)
        for p in pairs
    ]


def test_layout_of_hypercut(tmp_path: Path) -> None:
    """The metadata decide the split, the middle frame is the original, the sequence the scene."""
    assert listed(original(tmp_path)) == [
        (f"Street/{seq}/blur/{name}.png", f"Street/{seq}/sharp/{name}_4.png", seq)
        for seq in ("00000", "00002")
        for name in ("0000", "0001")
    ]
    assert [scene for _, _, scene in listed(tmp_path, "test")] == ["00001", "00001"]


@pytest.mark.parametrize("frame", [1, 7])
def test_another_frame_as_original(tmp_path: Path, frame: int) -> None:
    """The option takes one of the seven frames."""
    assert [sharp[-6:] for _, sharp, _ in listed(original(tmp_path), frame=frame)] == [
        f"_{frame}.png"
    ] * 4


@pytest.mark.parametrize("frame", [0, 8])
def test_there_are_seven_frames(frame: int) -> None:
    """Frames count from one to seven."""
    with pytest.raises(ValueError, match="frame"):
        Rb2vConfig(frame=frame)


@pytest.mark.parametrize(
    "place", ["Street", "RB2V_Street", "RB2V-Street", "RB2V/Street", "RB2V/RB2V_Street", ""]
)
def test_places_of_a_part(tmp_path: Path, place: str) -> None:
    """The root is the part's folder or one that holds it, under the names in use."""
    original(tmp_path, place)
    assert len(listed(tmp_path)) == 4
    assert len(listed(tmp_path / place)) == 4


def test_parts_are_told_apart(tmp_path: Path) -> None:
    """The option chooses among the parts below the root; Street is the default."""
    for part in ("Face", "Hand", "Street"):
        original(tmp_path, part)
    assert all(blurry.startswith("Street/") for blurry, _, _ in listed(tmp_path))
    assert all(blurry.startswith("Hand/") for blurry, _, _ in listed(tmp_path, part="Hand"))


def test_sequences_of_six_digits(tmp_path: Path) -> None:
    """HyperCUT's text shows folders of five digits and of six: the names are taken as they are."""
    write_sequence(tmp_path / "000007")
    write_metadata(tmp_path, {"000007": "train"})
    assert [scene for _, _, scene in listed(tmp_path)] == ["000007", "000007"]


def test_paths_that_begin_with_the_part(tmp_path: Path) -> None:
    """Metadata whose paths count from the folder above the part work as well."""
    write_metadata(original(tmp_path) / "Street", above="Street/")
    assert [blurry for blurry, _, _ in listed(tmp_path, "test")] == [
        "Street/00001/blur/0000.png",
        "Street/00001/blur/0001.png",
    ]


def test_without_test_partition_val_is_measured_on(tmp_path: Path) -> None:
    """If no frame is marked as test, those marked as val are."""
    write_metadata(original(tmp_path) / "Street", {"00000": "train", "00003": "val"})
    assert {scene for _, _, scene in listed(tmp_path, "test")} == {"00003"}


def test_splits_share_no_scene(tmp_path: Path) -> None:
    """A sequence with frames in both partitions is measured on, not trained on, and it is said."""
    data = write_metadata(original(tmp_path) / "Street")
    data[0]["partition"] = "test"
    (tmp_path / "Street/metadata.json").write_text(json.dumps({"data": data}))
    with capture_logs() as logs:
        train, test = ({s for _, _, s in listed(tmp_path, split)} for split in ("train", "test"))
    assert (train, test) == ({"00002"}, {"00000", "00001"})
    assert "left out of training" in logs[0]["event"]


def test_sorted_into_folders(tmp_path: Path) -> None:
    """Without metadata, folders `train` and `test` do; equal numbers in them are two scenes."""
    for split in ("train", "test"):
        write_sequence(tmp_path / "Street" / split / "00000")
    assert listed(tmp_path) == [
        (f"Street/train/00000/blur/{n}.png", f"Street/train/00000/sharp/{n}_4.png", "train/00000")
        for n in ("0000", "0001")
    ]
    assert {scene for _, _, scene in listed(tmp_path, "test")} == {"test/00000"}


def test_unequal_numbers_in_folders(tmp_path: Path) -> None:
    """A blurry frame without its fourth sharp frame is named."""
    write_sequence(tmp_path / "train/00000")
    (tmp_path / "train/00000/sharp/0001_4.png").unlink()
    with pytest.raises(
        UsageError, match=r"1 picture.*2 blurry, 1 sharp.*blur/0001\.png, which has no sharp"
    ):
        listed(tmp_path)


def test_missing_metadata(tmp_path: Path) -> None:
    """Sequences without a word on their split are refused, with the page of the data."""
    (original(tmp_path) / "Street/metadata.json").unlink()
    with pytest.raises(
        UsageError,
        match=r"metadata\.json, which says what is training.*found 00000/, .*"
        r"https://github\.com/VinAIResearch/HyperCUT \(AGPL-3\.0\)",
    ):
        listed(tmp_path)


def test_wrong_root(tmp_path: Path) -> None:
    """An unrelated folder is refused by name."""
    picture(tmp_path / "other/holiday/1.png")
    with pytest.raises(UsageError, match=r"found holiday/ \(.*/other\)"):
        listed(tmp_path / "other")


@pytest.mark.parametrize("lost", ["blur/0000.png", "sharp/0000_4.png"])
def test_missing_half(tmp_path: Path, lost: str) -> None:
    """A frame without its partner is an error that names the missing file."""
    (original(tmp_path) / "Street/00002" / lost).unlink()
    with pytest.raises(UsageError, match=rf"but not its partner {lost} .*00002/{lost}"):
        listed(tmp_path)


def test_a_part_of_the_sequences(tmp_path: Path) -> None:
    """Sequences that were not fetched are left out, and the count is reported."""
    shutil.rmtree(original(tmp_path) / "Street/00000")
    with capture_logs() as logs:
        assert len(listed(tmp_path)) == 2
        listed(tmp_path / "Street", "test", part="Hand")
    assert [(log["event"], log["pairs"], log["of"]) for log in logs] == [
        ("a part of the data set", 2, 9000),
        ("a part of the data set", 2, 4722),
    ]


def test_nothing_of_a_split(tmp_path: Path) -> None:
    """Metadata without pictures, or without the split, are an error."""
    shutil.rmtree(original(tmp_path) / "Street/00001")
    with pytest.raises(UsageError, match="frames of the split 'test' are not there"):
        listed(tmp_path, "test")


GOOD = entry("00000", "0000", "train")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "it is no JSON"),
        ("\x80", "it is no JSON"),
        ("[]", "has no list 'data'"),
        ('{"data": {}}', "has no list 'data'"),
        ('{"data": ["00000/0000"]}', "entry 0 of 'data' is no table"),
        (json.dumps({"data": [GOOD, {**GOOD, "partition": 1}]}), "entry 1 .* no text 'partition'"),
        (json.dumps({"data": [{"partition": "train"}]}), "no text 'blur_path'"),
        (json.dumps({"data": [{**GOOD, "frame004_path": None}]}), "no text 'frame004_path'"),
        (json.dumps({"data": [{**GOOD, "blur_path": "../../a/b.png"}]}), "'../../a/b.png' is not"),
        (json.dumps({"data": [{**GOOD, "blur_path": "/a/b/c.png"}]}), "'/a/b/c.png' is not like"),
        (json.dumps({"data": [{**GOOD, "blur_path": ""}]}), "'' is not like 00000/blur/0000"),
    ],
)
def test_damaged_metadata(tmp_path: Path, content: str, said: str) -> None:
    """What is not as described, or leads out of the data set, is an error that names the file."""
    (original(tmp_path) / "Street/metadata.json").write_text(content, "latin-1")
    with pytest.raises(UsageError, match=rf"{said}.*Street/metadata\.json"):
        listed(tmp_path)


def test_spec_declares_the_data_set() -> None:
    """Counts are those of HyperCUT's table, Street's being the paper's 5,400 and 3,600."""
    (spec,) = b2b_domains()
    assert spec.counts == {"train": 5400 + 3600, "test": 2053}
    assert (spec.deblurrer, spec.extractor, spec.data_licence) == (None, None, "AGPL-3.0-only")
    assert "CVPR 2023" in spec.citation


def test_opened_through_the_catalogue(tmp_path: Path) -> None:
    """The installed plugin's domain opens by name, takes options, and needs a root."""
    catalogue = discover()
    root = original(original(tmp_path), "Face")
    pairs = open_domain(catalogue, "rb2v", root, "train", 1, {"part": "Face", "frame": 1})
    assert (len(pairs), pairs.domain, pairs[3].scene) == (4, "rb2v", "00002")
    with pytest.raises(UsageError, match="--domain-root DIR, laid out as DIR/Street/"):
        open_domain(catalogue, "rb2v", None, "train", 1)
    with pytest.raises(UsageError, match="frame"):
        open_domain(catalogue, "rb2v", root, "train", 1, {"frame": 8})


def test_synthesize_puts_its_blur_on_pictures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`b2b synthesize --domain rb2v` blurs as the pairs are blurred: along the rows only."""
    rng = np.random.default_rng(0)
    for name in ("0000", "0001"):
        sharp = rng.integers(0, 256, (96, 96, 3), np.uint8)
        blurry = uniform_filter1d(sharp.astype(float), 7, axis=1, mode="mirror")
        picture(tmp_path / f"root/00000/sharp/{name}_4.png", sharp)
        picture(tmp_path / f"root/00000/blur/{name}.png", blurry.round().astype(np.uint8))
    write_metadata(tmp_path / "root", {"00000": "train"})
    picture(tmp_path / "mine/1.png", rng.integers(0, 256, (96, 96, 3), np.uint8))
    said = ["synthesize", "--domain", "rb2v", "--domain-root", str(tmp_path / "root"), "--sharp"]
    said += [str(tmp_path / "mine"), "--count", "1", "--crop", "64", "--device", "cpu"]
    said += ["-o", str(tmp_path / "out")]
    assert run(said) == 2
    assert "'rb2v' has no published kernel extractor" in capsys.readouterr().err
    assert run([*said, "--kernels"]) == 0
    known = np.asarray(Image.open(tmp_path / "out/known/0000.png"), float)
    across, down = (np.abs(np.diff(known, axis=axis)).mean() for axis in (1, 0))
    assert across < down / 2

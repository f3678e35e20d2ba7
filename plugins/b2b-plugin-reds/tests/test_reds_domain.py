"""The domain `reds` on tiny trees in every layout."""

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
from b2b_plugin_reds import b2b_domains
from b2b_plugin_reds.config import RedsConfig
from b2b_plugin_reds.domain import RedsDomain

#: Numbers of frames in the miniature clips; one of them is in the val-300 subset.
FRAMES = (0, 1, 9)


def picture(path: Path, array: np.ndarray | None = None) -> None:
    """Write a picture; of one pixel without `array`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((1, 1, 3), np.uint8) if array is None else array).save(path)


def archive(folder: Path, clips: tuple[int, ...], kind: str) -> None:
    """Write the frames of one kind, as an archive of the data set unpacks them."""
    suffix = ".jpg" if kind == "blur_jpeg" else ".png"
    for clip in clips:
        for number in FRAMES:
            picture(folder / f"{clip:03d}" / f"{number:08d}{suffix}")


def original(root: Path, *tracks: str) -> Path:
    """Write the data set's own layout: three training clips, two validation clips."""
    for part, clips in (("train", (0, 1, 239)), ("val", (0, 29))):
        for kind in ("sharp", *(tracks or ("blur",))):
            archive(root / part / f"{part}_{kind}", clips, kind)
    return root


def listed(root: Path, split: str = "train", **options: str) -> list[tuple[str, str, str]]:
    """Return (blurry, sharp, scene) of all pairs, paths relative to the root."""
    pairs = RedsDomain(RedsConfig(**options)).pairs(root, split)  # type: ignore[arg-type]
    return [
        (p.blurry.relative_to(root).as_posix(), p.sharp.relative_to(root).as_posix(), p.scene)
        for p in pairs
    ]


def test_archives_of_the_data_set(tmp_path: Path) -> None:
    """Pairs are found clip by clip, in order; the clip is the scene; val is the test split."""
    found = listed(original(tmp_path))
    assert [(blurry, sharp) for blurry, sharp, _ in found] == [
        (f"train/train_blur/{c}/{n:08d}.png", f"train/train_sharp/{c}/{n:08d}.png")
        for c in ("000", "001", "239")
        for n in FRAMES
    ]
    assert [scene for _, _, scene in found[::3]] == ["train/000", "train/001", "train/239"]
    assert [scene for _, _, scene in listed(tmp_path, "test")[::3]] == ["val/000", "val/029"]


def test_splits_share_no_scene(tmp_path: Path) -> None:
    """Clips of equal numbers in train and val are two scenes."""
    root = original(tmp_path)
    train, test = ({scene for _, _, scene in listed(root, split)} for split in ("train", "test"))
    assert (len(train), len(test)) == (3, 2)
    assert not train & test


def test_jpeg_frames_are_paired_with_png_frames(tmp_path: Path) -> None:
    """A pair has one number; the suffixes of its two files may differ."""
    first = listed(original(tmp_path, "blur_jpeg"))[0]
    assert first[:2] == (
        "train/train_blur_jpeg/000/00000000.jpg",
        "train/train_sharp/000/00000000.png",
    )


@pytest.mark.parametrize(
    ("there", "track", "used"),
    [
        (("blur", "blur_comp", "blur_jpeg"), "auto", "blur_jpeg"),
        (("blur_comp", "blur"), "auto", "blur"),
        (("blur_comp",), "auto", "blur_comp"),
        (("blur", "blur_jpeg"), "blur", "blur"),
        (("blur", "blur_comp", "blur_jpeg"), "blur_comp", "blur_comp"),
    ],
)
def test_tracks(tmp_path: Path, there: tuple[str, ...], track: str, used: str) -> None:
    """`auto` prefers the track of the published weights; a named track is the one used."""
    root = original(tmp_path, *there)
    for split, part in (("train", "train"), ("test", "val")):
        assert {blurry.split("/")[1] for blurry, _, _ in listed(root, split, track=track)} == {
            f"{part}_{used}"
        }


def test_auto_does_not_mix_the_splits(tmp_path: Path) -> None:
    """Where training and validation were fetched in two tracks, the second is missing, not used."""
    root = original(tmp_path, "blur")
    (root / "val/val_blur").rename(root / "val/val_blur_jpeg")
    assert len(listed(root)) == 9
    with pytest.raises(UsageError, match=r"only val_sharp is here"):
        listed(root, "test")


@pytest.mark.parametrize("between", ["", "{name}/{part}"])
def test_archives_unpacked_elsewhere(tmp_path: Path, between: str) -> None:
    """The folders may lie right below the root, or each archive in a folder of its name."""
    made = original(tmp_path / "made")
    for part in ("train", "val"):
        for kind in ("sharp", "blur"):
            name = f"{part}_{kind}"
            place = tmp_path / "root" / between.format(name=name, part=part)
            place.mkdir(parents=True, exist_ok=True)
            (made / part / name).rename(place / name)
    assert len(listed(tmp_path / "root")) == 9
    assert len(listed(tmp_path / "root", "test")) == 6


def test_root_may_be_the_folder_of_a_split(tmp_path: Path) -> None:
    """`DIR/train` serves as root for the training split."""
    assert len(listed(original(tmp_path) / "train")) == 9


def test_regrouped_tree(tmp_path: Path) -> None:
    """Validation clips beside the training clips are tested on, never trained on."""
    for kind in ("sharp", "blur"):
        archive(tmp_path / f"train_{kind}", (0, 239, 240, 269), kind)
    assert {scene for _, _, scene in listed(tmp_path)} == {"train/000", "train/239"}
    assert {scene for _, _, scene in listed(tmp_path, "test")} == {"val/000", "val/029"}


def test_regrouped_copies_beside_the_originals(tmp_path: Path) -> None:
    """Regrouping copies: with both there, the validation folder is used, and each pair once."""
    root = original(tmp_path)
    for kind in ("sharp", "blur"):
        shutil.copytree(root / f"val/val_{kind}/029", root / f"train/train_{kind}/269")
    assert {scene for _, _, scene in listed(root)} == {"train/000", "train/001", "train/239"}
    assert all(blurry.startswith("val/val_blur/") for blurry, _, _ in listed(root, "test"))
    assert len(listed(root, "test")) == 6


def test_flattened_by_nafnet(tmp_path: Path) -> None:
    """All clips in one folder: clip and frame are read from the file name."""
    for kind, suffix in (("sharp", "png"), ("blur_jpeg", "jpg")):
        for name in ("000_00000001", "001_00000000", "000_00000000"):
            picture(tmp_path / f"train/train_{kind}/{name}.{suffix}")
    assert [(sharp[-16:], scene) for _, sharp, scene in listed(tmp_path)] == [
        ("000_00000000.png", "train/000"),
        ("000_00000001.png", "train/000"),
        ("001_00000000.png", "train/001"),
    ]


def test_val_300_is_every_tenth_frame(tmp_path: Path) -> None:
    """The subset has the frames whose number ends in 9; training is not affected."""
    root = original(tmp_path)
    found = listed(root, "test", test="val-300")
    assert [sharp for _, sharp, _ in found] == [
        f"val/val_sharp/{clip}/00000009.png" for clip in ("000", "029")
    ]
    assert listed(root, test="val-300") == listed(root)


def test_val_300_as_nafnet_copies_it(tmp_path: Path) -> None:
    """The folders of NAFNet's preparation serve for the subset, and for nothing else."""
    for clip in range(2):
        picture(tmp_path / f"val/sharp_300/{clip:03d}_00000019.png")
        picture(tmp_path / f"val/blur_300/{clip:03d}_00000019.jpg")
    assert [scene for _, _, scene in listed(tmp_path, "test", test="val-300")] == [
        "val/000",
        "val/001",
    ]
    with pytest.raises(UsageError, match="no REDS pairs"):
        listed(tmp_path, "test", test="val-300", track="blur")
    with pytest.raises(UsageError, match="no REDS pairs"):
        listed(tmp_path, "test")


def test_wrong_root(tmp_path: Path) -> None:
    """The error says what was looked for, what is there, and where one gets the data."""
    picture(tmp_path / "holiday/1.png")
    with pytest.raises(
        UsageError,
        match=r"train/train_sharp and train/\(train_blur_jpeg or .*found holiday/.*"
        r"seungjunnah\.github\.io/Datasets/reds \(CC BY 4\.0\)",
    ):
        listed(tmp_path)


@pytest.mark.parametrize(
    ("lost", "said"),
    [
        ("train_sharp", "train_sharp is missing or empty; only train_blur is here"),
        ("train_blur", "train_blur is missing or empty; only train_sharp is here"),
    ],
)
def test_missing_half(tmp_path: Path, lost: str, said: str) -> None:
    """Where one of the two archives was not fetched, the error names it and its page."""
    shutil.rmtree(original(tmp_path) / "train" / lost)
    with pytest.raises(UsageError, match=rf"{said}.*get it from https://"):
        listed(tmp_path, track="blur")


def test_missing_split(tmp_path: Path) -> None:
    """Training archives alone give no test split."""
    shutil.rmtree(original(tmp_path) / "val")
    assert len(listed(tmp_path)) == 9
    with pytest.raises(UsageError, match=r"looked for val/val_sharp.*found train/"):
        listed(tmp_path, "test")


@pytest.mark.parametrize(("lost", "partner"), [("blur", "blurry version"), ("sharp", "sharp orig")])
def test_unequal_numbers(tmp_path: Path, lost: str, partner: str) -> None:
    """The first frame without partner is named, with both counts, whichever side is short."""
    root = original(tmp_path)
    for number in (1, 9):
        (root / f"train/train_{lost}/001/{number:08d}.png").unlink()
    numbers = "7 blurry, 9 sharp" if lost == "blur" else "9 blurry, 7 sharp"
    with pytest.raises(
        UsageError, match=rf"2 picture.*{numbers}.*001/00000001\.png.* no {partner}"
    ):
        listed(root)


def test_foreign_files_are_no_frames(tmp_path: Path) -> None:
    """Notes, hidden files and folders that are no clips are passed over."""
    root = original(tmp_path)
    picture(root / "train/train_sharp/000/.hidden.png")
    picture(root / "train/train_sharp/previews/00000000.png")
    (root / "train/train_sharp/readme.txt").write_text("no picture")
    assert len(listed(root)) == 9


def test_counts_are_the_published_ones(tmp_path: Path) -> None:
    """240 and 30 clips of 100 frames; a smaller tree is reported."""
    (spec,) = b2b_domains()
    assert spec.counts == {"train": 240 * 100, "test": 30 * 100}
    with capture_logs() as logs:
        listed(original(tmp_path))
        listed(tmp_path, "test", test="val-300")
    assert [(log["event"], log["split"], log["pairs"], log["of"]) for log in logs] == [
        ("a part of the data set", "train", 9, 24000),
        ("a part of the data set", "val-300", 2, 300),
    ]


def test_a_whole_split_is_not_reported(tmp_path: Path) -> None:
    """With all 300 frames of the subset there is nothing to say."""
    for clip in range(30):
        for number in range(9, 100, 10):
            picture(tmp_path / f"val/val_sharp/{clip:03d}/{number:08d}.png")
            picture(tmp_path / f"val/val_blur/{clip:03d}/{number:08d}.png")
    with capture_logs() as logs:
        assert len(listed(tmp_path, "test", test="val-300")) == 300
    assert logs == []


def test_spec_names_weights_and_licence() -> None:
    """The published weights of NAFNet and of the kernel extractor are the defaults."""
    (spec,) = b2b_domains()
    assert (spec.deblurrer, spec.extractor) == ("nafnet.reds-width64", "kernel-space.reds")
    assert spec.data_licence == "CC-BY-4.0"
    assert "CVPR Workshops 2019" in spec.citation


def test_opened_through_the_catalogue(tmp_path: Path) -> None:
    """The installed plugin's domain opens by name, takes options, and needs a root."""
    catalogue = discover()
    root = original(tmp_path, "blur", "blur_comp")
    pairs = open_domain(catalogue, "reds", root, "test", 1, {"test": "val-300"})
    assert (len(pairs), pairs.domain, pairs[0].scene) == (2, "reds", "val/000")
    with pytest.raises(UsageError, match="--domain-root DIR, laid out as DIR/"):
        open_domain(catalogue, "reds", None, "train", 1)
    with pytest.raises(UsageError, match="track"):
        open_domain(catalogue, "reds", root, "train", 1, {"track": "raw"})


def test_synthesize_puts_its_blur_on_pictures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`b2b synthesize --domain reds` blurs as the pairs are blurred: along the rows only."""
    rng = np.random.default_rng(0)
    for number in range(2):
        sharp = rng.integers(0, 256, (96, 96, 3), np.uint8)
        blurry = uniform_filter1d(sharp.astype(float), 7, axis=1, mode="mirror")
        name = f"000/{number:08d}.png"
        picture(tmp_path / "root/train/train_sharp" / name, sharp)
        picture(tmp_path / "root/train/train_blur" / name, blurry.round().astype(np.uint8))
    picture(tmp_path / "mine/1.png", rng.integers(0, 256, (96, 96, 3), np.uint8))
    said = ["synthesize", "--domain", "reds", "--domain-root", str(tmp_path / "root"), "--kernels"]
    said += ["--sharp", str(tmp_path / "mine"), "--count", "1", "--crop", "64", "--device", "cpu"]
    assert run([*said, "-o", str(tmp_path / "out")]) == 0
    known = np.asarray(Image.open(tmp_path / "out/known/0000.png"), float)
    across, down = (np.abs(np.diff(known, axis=axis)).mean() for axis in (1, 0))
    assert across < down / 2
    assert run([*said[:4], str(tmp_path), *said[5:], "-o", str(tmp_path / "again")]) == 2
    assert "no REDS pairs" in capsys.readouterr().err


def test_adapt_takes_the_options(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`b2b adapt --set domain.options.track=...` decides which frames are used."""
    root = original(tmp_path / "root", "blur")
    for name in ("blurry/1.png", "sharp/2.png"):
        picture(tmp_path / name, np.zeros((128, 128, 3), np.uint8))
    said = ["adapt", str(tmp_path / "blurry"), str(tmp_path / "sharp"), "--domain", "reds"]
    said += ["--domain-root", str(root), "--deblurrer", "unet.starter", "--device", "cpu"]
    said += ["--set", "data.crop=32", "-o", str(tmp_path / "out")]
    assert run([*said, "--set", "domain.options.track=blur_comp"]) == 2
    assert "train_blur_comp is missing or empty" in capsys.readouterr().err
    assert run([*said, "--set", "domain.options.track=blur"]) == 2
    assert "1x1 pixels is smaller than the crop" in capsys.readouterr().err

"""The domain `gopro` on tiny trees in every layout."""

from pathlib import Path

import pytest

from b2b_core.catalogue import discover
from b2b_core.data.domains import open_domain
from b2b_core.errors import UsageError
from b2b_plugin_gopro import b2b_domains, b2b_resolve_weights
from b2b_plugin_gopro.config import GoproConfig
from b2b_plugin_gopro.domain import GoproDomain

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763"
    "606060000000040001276349a60000000049454e44ae426082"
)


def touch(root: Path, *names: str) -> Path:
    """Create picture files of one pixel."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(PNG)
    return root


def original(root: Path, kind: str = "blur") -> Path:
    """Create the data set's own layout: two training sequences, one test sequence."""
    return touch(
        root,
        *(
            f"{split}/{sequence}/{folder}/{number:06d}.png"
            for split, sequence, numbers in (
                ("train", "GOPR0372_07_00", (47, 48, 100)),
                ("train", "GOPR0374_11_01", (1, 2)),
                ("test", "GOPR0384_11_00", (5,)),
            )
            for folder in (kind, "sharp")
            for number in numbers
        ),
    )


def listed(root: Path, split: str = "train", **options: str) -> list[tuple[str, str, str]]:
    """Return (blurry, sharp, scene) of all pairs, paths relative to the root."""
    pairs = GoproDomain(GoproConfig(**options)).pairs(root, split)  # type: ignore[arg-type]
    return [
        (p.blurry.relative_to(root).as_posix(), p.sharp.relative_to(root).as_posix(), p.scene)
        for p in pairs
    ]


@pytest.mark.parametrize("kind", ["blur", "blur_gamma"])
def test_original_layout(tmp_path: Path, kind: str) -> None:
    """Pairs are found sequence by sequence, in order, the sequence being the scene."""
    found = listed(original(tmp_path, kind))
    assert [(sharp, scene) for _, sharp, scene in found] == [
        ("train/GOPR0372_07_00/sharp/000047.png", "GOPR0372_07_00"),
        ("train/GOPR0372_07_00/sharp/000048.png", "GOPR0372_07_00"),
        ("train/GOPR0372_07_00/sharp/000100.png", "GOPR0372_07_00"),
        ("train/GOPR0374_11_01/sharp/000001.png", "GOPR0374_11_01"),
        ("train/GOPR0374_11_01/sharp/000002.png", "GOPR0374_11_01"),
    ]
    assert all(blurry == sharp.replace("sharp", kind) for blurry, sharp, _ in found)
    assert len(listed(tmp_path, "test")) == 1


def test_auto_prefers_blur_and_never_mixes(tmp_path: Path) -> None:
    """With both kinds there, `auto` takes `blur`; the option takes the other."""
    root = original(original(tmp_path, "blur"), "blur_gamma")
    assert all("/blur/" in blurry for blurry, _, _ in listed(root))
    assert all("/blur_gamma/" in blurry for blurry, _, _ in listed(root, blur="blur_gamma"))


def test_sequence_without_the_kind_is_named(tmp_path: Path) -> None:
    """A sequence that lacks the folder of the others' kind is an error, not a mixture."""
    root = touch(original(tmp_path), "train/GOPR0400_01_00/blur_gamma/000001.png")
    with pytest.raises(UsageError, match="GOPR0400_01_00 has no folder 'blur'"):
        listed(root)


def test_flattened_layout_of_mimo_unet(tmp_path: Path) -> None:
    """The scene is read from the flattened file name."""
    names = ("GOPR0372_07_00_000047.png", "GOPR0374_11_01_000001.png")
    touch(tmp_path, *(f"train/{f}/{n}" for f in ("blur", "sharp") for n in names))
    assert listed(tmp_path) == [
        (f"train/blur/{name}", f"train/sharp/{name}", name[:14]) for name in names
    ]


def test_input_target_layout_of_mprnet_and_nafnet(tmp_path: Path) -> None:
    """`input` and `target` count as blurry and sharp, whatever the kind option says."""
    names = ("GOPR0372_07_00-000047.png", "GOPR0384_11_02-000002.png")
    touch(tmp_path, *(f"train/{f}/{n}" for f in ("input", "target") for n in names))
    assert listed(tmp_path, blur="blur_gamma") == [
        (f"train/input/{name}", f"train/target/{name}", name[:14]) for name in names
    ]


def test_foreign_names_have_a_scene(tmp_path: Path) -> None:
    """Numbered files of another name share the scene of their prefix; bare numbers stand alone."""
    names = ("1.png", "night-001.png", "night-002.png")
    touch(tmp_path, *(f"train/{f}/{n}" for f in ("input", "target") for n in names))
    assert [scene for _, _, scene in listed(tmp_path)] == ["1", "night", "night"]


@pytest.mark.parametrize("name", ["train", "mine"])
def test_root_may_be_one_split(tmp_path: Path, name: str) -> None:
    """The folder of a split serves as root for that split."""
    original(tmp_path)
    (tmp_path / "train").rename(tmp_path / name)
    assert len(listed(tmp_path / name)) == 5


def test_root_of_the_other_split_is_refused(tmp_path: Path) -> None:
    """Nobody trains on the test pictures by a slip."""
    root = original(tmp_path)
    with pytest.raises(UsageError, match="'train' is asked for, but only 'test' is here"):
        listed(root / "test")


def test_missing_split_says_where_it_should_be(tmp_path: Path) -> None:
    """A root with one of the two splits names the other's place."""
    root = touch(tmp_path, "train/a/blur/1.png", "train/a/sharp/1.png")
    with pytest.raises(UsageError, match=f"put it at {root / 'test'}"):
        listed(root, "test")


@pytest.mark.parametrize("folder", ["blur", "sharp"])
def test_missing_partner_names_the_first(tmp_path: Path, folder: str) -> None:
    """The first picture without partner is named, whichever side is missing."""
    root = original(tmp_path)
    for number in (48, 100):
        (root / f"train/GOPR0372_07_00/{folder}/{number:06d}.png").unlink()
    with pytest.raises(UsageError, match=rf"2 picture.*000048\.png, .*missing in {folder}/"):
        listed(root)


def test_root_without_pairs_says_what_was_found(tmp_path: Path) -> None:
    """The error tells what was looked for and what is there."""
    touch(tmp_path, "train/clear/1.png", "train/readme.txt")
    with pytest.raises(UsageError, match=r"looked for SEQUENCE.*found clear/, readme\.txt"):
        listed(tmp_path)


def test_empty_folders_are_no_pairs(tmp_path: Path) -> None:
    """Folders of the right names without pictures are reported as such."""
    for name in ("blur", "sharp"):
        (tmp_path / "train" / name).mkdir(parents=True)
    (tmp_path / "train/sharp/notes.txt").write_text("no picture")
    with pytest.raises(UsageError, match="hold no pictures"):
        listed(tmp_path)


def test_spec_declares_the_data_set() -> None:
    """Counts, licence and default networks are in the spec."""
    (spec,) = b2b_domains()
    assert spec.counts == {"train": 2103, "test": 1111}
    assert (spec.data_licence, spec.deblurrer) == ("CC-BY-4.0", "unet.gopro")
    assert spec.extractor == "kernel-space.starter"
    assert "CVPR 2017" in spec.citation


def test_foreign_weights_are_not_ours() -> None:
    """Only the names of this plugin's weights are resolved."""
    assert b2b_resolve_weights("unet.reds") is None
    found = b2b_resolve_weights("unet.gopro")
    assert found is None or found.name == "deblurrer.safetensors"


def test_opened_through_the_catalogue(tmp_path: Path) -> None:
    """The installed plugin's domain opens by name; without a root it says which one it needs."""
    catalogue = discover()
    pairs = open_domain(catalogue, "gopro", original(tmp_path), "train", 1)
    assert (len(pairs), pairs.domain) == (5, "gopro")
    with pytest.raises(UsageError, match="--domain-root DIR, laid out as DIR/"):
        open_domain(catalogue, "gopro", None, "train", 1)
    with pytest.raises(UsageError, match="no such folder"):
        open_domain(catalogue, "gopro", tmp_path / "nowhere", "train", 1)
    with pytest.raises(UsageError, match="smaller than the crop of 64"):
        open_domain(catalogue, "gopro", tmp_path, "train", 64)

"""Seeds, scenes, crops and picture sets."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from b2b_core.data.crops import CropSampler
from b2b_core.data.pictures import PictureSet, TrainingPicture, load_pictures
from b2b_core.data.scenes import hold_out, scene_of, split_scenes, unpair
from b2b_core.data.seeding import derive_seed, numpy_rng, torch_rng
from b2b_core.errors import UsageError


def picture(scene: str, value: int = 0, size: tuple[int, int] = (20, 24)) -> TrainingPicture:
    """Return a flat picture of one scene."""
    return TrainingPicture(Path(f"{scene}.png"), scene, torch.full((3, *size), value).byte())


def test_seeds_depend_on_every_number_and_nothing_else():
    """The same use of randomness gives the same numbers, another use gives others."""
    assert derive_seed(1, "a", 2) == derive_seed(1, "a", 2)
    seeds = {derive_seed(*use) for use in [(1, "a", 2), (2, "a", 2), (1, "b", 2), (1, "a", 3)]}
    assert len(seeds) == 4
    assert numpy_rng(1, "a").integers(100) == numpy_rng(1, "a").integers(100)
    draws = [torch.rand(1, generator=torch_rng(1, "a")).item() for _ in range(2)]
    assert draws[0] == draws[1]


def test_the_seed_of_a_use_is_pinned():
    """Seeds are part of every published result: this value may never change."""
    import hashlib

    digest = hashlib.sha256(b"7:stream:3:4").digest()
    assert derive_seed(7, "stream", 3, 4) == int.from_bytes(digest[:8], "big") // 2


def test_split_scenes_is_disjoint_complete_and_never_empty():
    """Whatever the share, both parts hold a scene and no scene is in both."""
    scenes = [f"s{i}" for i in range(10)]
    for share in (0.0, 0.6, 1.0):
        first, second = split_scenes(scenes, share, seed=3)
        assert first | second == set(scenes)
        assert not first & second
        assert first
        assert second
    assert len(split_scenes(scenes, 0.6, seed=3)[0]) == 6


def test_unpair_makes_shared_scenes_disjoint_and_keeps_the_others():
    """A scene that both sets show ends in one of them; 6 of 10 shared ones go to B."""
    shared = [f"both{i}" for i in range(10)]
    blurry = PictureSet([picture(s) for s in [*shared, "only-blurry"]], "blurry")
    sharp = PictureSet([picture(s) for s in [*shared, "only-sharp"]], "sharp")
    b, s, count = unpair(blurry, sharp, 0.6, seed=0)
    assert count == 10
    assert not set(b.scenes) & set(s.scenes)
    assert len(b) == 7
    assert len(s) == 5
    assert "only-blurry" in b.scenes
    assert "only-sharp" in s.scenes


def test_hold_out_splits_by_scene_and_by_picture_where_there_is_one_scene():
    """Pictures of one scene are never on both sides, unless there is only that scene."""
    many = PictureSet([picture(f"s{i // 2}") for i in range(20)], "sharp")
    kept, held = hold_out(many, 0.2, seed=1)
    assert not set(kept.scenes) & set(held.scenes)
    assert len(held) == 4
    one = PictureSet([picture("s") for _ in range(10)], "sharp")
    kept, held = hold_out(one, 0.2, seed=1)
    assert (len(kept), len(held)) == (8, 2)
    single = PictureSet([picture("s")], "sharp")
    kept, held = hold_out(single, 0.2, seed=1)
    assert len(kept) == len(held) == 1


def test_the_scene_is_the_folder_or_the_name():
    """Frames of one folder are one scene; loose pictures are scenes of their own."""
    root = Path("root")
    assert scene_of(root / "seq1" / "0001.png", root) == "seq1"
    assert scene_of(root / "IMG_7.jpg", root) == "IMG_7"


def test_a_batch_is_a_pure_function_of_its_step_and_shows_real_windows():
    """Drawing step 5 twice, or before step 4, gives the same crops, each a window of a picture."""
    pixels = torch.randint(0, 256, (3, 40, 30), dtype=torch.uint8)
    pictures = PictureSet([TrainingPicture(Path("a"), "a", pixels)], "sharp")
    first = CropSampler(pictures, 8, seed=0, stream="x")
    fifth = first.batch(5, 3)
    again = CropSampler(pictures, 8, seed=0, stream="x")
    again.batch(4, 3)
    torch.testing.assert_close(again.batch(5, 3), fifth, rtol=0, atol=0)
    windows = pixels.float().div(255).unfold(1, 8, 1).unfold(2, 8, 1)
    for crop in fifth:
        same = (windows == crop[:, None, None]).flatten(3).all(-1).all(0)
        assert same.any()
    other = CropSampler(pictures, 8, seed=0, stream="y").batch(5, 3)
    assert not torch.equal(other, fifth)


def test_a_picture_smaller_than_the_crop_is_refused_by_name():
    """The sampler names the picture and how to mend it."""
    with pytest.raises(UsageError, match=r"small\.png.*data\.crop"):
        CropSampler(PictureSet([picture("small")], "sharp"), 32, 0, "x")


def save(path: Path, size: tuple[int, int]) -> None:
    """Write a random picture of (width, height)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)).save(path)


def test_load_pictures_keeps_pixels_scene_and_coding(tmp_path):
    """PNG pixels come back exactly; a JPEG's quantisation tables are read from the file."""
    save(tmp_path / "a.png", (30, 20))
    save(tmp_path / "walk" / "b.jpg", (30, 20))
    loaded = load_pictures(tmp_path, "blurry", 16)
    assert [p.scene for p in loaded] == ["a", "walk"]
    with Image.open(tmp_path / "a.png") as image:
        expected = np.array(image).transpose(2, 0, 1)
    np.testing.assert_array_equal(loaded[0].pixels.numpy(), expected)
    assert loaded[0].coding is None
    with Image.open(tmp_path / "walk" / "b.jpg") as image:
        assert loaded[1].coding.tables[0] == tuple(image.quantization[0])


def test_too_small_pictures_are_counted_and_named(tmp_path):
    """One line: how many, the first, the folder, and what to do."""
    save(tmp_path / "a.png", (64, 64))
    save(tmp_path / "tiny.png", (64, 15))
    with pytest.raises(UsageError, match=r"1 sharp picture.*tiny\.png.*data\.crop"):
        load_pictures(tmp_path, "sharp", 32)


def test_a_set_beyond_the_memory_budget_keeps_a_window_of_each(tmp_path, monkeypatch):
    """Large sets are cut at load time, never below the crop, and the same way every time."""
    save(tmp_path / "a.png", (200, 100))
    monkeypatch.setattr("b2b_core.data.pictures.MEMORY_BUDGET", 3 * 50 * 50)
    first, second = (load_pictures(tmp_path, "sharp", 32)[0].pixels for _ in range(2))
    assert first.shape == (3, 50, 50)
    assert torch.equal(first, second)

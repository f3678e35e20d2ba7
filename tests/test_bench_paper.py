"""The paper's settings on miniature trees in the layouts of the real data sets, in few steps."""

import json

import numpy as np
import pytest
from attrs import evolve
from PIL import Image, ImageFilter

from b2b_core.bench.datasets import camera_of_dataset, unpaired
from b2b_core.bench.library import recipes_named
from b2b_core.bench.recipe import Unknown
from b2b_core.bench.report import page
from b2b_core.bench.runner import Bench
from b2b_core.bench.table import sections
from b2b_core.catalogue import discover
from b2b_core.contracts import Pair
from b2b_core.errors import UsageError

CATALOGUE = discover()
SIZE = (128, 128)
RNG = np.random.default_rng(0)


def save_pair(blurry, sharp):
    """Write a sharp picture and its blurred version."""
    coarse = RNG.integers(0, 256, (32, 32, 3), dtype=np.uint8)
    picture = Image.fromarray(coarse).resize(SIZE, Image.Resampling.BICUBIC)
    for path, image in ((sharp, picture), (blurry, picture.filter(ImageFilter.BoxBlur(2)))):
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path)


def gopro(root):
    """Two training sequences and a test sequence, as GOPRO_Large has them."""
    for split, sequences in (("train", 2), ("test", 1)):
        for number in range(sequences):
            folder = root / "GOPRO" / split / f"GOPR0{number}_{split}"
            save_pair(folder / "blur" / "000047.png", folder / "sharp" / "000047.png")


def rb2v(root):
    """Sequences of one frame with sharp ones beside it, and metadata.json, as HyperCUT has them."""
    street, data = root / "RB2V" / "Street", []
    for number in range(6):
        name = f"{number:05d}"
        save_pair(street / name / "blur" / "0000.png", street / name / "sharp" / "0000_4.png")
        entry = {
            "id": f"{name}/0000", "order": 0, "partition": "train" if number < 5 else "test",
            "blur_path": f"{name}/blur/0000.png",
        }  # fmt: skip
        data.append(
            entry | {f"frame{n:03d}_path": f"{name}/sharp/0000_{n}.png" for n in range(1, 8)}
        )
    described = {"name": "Street", "frame_per_seq": 7, "data": data}
    (street / "metadata.json").write_text(json.dumps(described))


def reds(root):
    """Clips of one frame, as the archives of REDS unpack."""
    for part, clips in (("train", 4), ("val", 1)):
        for clip in range(clips):
            folder, name = root / "REDS" / part, f"{clip:03d}/00000000.png"
            save_pair(folder / f"{part}_blur" / name, folder / f"{part}_sharp" / name)


def rsblur(root):
    """Shots with their lists, as RSBlur has them."""
    lists = {"train": [2, 22, 42, 62], "test": [82]}
    for name, shots in lists.items():
        lines = []
        for shot in shots:
            folder = f"RSBlur/0001/{shot:06d}"
            files = f"{folder}/gt/gt_sharp.png", f"{folder}/real_blur/real_blur.png"
            save_pair(root / "RSBlur" / files[1], root / "RSBlur" / files[0])
            lines.append(" ".join(files))
        (root / "RSBlur" / f"RSBlur_real_{name}.txt").write_text("\n".join(lines))


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Return a data root with all four data sets in miniature."""
    root = tmp_path_factory.mktemp("data")
    for make in (gopro, rb2v, reds, rsblur):
        make(root)
    return root


@pytest.mark.parametrize(
    "name",
    [
        "paper-table-2-rb2v-nafnet",
        "paper-table-2-reds-restormer",
        "paper-table-3-reds-5-5",
        "paper-table-5-50",
        "paper-reblur-rsblur",
    ],
)
def test_a_setting_of_the_paper_runs_from_the_data_set_to_the_table(root, tmp_path, name):
    """Real layout in, folders of links, a quick run, a row beside the published number."""
    (recipe,) = recipes_named(name, quick=True)
    bench = Bench(root=root, out=tmp_path, catalogue=CATALOGUE, quick=True)
    (result,) = bench.run([recipe], [0])
    assert {"blurry", "deblurrer", "b2b", "bound"} <= set(result.ways)
    assert len(result.ways["b2b"].psnr) == 1
    assert result.bound["steps"] == "2"
    text = page(sections([result]))
    assert "the paper's PSNR" in text
    assert f"{recipe.published['b2b']:.2f} |" in text
    assert bench.run([recipe], [0]) == [result]


def test_every_backbone_of_table_4_can_be_the_translator():
    """The three recipes name translators that are installed."""
    recipes = recipes_named("paper-table-4")
    names = [recipe.adaptation["translator"]["name"] for recipe in recipes]
    assert names == ["unet-multiscale", "mimo-unet", "nafnet"]
    assert all(CATALOGUE.spec("translator", name) for name in names)


def test_the_converter_is_checked_by_d_and_by_a_classifier(root, tmp_path):
    """Table 6: four percentages of test crops, written to the result and to the page."""
    (recipe,) = recipes_named("paper-table-6", quick=True)
    bench = Bench(root=root, out=tmp_path, catalogue=CATALOGUE, quick=True)
    (result,) = bench.run([recipe], [0])
    assert set(result.checks) == {"Acc1 input", "Acc1 converted", "Acc2 input", "Acc2 converted"}
    assert all(0 <= value <= 100 for value in result.checks.values())
    assert "converter-check" in result.seconds
    text = page(sections([result]))
    assert f"Acc2 converted {result.checks['Acc2 converted']:.1f} %" in text


def test_a_strategy_without_a_converter_refuses_the_checks(root, tmp_path):
    """Checks beside `reblur` end in one line that says what to do."""
    (recipe,) = recipes_named("paper-reblur-rb2v", quick=True)
    (other,) = recipes_named("paper-table-6", quick=True)
    bench = Bench(root=root, out=tmp_path, catalogue=CATALOGUE, quick=True)
    with pytest.raises(UsageError, match=r"'reblur' cannot check.*\[checks\]"):
        bench.run([evolve(recipe, checks=other.checks)], [0])


def pairs_of(scenes, frames=3):
    """Return pairs without files."""
    return [
        Pair(f"{scene}/b{frame}", f"{scene}/s{frame}", str(scene))
        for scene in range(scenes)
        for frame in range(frames)
    ]


@pytest.mark.parametrize("share", [0.5, 0.6, 0.7, 0.8, 0.9])
def test_scenes_are_split_at_the_ratio_and_never_shared(share):
    """B and S have no scene in common and divide all of them as Table 3 says."""
    blurry, sharp = unpaired(pairs_of(20), Unknown(domain="x", root="y", blurry_share=share))
    of_blurry, of_sharp = ({pair.scene for pair in pairs} for pairs in (blurry, sharp))
    assert not of_blurry & of_sharp
    assert len(of_blurry) == round(20 * share)
    assert len(blurry) + len(sharp) == 60


def test_a_fraction_takes_whole_scenes_of_both():
    """Half of the data is half of the scenes, at the same ratio, and part of the whole."""
    said = Unknown(domain="x", root="y", fraction=0.5)
    blurry, sharp = unpaired(pairs_of(20), said)
    assert len({pair.scene for pair in blurry}) == 6
    assert len({pair.scene for pair in sharp}) == 4


def test_pictures_are_linked_and_never_copied_or_renamed(root, tmp_path):
    """Links point to the data set; B and S keep their scenes; the test has names of its own."""
    (recipe,) = recipes_named("paper-table-2-rsblur-nafnet", quick=True)
    camera = camera_of_dataset(recipe, root, tmp_path, CATALOGUE)
    links = list(tmp_path.rglob("*.png"))
    assert all(path.is_symlink() for path in links)
    assert all(path.resolve().is_relative_to(root.resolve()) for path in links)
    scenes = [
        {path.parent.name for path in side.rglob("*.png")} for side in (camera.blurry, camera.sharp)
    ]
    assert not scenes[0] & scenes[1]
    assert len(scenes[0] | scenes[1]) == 4
    assert len(list(camera.test_blurry.iterdir())) == 1
    assert len(camera.pairs) == 4


def test_a_data_set_that_is_not_there_is_asked_for(tmp_path):
    """The layout is shown; nothing is made."""
    (recipe,) = recipes_named("paper-table-2-rb2v-nafnet", quick=True)
    with pytest.raises(UsageError, match=r"'rb2v' is not here.*metadata\.json"):
        camera_of_dataset(recipe, tmp_path, tmp_path / "cache", CATALOGUE)
    assert not (tmp_path / "cache").exists()

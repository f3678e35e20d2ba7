"""Options of a known domain reach every command that opens one."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import uniform_filter1d

from b2b_core.catalogue import discover
from b2b_core.cli import run
from b2b_core.data.domains import open_domain
from b2b_core.networks import read_network_header

#: Levels by which the pictures of each kind are brighter than the sharp ones.
BRIGHTER = {"blur": 10, "blur_gamma": 20}


def psnr(levels: int) -> float:
    """Return the PSNR in dB of pictures that differ by so many levels everywhere."""
    return float(20 * np.log10(255 / levels))


def save(path: Path, pixels: np.ndarray) -> None:
    """Write a picture of 8 bits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.round().astype(np.uint8)).save(path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Write GoPro trees whose two kinds of blurry pictures are brighter, by 10 and by 20 levels."""
    rng = np.random.default_rng(0)
    for place in ("train/GOPR0001_01_00", "test/GOPR0002_01_00"):
        sharp = rng.integers(20, 200, (64, 64, 3)).astype(float)
        save(tmp_path / "data" / place / "sharp/000001.png", sharp)
        for kind, by in BRIGHTER.items():
            save(tmp_path / "data" / place / kind / "000001.png", sharp + by)
    return tmp_path / "data"


def train(what: str, root: Path, out: Path, *options: str) -> int:
    """Run `b2b train` for one step on a network of few weights."""
    small = ("width=8",)
    if what == "extractor":
        small = (
            "width=4", "code_channels=8", "front_blocks=1", "back_blocks=1", "code_blocks=0",
            "downsamplings=2",
        )  # fmt: skip
    said = ["train", what, "--domain", "gopro", "--domain-root", str(root), "-o", str(out)]
    said += [f"--set={one}" for one in (*small, "train.batch=2", "train.crop=32")]
    return run([*said, "--steps", "1", "--device", "cpu", *options])


@pytest.mark.parametrize(
    ("what", "fact"), [("deblurrer", "test_blurry_psnr"), ("extractor", "sharp_psnr")]
)
def test_training_is_on_the_pairs_that_the_option_chooses(
    what: str, fact: str, root: Path, tmp_path: Path
) -> None:
    """The measured PSNR of the pairs is that of the chosen kind; the network file says which."""
    for option, levels in (((), 10), (("--domain-option", "blur=blur_gamma"), 20)):
        out = tmp_path / f"{levels}.safetensors"
        assert train(what, root, out, *option) == 0
        facts = read_network_header(out).facts
        assert float(facts[fact]) == pytest.approx(psnr(levels), abs=0.01)
        said = '{"blur": "blur_gamma"}' if option else None
        assert facts.get("domain_options") == said


@pytest.mark.parametrize("what", ["deblurrer", "extractor"])
def test_training_refuses_wrong_options(
    what: str, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unknown key, a value of a wrong kind, no `=`, a kind that is not there: exit code 2."""
    for option, message in (
        ("blurr=blur", "unknown setting 'blurr'"),
        ("blur=3", "'blur' is 3"),
        ("blur", "write it as key=value"),
    ):
        assert train(what, root, tmp_path / "out", "--domain-option", option) == 2
        assert message in capsys.readouterr().err
    for folder in root.rglob("blur_gamma"):
        folder.rename(folder.with_name("other"))
    assert train(what, root, tmp_path / "out", "--domain-option", "blur=blur_gamma") == 2
    assert "blur_gamma" in capsys.readouterr().err


def test_synthesized_blur_is_that_of_the_option(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Pairs of one kind are blurred along the rows, of the other along the columns; so is K."""
    rng = np.random.default_rng(0)
    for number in range(2):
        sharp = rng.integers(0, 256, (96, 96, 3)).astype(float)
        folder = tmp_path / "data/train/GOPR0001_01_00"
        save(folder / f"sharp/{number:06d}.png", sharp)
        for axis, kind in ((1, "blur"), (0, "blur_gamma")):
            blurry = uniform_filter1d(sharp, 7, axis=axis, mode="mirror")
            save(folder / f"{kind}/{number:06d}.png", blurry)
    save(tmp_path / "mine/1.png", rng.integers(0, 256, (96, 96, 3)).astype(float))
    said = ["synthesize", "--domain", "gopro", "--domain-root", str(tmp_path / "data"), "--kernels"]
    said += ["--sharp", str(tmp_path / "mine"), "--count", "1", "--crop", "64", "--device", "cpu"]
    for kind, smooth in (("blur", 1), ("blur_gamma", 0)):
        out = tmp_path / kind
        assert run([*said, "--domain-option", f"blur={kind}", "-o", str(out)]) == 0
        known = np.asarray(Image.open(out / "known/0000.png"), float)
        steps = [np.abs(np.diff(known, axis=axis)).mean() for axis in (0, 1)]
        assert steps[smooth] < steps[1 - smooth] / 2
    assert run([*said, "--domain-option", "blr=blur", "-o", str(tmp_path / "new")]) == 2
    assert "did you mean 'blur'?" in capsys.readouterr().err


def test_options_may_be_repeated_and_are_read_as_toml(tmp_path: Path) -> None:
    """Several options are all set, numbers as numbers."""
    rng = np.random.default_rng(0)
    for part in ("Face", "Street"):
        for kind, names in (("sharp", ("0000_1", "0000_4")), ("blur", ("0000",))):
            for name in names:
                for number in range(2 if part == "Face" else 1):
                    folder = tmp_path / f"data/{part}/train/{number:05d}/{kind}"
                    save(folder / f"{name}.png", rng.integers(0, 256, (64, 64, 3)))
                    test = tmp_path / f"data/{part}/test/{number + 7:05d}/{kind}"
                    save(test / f"{name}.png", rng.integers(0, 256, (64, 64, 3)))
    out = tmp_path / "out.safetensors"
    said = ["train", "deblurrer", "--domain", "rb2v", "--domain-root", str(tmp_path / "data")]
    said += ["--domain-option", "part=Face", "--domain-option", "frame=1", "--device", "cpu"]
    said += ["--set=width=8", "--set=train.crop=32", "--set=train.batch=2", "--steps=1"]
    assert run([*said, "-o", str(out)]) == 0
    facts = read_network_header(out).facts
    assert facts["trained_on"] == "rb2v: 2 pairs"
    assert facts["domain_options"] == '{"part": "Face", "frame": 1}'
    options = {"part": "Face", "frame": 1}
    pairs = open_domain(discover(), "rb2v", tmp_path / "data", "train", 32, options)
    assert len(pairs) == 2

"""Training a kernel extractor: windows, codes, measurements, the network file, resuming."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from b2b_core.catalogue import discover
from b2b_core.cli import run as b2b
from b2b_core.contracts import BlurCode
from b2b_core.data.pairs import LoadedPair, PairSet
from b2b_core.networks import load_network, read_network_header
from b2b_core.training.extractor import (
    ExtractorStage,
    ExtractorTraining,
    divergence,
    draw_windows,
    measure_extractor,
)
from b2b_core.training.precision import Numerics
from b2b_core.training.run import Run
from b2b_core.training.stage import run_stage

TINY = [f"--set={option}" for option in (
    "width=4", "code_channels=8", "front_blocks=1", "back_blocks=1", "code_blocks=0",
    "downsamplings=2", "train.batch=2", "train.crop=32",
)]  # fmt: skip


class Gain(nn.Module):
    """Its code is the ratio of the brightness of a pair; two weights to learn it with."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(0.5))
        self.offset = nn.Parameter(torch.tensor(0.5))

    def extract(self, sharp: Tensor, blurry: Tensor) -> BlurCode:
        """Return one number per pair."""
        ratio = blurry.mean((1, 2, 3), keepdim=True) / sharp.mean((1, 2, 3), keepdim=True)
        return BlurCode(ratio * self.scale + self.offset)

    def reblur(self, sharp: Tensor, code: Tensor) -> Tensor:
        """Multiply by the code."""
        return sharp * code


def dimmed(count: int = 6, side: int = 64) -> PairSet:
    """Return pairs whose blurry picture is a fainter copy, each by another factor."""
    rng = np.random.default_rng(0)
    pairs = []
    for number in range(count):
        sharp = torch.from_numpy(rng.integers(40, 250, (3, side, side)).astype(np.uint8))
        blurry = (sharp.float() * (0.4 + 0.1 * number)).round().to(torch.uint8)
        pairs.append(LoadedPair(blurry, sharp, str(number)))
    return PairSet(pairs, "toy")


def run(folder: Path, **options: object) -> Run:
    """Return a run on the CPU."""
    return Run(folder, 3, Numerics("cpu", "float32"), discover(), **options)  # type: ignore[arg-type]


def test_windows_are_aligned_and_of_one_picture() -> None:
    """Source and target of a slot come from one pair; sharp and blurry show the same place."""
    config = ExtractorTraining(batch=16, crop=24, cross=0.5)
    windows = draw_windows(dimmed(), config, 1, "a", 5)
    for sharp, blurry in (
        (windows.source_sharp, windows.source_blurry),
        (windows.sharp, windows.blurry),
    ):
        assert sharp.shape == (16, 3, 24, 24)
        factor = blurry.mean((1, 2, 3)) / sharp.mean((1, 2, 3))
        assert torch.allclose(blurry, sharp * factor[:, None, None, None], atol=0.01)
    factors = [
        b.mean((1, 2, 3)) / s.mean((1, 2, 3))
        for s, b in (
            (windows.source_sharp, windows.source_blurry),
            (windows.sharp, windows.blurry),
        )
    ]
    assert torch.allclose(*factors, atol=0.01)


@pytest.mark.parametrize(("cross", "low", "high"), [(0.0, 0, 0), (0.5, 6, 26), (1.0, 30, 32)])
def test_share_of_codes_from_elsewhere(cross: float, low: int, high: int) -> None:
    """About the given share of the windows differs from where the code is taken."""
    config = ExtractorTraining(batch=32, crop=16, cross=cross)
    windows = draw_windows(dimmed(), config, 1, "a", 0)
    pairs = zip(windows.source_sharp, windows.sharp, strict=True)
    assert low <= sum(not torch.equal(a, b) for a, b in pairs) <= high


def test_windows_are_a_function_of_seed_and_step() -> None:
    """The same step draws the same windows, another step others."""
    config, pairs = ExtractorTraining(batch=2, crop=16), dimmed()
    first, again, later = (draw_windows(pairs, config, 1, "a", step) for step in (0, 0, 1))
    assert torch.equal(first.sharp, again.sharp)
    assert torch.equal(first.source_blurry, again.source_blurry)
    assert not torch.equal(first.sharp, later.sharp)


def test_divergence_is_that_of_two_gaussians() -> None:
    """Twice the KL divergence of N(mean, sigma) from N(0, 1), as torch computes it."""
    mean, sigma = torch.randn(2, 4, 2, 2), torch.rand(2, 4, 2, 2) + 0.1
    normal = torch.distributions.Normal
    expected = 2 * torch.distributions.kl_divergence(normal(mean, sigma), normal(0.0, 1.0)).sum()
    assert divergence(BlurCode(mean, sigma)).item() == pytest.approx(expected.item(), rel=1e-4)
    assert divergence(BlurCode(mean)).item() == 0


def test_it_learns(tmp_path: Path) -> None:
    """A toy extractor comes to give exactly the blurry pictures; codes of others do not."""
    pairs = dimmed()
    config = ExtractorTraining(steps=120, batch=4, crop=32, lr=0.05, ema=0.9)
    stage = ExtractorStage(Gain(), pairs, list(pairs), config, run(tmp_path))
    before = measure_extractor(stage.average, pairs, config, stage.run)
    run_stage(stage, stage.run)
    after = measure_extractor(stage.average, pairs, config, stage.run)
    assert after["self_psnr"] > before["self_psnr"] + 10
    assert after["same_psnr"] > after["other_psnr"] + 10
    assert after["same_psnr"] > after["sharp_psnr"] + 10
    assert after["sharp_psnr"] == before["sharp_psnr"]


def test_one_pair_has_no_other_picture(tmp_path: Path) -> None:
    """With a single pair there is no code of another picture to compare with."""
    config = ExtractorTraining(crop=32)
    scores = measure_extractor(Gain(), dimmed(1), config, run(tmp_path))
    assert set(scores) == {"sharp_psnr", "self_psnr", "same_psnr"}


def test_killed_training_goes_on(tmp_path: Path) -> None:
    """Resumed from its checkpoint, training ends with the same weights bit for bit."""
    pairs, config = dimmed(), ExtractorTraining(steps=6, batch=2, crop=16)
    straight = ExtractorStage(Gain(), pairs, [], config, run(tmp_path / "a"))
    run_stage(straight, straight.run)

    killed = ExtractorStage(Gain(), pairs, [], config, run(tmp_path / "b", checkpoint_seconds=0.0))
    step = killed.step
    killed.step = lambda n: step(n) if n < 3 else 1 / 0  # type: ignore[assignment, return-value]
    with pytest.raises(ZeroDivisionError):
        run_stage(killed, killed.run)
    resumed = ExtractorStage(Gain(), pairs, [], config, run(tmp_path / "b"))
    run_stage(resumed, resumed.run)
    for one, other in zip(straight.average.parameters(), resumed.average.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Write a tiny GoPro tree of two training sequences and one for the test."""
    rng = np.random.default_rng(0)
    for place in ("train/GOPR0001_01_00", "train/GOPR0002_01_00", "test/GOPR0003_01_00"):
        for kind, factor in (("blur", 0.5), ("sharp", 1.0)):
            folder = tmp_path / "data" / place / kind
            folder.mkdir(parents=True)
            pixels = rng.integers(40, 250, (48, 56, 3)) * factor
            Image.fromarray(pixels.astype(np.uint8)).save(folder / "000001.png")
    return tmp_path / "data"


def train(root: Path, out: Path, *options: str) -> int:
    """Run `b2b train extractor` on a tiny network."""
    said = ["--domain", "gopro", "--domain-root", str(root), "-o", str(out), "--device", "cpu"]
    return b2b(["train", "extractor", *said, *TINY, *options])


def test_command_writes_a_network_file(root: Path, tmp_path: Path) -> None:
    """The file builds the extractor that was trained and says how it was measured."""
    out = tmp_path / "extractor.safetensors"
    assert train(root, out, "--steps", "2") == 0
    header, network = load_network(out, discover(), "kernel-extractor")
    assert (header.component, header.options["width"]) == ("kernel-space", 4)
    assert header.facts["trained_on"] == "gopro: 2 pairs"
    assert header.facts["measured_on"].startswith("1 pairs")
    assert {"self_psnr", "same_psnr", "sharp_psnr"} <= set(header.facts)
    assert sum(p.numel() for p in network.parameters()) < 50_000


def test_command_measures_on_training_scenes_without_test_pairs(root: Path, tmp_path: Path) -> None:
    """Without a test split, scenes of the training split are held out."""
    (root / "test").rename(root.parent / "elsewhere")
    out = tmp_path / "extractor.safetensors"
    assert train(root, out, "--steps", "1") == 0
    facts = read_network_header(out).facts
    assert facts["trained_on"] == "gopro: 1 pairs"
    assert facts["measured_on"].startswith("1 pairs")


def test_command_refuses(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An existing output, an unknown option and a domain without a root are wrong use."""
    out = tmp_path / "there.safetensors"
    out.write_text("")
    assert train(root, out) == 2
    assert "the output exists" in capsys.readouterr().err
    assert train(root, tmp_path / "new", "--set", "train.stepps=1") == 2
    assert "did you mean 'steps'?" in capsys.readouterr().err
    assert b2b(["train", "extractor", "--domain", "gopro", "-o", str(tmp_path / "new")]) == 2
    assert "--domain-root DIR" in capsys.readouterr().err


def test_synthesize_writes_pictures_and_a_sheet(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """K, its sharp originals and a contact sheet are written, the same at the same seed."""
    weights = tmp_path / "extractor.safetensors"
    assert train(root, weights, "--steps", "2") == 0
    sharp = root / "train/GOPR0001_01_00/sharp"
    said = ["--domain", "gopro", "--domain-root", str(root), "--sharp", str(sharp)]
    said += ["--extractor", str(weights), "--crop", "32", "--count", "4", "--device", "cpu"]
    for out in ("one", "two"):
        assert b2b(["synthesize", *said, "-o", str(tmp_path / out)]) == 0
    names = sorted(
        p.relative_to(tmp_path / "one").as_posix() for p in (tmp_path / "one").rglob("*.png")
    )
    assert names == [
        *(f"known/{n:04d}.png" for n in range(4)),
        *(f"sharp/{n:04d}.png" for n in range(4)),
        "sheet.png",
    ]
    assert all(
        (tmp_path / "one" / n).read_bytes() == (tmp_path / "two" / n).read_bytes() for n in names
    )
    with Image.open(tmp_path / "one/sheet.png") as sheet:
        assert sheet.size == (4 + 3 * 68, 4 + 2 * 36)
    capsys.readouterr()
    assert b2b(["synthesize", *said, "-o", str(tmp_path / "one")]) == 2
    assert "the output exists" in capsys.readouterr().err


def test_synthesize_with_measured_kernels(tmp_path: Path) -> None:
    """With --kernels no extractor is needed: pairs that are moved by a pixel move K by one."""
    sharp = np.random.default_rng(1).integers(40, 250, (72, 72, 3)).astype(np.uint8)
    folder = tmp_path / "data/train/GOPR0001_01_00"
    for kind, pixels in (("blur", np.roll(sharp, 1, axis=1)), ("sharp", sharp)):
        (folder / kind).mkdir(parents=True)
        Image.fromarray(pixels).save(folder / kind / "000001.png")
    said = ["--domain", "gopro", "--domain-root", str(tmp_path / "data"), "--crop", "64"]
    said += ["--sharp", str(folder / "sharp"), "--count", "1", "-o", str(tmp_path / "out")]
    assert b2b(["synthesize", *said, "--kernels", "--device", "cpu"]) == 0
    made, original = (
        np.asarray(Image.open(tmp_path / f"out/{name}/0000.png")).astype(float)
        for name in ("known", "sharp")
    )
    inner = slice(8, -8)
    errors = [np.abs(np.roll(original, by, axis=1) - made)[inner, inner].mean() for by in (-1, 1)]
    assert min(errors) < 6
    assert max(errors) > 30

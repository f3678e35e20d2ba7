"""Tests of `--compile`: the same pictures, one compilation per size, and a way back to eager."""

import shutil

import numpy as np
import pytest
import torch
from torch import nn

from b2b_core.cli.root import root
from b2b_core.images.read import read_picture
from b2b_core.images.write import write_picture
from b2b_core.inference import compiled as compiled_module
from b2b_core.inference.compiled import MOST_SIZES
from b2b_core.inference.pipeline import Pipeline
from b2b_core.profile import CameraProfile, ProfilePart, save_profile
from b2b_core.specs import SizeRule

RULE = SizeRule(multiple_of=4, minimum=8)
#: Side of tiles; pictures here are larger or not in height, in width, in both.
TILE = 64


class Small(nn.Module):
    """A residual network of two layers, with what compilers like to fuse."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.first, self.last = nn.Conv2d(3, 5, 3, padding=1), nn.Conv2d(5, 3, 3, padding=1)
        for parameter in self.parameters():
            parameter.data = 0.2 * torch.randn(parameter.shape, generator=generator)

    def forward(self, image):
        """Return the image plus a correction."""
        hidden = nn.functional.gelu(self.first(image))
        return image + 0.3 * self.last(hidden * hidden.mean((-2, -1), keepdim=True).sigmoid())


class SmallPyramid(Small):
    """The same as a translator with two levels."""

    def forward(self, image):
        """Return a coarse level that nobody uses, and the picture."""
        return [image[..., ::2, ::2], super().forward(image)]


class Counting:
    """A backend that compiles nothing and counts what it is asked for."""

    def __init__(self) -> None:
        self.graphs = 0
        self.runs = 0

    def __call__(self, graph, _inputs):
        """Return a graph's own code."""
        self.graphs += 1

        def run(*inputs):
            self.runs += 1
            return self.change(graph(*inputs))

        return run

    def change(self, outputs):
        """Return the results as they are."""
        return outputs


def picture(height: int, width: int) -> torch.Tensor:
    """Make a random picture away from the ends of the range, in the memory layout of files."""
    random = np.random.default_rng(height * 1000 + width)
    pixels = random.random((height, width, 3), np.float32) * 0.4 + 0.3
    return torch.from_numpy(pixels).permute(2, 0, 1)


def make(*, compiled: bool = True, networks=None, **options) -> Pipeline:
    """Make a pipeline on the CPU, of a translator and a deblurrer."""
    translator, deblurrer = networks or (SmallPyramid(1), Small(2))
    chosen = {"device": "cpu", "precision": "float32"} | options
    return Pipeline(translator, deblurrer, RULE, compiled=compiled, **chosen)


@pytest.fixture(autouse=True)
def _forgotten():
    """Let torch forget what other tests compiled."""
    torch._dynamo.reset()


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> Counting:
    """Put a counting backend in the place of torch's compiler."""
    backend = Counting()
    monkeypatch.setattr(compiled_module, "BACKEND", backend)
    return backend


def said(capsys) -> list[str]:
    """Return the warnings on stderr."""
    return [line for line in capsys.readouterr().err.splitlines() if "[warning" in line]


def test_compiled_pictures_are_the_eager_ones(capsys) -> None:
    """Torch's compiler gives the same picture in tiles; without a C++ compiler one line says so."""
    image = picture(100, 150)
    pipeline = make(tile=TILE)
    results = pipeline.deblur(image), pipeline.deblur(image)
    eager = make(compiled=False, tile=TILE).deblur(image)
    assert (eager - image).abs().mean() > 1e-3
    for result in results:
        assert (result - eager).abs().max() < 1e-4
    there = any(shutil.which(name) for name in ("g++", "c++", "clang++", "cl"))
    assert pipeline.compiled is there
    assert len(said(capsys)) == (0 if there else 1)


def test_bf16_is_compiled_too(counting: Counting) -> None:
    """The number format is that of the eager pipeline."""
    image = picture(70, 64)
    pipeline = make(precision="bf16")
    first, second = pipeline.deblur(image), pipeline.deblur(image)
    assert torch.equal(first, make(compiled=False, precision="bf16").deblur(image))
    assert torch.allclose(first, second, atol=1 / 255)
    assert counting.runs == 2
    assert pipeline.compiled


def test_one_compilation_for_all_tiles(counting: Counting) -> None:
    """Both networks are one graph; tiles of every place and picture are of one size."""
    pipeline = make(tile=TILE)
    for height, width in [(100, 150), (64, 70), (70, 64), (230, 64), (100, 64)]:
        image = picture(height, width)
        eager = make(compiled=False, tile=TILE).deblur(image)
        assert torch.allclose(pipeline.deblur(image), eager, atol=1e-6)
    assert counting.graphs == 1
    assert counting.runs > 10


def test_networks_stay_what_they_are(counting: Counting) -> None:
    """What compiling wraps around the networks is not seen from outside."""
    networks = SmallPyramid(1), Small(2)
    pipeline = make(networks=networks)
    assert not pipeline.compiled
    pipeline.deblur(picture(64, 64))
    assert pipeline.compiled
    assert pipeline.networks == networks
    assert counting.graphs == 1


def test_broken_compiler(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    """When compiling fails, one line says why, nothing is tried again, pictures are the same."""
    tried = []

    def broken(_graph, _inputs):
        tried.append(1)
        raise OSError("no space left for objects\nand a long story")

    monkeypatch.setattr(compiled_module, "BACKEND", broken)
    pipeline = make(tile=TILE)
    for size in [(100, 150), (70, 64), (30, 40)]:
        image = picture(*size)
        eager = make(compiled=False, tile=TILE).deblur(image)
        assert torch.equal(pipeline.deblur(image), eager)
    assert len(tried) == 1
    assert not pipeline.compiled
    (line,) = said(capsys)
    assert "the networks run uncompiled" in line
    assert "no space left for objects" in line
    assert "leave --compile out" in line


def test_no_compiler(monkeypatch: pytest.MonkeyPatch, tmp_path, capsys) -> None:
    """A missing C++ compiler is named, with what mends it."""
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr("torch._inductor.config.cpp.cxx", (None, "no-such-compiler"))
    image = picture(40, 52)
    pipeline = make()
    assert torch.equal(pipeline.deblur(image), make(compiled=False).deblur(image))
    assert not pipeline.compiled
    (line,) = said(capsys)
    assert "there is no C++ compiler (install one such as g++" in line


@pytest.mark.parametrize("wrong", [2e-4, float("nan")])
def test_wrong_results(counting: Counting, capsys, wrong: float) -> None:
    """Code that gives something else than the networks do is not used."""
    counting.change = lambda outputs: tuple(output + wrong for output in outputs)
    image = picture(100, 150)
    pipeline = make(tile=TILE)
    assert torch.equal(pipeline.deblur(image), make(compiled=False, tile=TILE).deblur(image))
    assert counting.runs == 1
    assert not pipeline.compiled
    (line,) = said(capsys)
    assert "results that differ by" in line


def test_failure_later_on(counting: Counting, capsys) -> None:
    """Compiled code that fails in the middle of a picture is left, and the picture is restored."""

    def change(outputs):
        if counting.runs > 3:
            raise RuntimeError("illegal instruction")
        return outputs

    counting.change = change
    image = picture(100, 150)
    eager = make(compiled=False, tile=TILE).deblur(image)
    pipeline = make(tile=TILE)
    assert torch.allclose(pipeline.deblur(image), eager, atol=1e-6)
    assert torch.equal(pipeline.deblur(image), eager)
    assert counting.runs == 4
    assert "illegal instruction" in said(capsys)[0]


def test_many_sizes(counting: Counting, capsys) -> None:
    """Sizes beyond the fourth run uncompiled, which is said once; the first four stay compiled."""
    pipeline = make()
    for height in range(8, 8 + 4 * (MOST_SIZES + 3), 4):
        image = picture(height, 16)
        assert torch.equal(pipeline.deblur(image), make(compiled=False).deblur(image))
    assert counting.graphs == counting.runs == MOST_SIZES
    (line,) = said(capsys)
    assert "more than 4 sizes" in line
    pipeline.deblur(picture(8, 16))
    assert counting.runs == MOST_SIZES + 1
    assert pipeline.compiled


def test_tiles_are_still_halved(counting: Counting) -> None:
    """Lack of memory is not taken for a failure of the compiler."""

    class Scarce(nn.Module):
        def forward(self, image):
            if max(image.shape[-2:]) > 100:
                raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to")
            return image * 0.5

    image = picture(150, 120)
    pipeline = make(networks=(None, Scarce()))
    assert torch.allclose(pipeline.deblur(image), image * 0.5, atol=1e-6)
    assert counting.graphs == 1
    assert pipeline.compiled


@pytest.fixture
def profile(tmp_path):
    """Write a profile of two small U-Nets."""
    from b2b_core.catalogue import discover

    part = ProfilePart(
        component="unet", options={"width": 8}, distribution="b2b-plugin-unet", version="0.1.0"
    )
    described = CameraProfile(
        translator=part, deblurrer=part, published=None, domain="starter", scales=(1.0,),
        strategy="reblur", created="2026-01-02T03:04:05+00:00",
    )  # fmt: skip
    catalogue, path = discover(), tmp_path / "camera.safetensors"
    networks = {
        kind: catalogue.build(kind, "unet", part.options) for kind in ("translator", "deblurrer")
    }
    save_profile(path, described, **networks)
    return path


def run(*words) -> None:
    """Run `b2b` on the CPU in float32."""
    root.main([*map(str, words), "--device=cpu", "--precision=float32"], standalone_mode=False)


def test_deblur_command(profile, tmp_path, counting: Counting, capsys) -> None:
    """`b2b deblur --compile` writes the same pictures and says that it ran compiled."""
    for name in ("a", "b"):
        write_picture(tmp_path / "in" / f"{name}.png", read_noise(name))
    run("deblur", profile, tmp_path / "in", "-o", tmp_path / "fast", "--compile")
    assert "2 of 2 pictures deblurred (cpu, float32, compiled)" in capsys.readouterr().out
    assert counting.runs == 2
    run("deblur", profile, tmp_path / "in", "-o", tmp_path / "slow")
    assert "(cpu, float32)" in capsys.readouterr().out
    assert counting.runs == 2
    for name in ("a.png", "b.png"):
        fast, slow = (read_picture(tmp_path / way / name).pixels for way in ("fast", "slow"))
        assert np.abs(fast.astype(int) - slow).max() <= 1


def read_noise(name: str) -> np.ndarray:
    """Make random pixels."""
    return np.random.default_rng(ord(name)).integers(0, 200, (40, 48, 3)).astype(np.uint8)


def test_evaluate_command(profile, tmp_path, counting: Counting) -> None:
    """`b2b evaluate --compile` compiles what it measures, and its report says the option."""
    for folder in ("blurry", "sharp"):
        write_picture(tmp_path / folder / "a.png", read_noise(folder[0]))
    page = tmp_path / "report.html"
    run(
        "evaluate", "--profile", profile, "--blurry", tmp_path / "blurry",
        "--reference", tmp_path / "sharp", "--report", page, "--compile",
    )  # fmt: skip
    assert counting.runs == 2  # the known deblurrer alone, and b2b
    assert "--precision float32 --compile" in page.read_text()

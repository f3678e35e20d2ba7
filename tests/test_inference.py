"""Tests of tiling and of the pipeline: any size, any memory, no seams."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from b2b_core.errors import B2bError, UsageError
from b2b_core.inference import pipeline as pipeline_module
from b2b_core.inference.memory import affordable_pixels, is_out_of_memory
from b2b_core.inference.pipeline import Pipeline
from b2b_core.inference.tiling import even_tile, overlap_of, run_tiled, tile_starts
from b2b_core.specs import SizeRule

RULE = SizeRule(multiple_of=4, minimum=8)


class Local(nn.Module):
    """A residual network that sees 3 pixels far and records the sizes it was given."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.conv = nn.Conv2d(3, 3, 7, padding=3)
        self.conv.weight.data = 0.02 * torch.randn(self.conv.weight.shape, generator=generator)
        self.conv.bias.data.zero_()
        self.seen: list[tuple[int, ...]] = []

    def forward(self, image):
        """Return the image plus a correction."""
        height, width = image.shape[-2:]
        assert height % 4 == 0 and width % 4 == 0 and min(height, width) >= 8  # noqa: PT018
        self.seen.append((height, width))
        return image + self.conv(image)


class AsPyramid(nn.Module):
    """A translator whose last level is that of a network."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image):
        """Return a coarse level that nobody uses, and the picture."""
        return [image[..., ::2, ::2], self.network(image)]


def picture(height: int, width: int) -> torch.Tensor:
    """Make a random picture away from the ends of the range."""
    generator = torch.Generator().manual_seed(height * 1000 + width)
    return torch.rand(3, height, width, generator=generator) * 0.5 + 0.25


def make(translator=None, deblurrer=None, **options) -> Pipeline:
    """Make a pipeline on the CPU."""
    chosen = {"device": "cpu", "precision": "float32"} | options
    return Pipeline(translator, deblurrer or nn.Identity(), RULE, **chosen)


@pytest.mark.parametrize("length", [1, 31, 64, 65, 100, 127, 128, 129, 500])
@pytest.mark.parametrize(("tile", "overlap"), [(64, 32), (65, 32), (128, 32), (96, 40)])
def test_tiles_cover_and_overlap(length: int, tile: int, overlap: int) -> None:
    """Tiles start at 0, end with the picture, and overlap at least as much as asked."""
    starts = tile_starts(length, tile, overlap)
    if length <= tile:
        assert starts == [0]
        return
    assert starts[0] == 0
    assert starts[-1] + tile == length
    assert all(a < b <= a + tile - overlap for a, b in pairwise(starts))


@pytest.mark.parametrize("length", [50, 129, 500, 1281, 4000])
def test_even_tiles_are_no_more(length: int) -> None:
    """Tiles are shortened only as far as their number stays the same."""
    even = even_tile(length, 128, 32)
    assert even <= 128
    assert len(tile_starts(length, even, 32)) == len(tile_starts(length, 128, 32))
    assert length <= 128 or len(tile_starts(length, even - 1, 32)) > len(
        tile_starts(length, 128, 32)
    )


def test_tile_must_exceed_the_overlap() -> None:
    """A tile that is all overlap makes no progress."""
    with pytest.raises(ValueError, match="cannot overlap"):
        tile_starts(100, 32, 32)


@pytest.mark.parametrize("side", [64, 128, 384, 512, 1024, 4000])
def test_overlap(side: int) -> None:
    """Neighbours overlap by 32 to 64 pixels, always less than a tile."""
    assert 32 <= overlap_of(side) <= 64
    assert overlap_of(side) <= side / 2


@pytest.mark.parametrize(("height", "width"), [(64, 64), (96, 64), (100, 148), (64, 332)])
def test_no_seams(height: int, width: int) -> None:
    """A network that sees less far than a quarter of the overlap gives the same in tiles."""
    network, image = Local(), picture(height, width)[None]
    with torch.no_grad():
        whole, tiled = network(image), run_tiled(network, image, (64, 64), 32)
    assert torch.allclose(tiled, whole, atol=1e-6)
    assert set(network.seen[1:]) == {(64, 64)}


def test_tile_edges_do_not_show() -> None:
    """What a network does to a tile's outermost pixels is thrown away at inner borders only."""

    def spoil_border(tile):
        spoilt = tile.clone()
        spoilt[..., :8, :] = spoilt[..., -8:, :] = spoilt[..., :8] = spoilt[..., -8:] = 9.0
        return spoilt

    image = torch.zeros(1, 3, 200, 168)
    expected = spoil_border(image)
    assert torch.allclose(run_tiled(spoil_border, image, (64, 64), 32), expected, atol=1e-5)


def test_blending_is_smooth() -> None:
    """Where two tiles disagree, the result changes by small steps and never overshoots."""
    calls = []

    def alternating(tile):
        calls.append(1)
        return torch.full_like(tile, float(len(calls) % 2))

    row = run_tiled(alternating, torch.zeros(1, 3, 64, 300), (64, 64), 32)[0, 0, 0]
    assert row.min() >= 0
    assert row.max() <= 1
    assert row.diff().abs().max() < 0.12


@pytest.mark.parametrize("height", [1, 2, 7, 8, 9, 65])
@pytest.mark.parametrize("width", [1, 3, 8, 70, 130])
@pytest.mark.parametrize("tile", [None, 64])
def test_any_size_and_the_identity_is_exact(height: int, width: int, tile: int | None) -> None:
    """Every size from 1x1 comes back in its size; networks that change nothing change no bit."""
    image = picture(height, width)
    result = make(AsPyramid(nn.Identity()), tile=tile).deblur(image)
    assert torch.equal(result, image)
    assert result.dtype == torch.float32


def test_translator_comes_first() -> None:
    """The result is deblurrer(G(y)), with the last level of G's pyramid."""
    g, d, image = Local(1), Local(2), picture(20, 24)
    result = make(AsPyramid(g), d).deblur(image)
    with torch.no_grad():
        expected = d(g(image[None]))[0].clamp(0, 1)
    assert torch.allclose(result, expected, atol=1e-6)
    assert torch.allclose(make(None, d).deblur(image), d(image[None])[0].clamp(0, 1), atol=1e-6)


def test_result_is_clamped_and_ordinary() -> None:
    """Values outside of [0, 1] are cut; the result may be used in a computation with gradients."""
    image = torch.tensor([-0.2, 0.5, 1.3]).view(1, 1, 3).repeat(3, 1, 1)
    result = make().deblur(image)
    assert result[0, 0].tolist() == [0, 0.5, 1]
    (result * torch.ones(1, requires_grad=True)).sum().backward()


def test_odd_memory_layouts() -> None:
    """A channels-last or expanded picture is as good as any."""
    image = np.asarray(picture(20, 30).permute(1, 2, 0), order="C")
    turned = torch.from_numpy(image).permute(2, 0, 1)
    network = Local()
    first = make(None, network).deblur(turned)
    assert torch.equal(first, make(None, network).deblur(turned.contiguous()))


def test_bf16_stays_near_float32() -> None:
    """In bf16 a residual network's result is within one 8-bit step of float32's."""
    network, image = Local(), picture(40, 40)
    half = make(AsPyramid(network), network, precision="bf16")
    assert half.precision == "bf16"
    single = make(AsPyramid(network), network)
    assert single.precision == "float32"
    assert (half.deblur(image) - single.deblur(image)).abs().max() < 1 / 255


class Scarce(nn.Module):
    """A network that has memory for tiles of at most `side` pixels."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side
        self.seen: list[tuple[int, ...]] = []

    def forward(self, image):
        """Return the image, or run out of memory as torch does on a CPU."""
        self.seen.append(tuple(image.shape[-2:]))
        if max(image.shape[-2:]) > self.side:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate")
        return image


def test_tiles_are_halved_until_they_fit() -> None:
    """Out of memory, automatic tiles are halved, and later pictures start with what fitted."""
    network = Scarce(100)
    pipeline = make(None, network)
    image = picture(300, 260)
    assert torch.equal(pipeline.deblur(image), image)
    assert max(network.seen[0]) == 300
    assert max(network.seen[-1]) <= 100
    network.seen.clear()
    pipeline.deblur(image)
    assert max(max(size) for size in network.seen) <= 100
    assert len(set(network.seen)) == 1


def test_chosen_tiles_are_kept() -> None:
    """A size that the user chose is never changed; out of memory, a smaller one is proposed."""
    network = Local()
    make(None, network, tile=96).deblur(picture(200, 200))
    assert set(network.seen) == {(96, 96)}
    with pytest.raises(B2bError, match="tiles of 128x128; use --tile 64"):
        make(None, Scarce(100), tile=128).deblur(picture(300, 300))
    with pytest.raises(UsageError, match="tiles of 63 pixels are too small"):
        make(tile=63)


def test_chosen_tiles_fit_the_size_rule() -> None:
    """A tile that the networks do not take is enlarged to one that they do."""
    assert make(tile=65).tile_for(300, 30) == (68, 32)


def test_no_memory_at_all() -> None:
    """When even the smallest tiles do not fit, one line says so."""
    with pytest.raises(B2bError, match="not enough memory on cpu, even for tiles of"):
        make(None, Scarce(10)).deblur(picture(300, 300))


def test_other_failures_pass() -> None:
    """A failure that is not a lack of memory is not hidden."""

    class Broken(nn.Module):
        def forward(self, image):
            raise RuntimeError(f"size mismatch: {image.shape}")

    with pytest.raises(RuntimeError, match="size mismatch"):
        make(None, Broken()).deblur(picture(8, 8))


def test_large_pictures_are_tiled_from_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture beyond what the device affords is cut into even tiles without a failure first."""
    monkeypatch.setattr(pipeline_module, "affordable_pixels", lambda *_, **__: 100 * 100)
    network = Local()
    image = picture(240, 110)
    result = make(None, network).deblur(image)
    assert all(height * width <= 100 * 100 for height, width in network.seen)
    assert len(set(network.seen)) == 1
    with torch.no_grad():
        whole = network(pad(image))[0, :, :240, :110].clamp(0, 1)
    assert torch.allclose(result, whole, atol=1e-6)


def pad(image: torch.Tensor) -> torch.Tensor:
    """Pad as the size rule wants it."""
    return torch.from_numpy(np.pad(image.numpy(), ((0, 0), (0, 0), (0, 2)), mode="reflect"))[None]


def test_affordable_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    """With 24 GB a CPU restores a GoPro frame whole; where nothing is known, a quarter of it."""
    pages = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 24 * 2**30 // 4096}
    monkeypatch.setattr("os.sysconf", pages.__getitem__)
    cpu = torch.device("cpu")
    assert 1280 * 720 < affordable_pixels(cpu, half=False) < 2 * 1280 * 720

    def unknown(name: str) -> int:
        raise ValueError(f"unrecognized configuration name {name}")

    monkeypatch.setattr("os.sysconf", unknown)
    assert 480 * 480 < affordable_pixels(cpu, half=False) < 640 * 640


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate"), True),
        (
            RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: not enough memory"),
            True,
        ),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
    ],
)
def test_out_of_memory_is_recognised(error: RuntimeError, expected: bool) -> None:
    """Lack of memory on a GPU and on a CPU is told from other failures."""
    assert is_out_of_memory(error) is expected


def test_values_that_are_no_numbers() -> None:
    """NaN from a network is an error, not a black picture."""

    class Bad(nn.Module):
        def forward(self, image):
            return image / 0 * 0

    with pytest.raises(B2bError, match="no numbers in float32; try --precision float32"):
        make(None, Bad()).deblur(picture(8, 8))


def test_networks_are_set_to_evaluation() -> None:
    """Dropout and the like are off, whatever state the networks came in."""
    network = nn.Sequential(nn.Dropout(0.9)).train()
    image = picture(16, 16)
    assert torch.equal(make(None, network).deblur(image), image)

"""Tests of tiles for networks that look at the whole picture: large, and told to the user."""

import pytest
import torch
from torch import nn

from b2b_core.catalogue import discover
from b2b_core.inference import pipeline as pipeline_module
from b2b_core.inference.memory import affordable_pixels
from b2b_core.inference.pipeline import Pipeline
from b2b_core.inference.tiling import largest_tile
from b2b_core.profile import common_size
from b2b_core.specs import SizeRule

WHOLE = SizeRule(multiple_of=4, whole=True)
LOCAL = SizeRule(multiple_of=4)


class Mean(nn.Module):
    """Add a tenth of the picture's mean colour: what a tile cannot know."""

    def __init__(self, most: int = 10**9) -> None:
        super().__init__()
        self.most = most
        self.seen: list[tuple[int, int]] = []

    def forward(self, image):
        """Return the picture, or run out of memory."""
        self.seen.append(tuple(image.shape[-2:]))
        if image.shape[-1] * image.shape[-2] > self.most:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate")
        return image + 0.1 * image.mean((-2, -1), keepdim=True)


def picture(height: int, width: int) -> torch.Tensor:
    """Make a picture that gets brighter to the right."""
    return torch.linspace(0.1, 0.7, width).expand(3, height, width).clone()


def make(rule: SizeRule, network=None, **options) -> Pipeline:
    """Make a pipeline on the CPU in float32."""
    return Pipeline(None, network or Mean(), rule, device="cpu", precision="float32", **options)


@pytest.fixture
def small_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let memory suffice for 100x100 pixels."""
    monkeypatch.setattr(pipeline_module, "affordable_pixels", lambda *_, **__: 100 * 100)


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [
        (720, 1280, (720, 1190)),
        (1280, 720, (1190, 720)),
        (3000, 4000, (925, 926)),
        (64, 90_000, (64, 13390)),
        (90_000, 64, (13390, 64)),
        (800, 900, (800, 900)),
    ],
)
def test_largest_tile(height: int, width: int, expected: tuple[int, int]) -> None:
    """A tile uses up its pixels: a square in a large picture, longer in a narrow one."""
    pixels = 857_000
    tile = largest_tile(height, width, pixels)
    assert tile == expected
    assert tile[0] * tile[1] <= pixels


@pytest.mark.usefixtures("small_memory")
@pytest.mark.parametrize(("height", "width"), [(240, 110), (110, 240), (150, 150), (60, 400)])
def test_tiles_are_as_large_as_memory_allows(height: int, width: int) -> None:
    """They are not shortened as those of other networks are, and their results are nearer."""
    high, wide = make(WHOLE).tile_for(height, width)
    other = make(LOCAL).tile_for(height, width)
    assert high * wide > other[0] * other[1]
    assert high * wide > 0.9 * 100 * 100
    image = picture(height, width)
    whole = Mean()(image)
    near, far = ((make(rule).deblur(image) - whole).abs().mean() for rule in (WHOLE, LOCAL))
    assert near < far


def test_memory_for_whole_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """With 16 GB a CPU gives Restormer a GoPro frame whole; other networks' tiles stay as is."""
    pages = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 16 * 2**30 // 4096}
    monkeypatch.setattr("os.sysconf", pages.__getitem__)
    cpu = torch.device("cpu")
    assert affordable_pixels(cpu, half=False) < 1280 * 720
    assert affordable_pixels(cpu, half=False, whole=True) > 1280 * 720
    rule = discover().spec("deblurrer", "restormer").size
    assert make(rule).tile_for(720, 1280) == (720, 1280)
    assert make(LOCAL).tile_for(720, 1280) != (720, 1280)


def test_who_looks_at_the_whole_picture() -> None:
    """Restormer says so of itself, and a pipeline with it in either place looks so too."""
    catalogue = discover()
    for kind in ("translator", "deblurrer"):
        rule = catalogue.spec(kind, "restormer").size
        assert rule.whole
        other = catalogue.spec("deblurrer", "unet").size
        assert not other.whole
        assert common_size(rule, other).whole
    assert not common_size(other, other).whole


def warnings(capsys) -> list[str]:
    """Return the warnings on stderr."""
    return [line for line in capsys.readouterr().err.splitlines() if "[warning" in line]


def test_tiles_are_told_once(capsys) -> None:
    """A user's own tiles are kept, and what they change is said once and of such networks only."""
    network = Mean()
    chosen = make(WHOLE, network, tile=64)
    for _ in range(2):
        chosen.deblur(picture(100, 120))
    assert set(network.seen) == {(64, 64)}
    (line,) = warnings(capsys)
    assert "tiles of 64x64 change its result; leaving --tile out" in line
    make(LOCAL, tile=64).deblur(picture(100, 120))
    make(WHOLE, tile=64).deblur(picture(60, 50))
    make(WHOLE).deblur(picture(100, 120))
    assert warnings(capsys) == []


@pytest.mark.usefixtures("small_memory")
def test_small_memory_is_told(capsys) -> None:
    """Tiles for want of memory are said too."""
    make(WHOLE).deblur(picture(240, 110))
    assert "more memory makes them larger" in warnings(capsys)[0]


@pytest.mark.parametrize(("height", "width"), [(300, 260), (60, 2000), (2000, 60)])
def test_less_memory_than_was_thought(height: int, width: int) -> None:
    """Where memory does not suffice after all, tiles are halved until it does, narrow ones too."""
    network = Mean(most=100 * 100)
    result = make(WHOLE, network).deblur(picture(height, width))
    assert result.shape == (3, height, width)
    assert network.seen[0] == (height, width)
    assert network.seen[-1][0] * network.seen[-1][1] <= 100 * 100

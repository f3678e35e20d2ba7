"""Every network restores pictures of every size: right size out, no crash, no seam."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from b2b_core.catalogue import discover
from b2b_core.inference.pipeline import Pipeline

#: Component -> options of a small one.
SMALL = {
    "unet": {"width": 8},
    "nafnet": {"width": 4, "encoders": [1, 1, 1, 1], "decoders": [1, 1, 1, 1]},
    "mimo-unet": {"width": 8, "blocks": 1},
    "restormer": {"dim": 8, "blocks": [1, 1, 1, 1], "refinement": 1},
}
TRANSLATORS = {**SMALL, "unet-multiscale": {"width": 8}}
#: Height and width: the smallest, odd ones, primes, a size rule's neighbours.
SIZES = [(1, 1), (1, 40), (3, 2), (15, 17), (16, 16), (31, 61), (67, 101), (129, 64)]


def built(kind: str, name: str, options: dict[str, object]) -> nn.Module:
    """Build a network with random weights that changes pictures by about a twentieth."""
    torch.manual_seed(0)
    network = discover().build(kind, name, options)
    assert isinstance(network, nn.Module)
    for parameter in network.parameters():
        if parameter.ndim > 1:
            nn.init.normal_(parameter, std=parameter[0].numel() ** -0.5)
    last = [m for m in network.modules() if isinstance(m, nn.Conv2d) and m.out_channels == 3][-1]
    image = picture(64, 64)[None]
    with torch.no_grad():
        out = network.eval()(image)
        change = (out[-1] if isinstance(out, list) else out) - image
        last.weight.mul_(0.05 / change.square().mean().sqrt())
    return network


def pipeline(name: str, *, translator: str | None = None, **options: object) -> Pipeline:
    """Set up a pipeline in float32 on the CPU."""
    first = None
    size = discover().spec("deblurrer", name).size
    if translator is not None:
        first = built("translator", translator, TRANSLATORS[translator])
        from b2b_core.profile import common_size

        size = common_size(size, discover().spec("translator", translator).size)
    network = built("deblurrer", name, SMALL[name])
    return Pipeline(first, network, size, device="cpu", precision="float32", **options)


def picture(height: int, width: int) -> torch.Tensor:
    """Draw a picture away from the ends of the range."""
    generator = torch.Generator().manual_seed(height * 10_000 + width)
    return torch.rand(3, height, width, generator=generator) * 0.4 + 0.3


@pytest.mark.parametrize("name", SMALL)
def test_every_size_comes_back(name):
    """From one pixel on, odd and prime: the same size, numbers in [0, 1], not the input."""
    restore = pipeline(name)
    for height, width in SIZES:
        image = picture(height, width)
        restored = restore.deblur(image)
        assert restored.shape == image.shape
        assert restored.isfinite().all()
        assert 0 <= restored.min() <= restored.max() <= 1
        assert not torch.equal(restored, image)


@pytest.mark.parametrize("translator", TRANSLATORS)
def test_translators_take_every_size(translator):
    """Behind a translator too, whose size rule is joined with the deblurrer's."""
    restore = pipeline("unet", translator=translator)
    for height, width in [(1, 1), (31, 61), (67, 101)]:
        assert restore.deblur(picture(height, width)).shape == (3, height, width)


@pytest.mark.parametrize("name", ["unet", "mimo-unet"])
def test_tiles_leave_no_seam(name):
    """A large picture of prime sides in tiles is the whole picture's result, within one level."""
    image = picture(1333, 601)
    whole = pipeline(name).deblur(image)
    tiled = pipeline(name, tile=384).deblur(image)
    assert (whole - image).abs().mean() > 1 / 255
    assert (whole - tiled).abs().max() < 1 / 255


def test_a_window_makes_tiles_of_nafnet_alike():
    """NAFNet averages over the picture; with the test-time window, tiles and picture agree more."""
    image = picture(257, 389)
    difference = {}
    for window in (None, 32):
        network = built("deblurrer", "nafnet", {**SMALL["nafnet"], "tlc_window": window})
        size = discover().spec("deblurrer", "nafnet").size
        results = [
            Pipeline(None, network, size, device="cpu", precision="float32", tile=tile).deblur(
                image
            )
            for tile in (None, 128)
        ]
        difference[window] = float((results[0] - results[1]).abs().mean())
    assert difference[32] < difference[None]

"""The U-Net with three inputs and outputs against a restatement in float64."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

import b2b_plugin_unet
from b2b_plugin_unet.config import MultiscaleUNetConfig, UNetConfig
from b2b_plugin_unet.layout import read_multiscale_config
from b2b_plugin_unet.multiscale import MultiscaleUNet
from b2b_plugin_unet.network import UNet

SMALL = MultiscaleUNetConfig(width=4, levels=4, blocks=1)
SPEC = b2b_plugin_unet.b2b_translators()[1]


@pytest.fixture(autouse=True)
def seeded():
    """Draw the same numbers in every test."""
    torch.manual_seed(0)


def awake(network):
    """Give the zero-initialised last layers weights, so that the whole network shows."""
    for head in (network.last, *network.exits):
        torch.nn.init.normal_(head.weight, std=0.1)
    return network


@pytest.mark.parametrize("resample", ["area", "bilinear"])
def test_fresh_network_gives_the_resampled_pyramid(resample):
    """Nothing is changed before training: means over areas, or of the four middle pixels."""
    image = torch.rand(2, 3, 16, 24)
    network = SPEC.factory(MultiscaleUNetConfig(width=4, blocks=1, resample=resample))
    quarter, half, full = network(image)
    blocks = image.unfold(2, 4, 4).unfold(3, 4, 4)
    middle = blocks if resample == "area" else blocks[..., 1:3, 1:3]
    torch.testing.assert_close(quarter, middle.mean((-2, -1)))
    torch.testing.assert_close(half, image.unfold(2, 2, 2).unfold(3, 2, 2).mean((-2, -1)))
    assert torch.equal(full, image)


def restated(s, image):
    """Return the three outputs of four levels, wired by hand from a state dict."""

    def conv(x, name, stride=1, padding=1):
        return F.conv2d(x, s[f"{name}.weight"], s[f"{name}.bias"], stride, padding)

    def block(x, name):
        return x + conv(torch.relu(conv(x, f"{name}.0.conv1")), f"{name}.0.conv2")

    def up(x, level):
        return F.pixel_shuffle(conv(x, f"ups.{level}.conv", padding=0), 2)

    half, quarter = F.avg_pool2d(image, 2), F.avg_pool2d(image, 4)
    one = block(conv(image, "first"), "encoders.0")
    two = block(conv(one, "downs.0", stride=2) + conv(half, "enters.0"), "encoders.1")
    four = block(conv(two, "downs.1", stride=2) + conv(quarter, "enters.1"), "encoders.2")
    eight = block(conv(four, "downs.2", stride=2), "encoders.3")
    four = block(up(eight, 2) + four, "decoders.2")
    two = block(up(four, 1) + two, "decoders.1")
    one = block(up(two, 0) + one, "decoders.0")
    return [
        quarter + conv(four, "exits.1"),
        half + conv(two, "exits.0"),
        image + conv(one, "last"),
    ]


def test_whole_network_against_restatement():
    """All three outputs of a network with a level below the smallest scale."""
    network = awake(MultiscaleUNet(SMALL)).double()
    image = torch.rand(2, 3, 16, 24, dtype=torch.float64)
    torch.testing.assert_close(network(image), restated(network.state_dict(), image))


def test_names_are_those_of_the_unet_and_six_layers_more():
    """It has the U-Net's parameters and, at 1/2 and 1/4, a way in and a way out."""
    plain = UNet(UNetConfig(width=4, levels=4, blocks=1)).state_dict()
    names = MultiscaleUNet(SMALL).state_dict()
    assert {name: names[name].shape for name in plain} == {k: v.shape for k, v in plain.items()}
    added = {name: tuple(names[name].shape) for name in names.keys() - plain.keys()}
    assert added == {
        "enters.0.weight": (8, 3, 3, 3),
        "enters.0.bias": (8,),
        "enters.1.weight": (16, 3, 3, 3),
        "enters.1.bias": (16,),
        "exits.0.weight": (3, 8, 3, 3),
        "exits.0.bias": (3,),
        "exits.1.weight": (3, 16, 3, 3),
        "exits.1.bias": (3,),
    }


def test_parameter_count_by_hand():
    """The default network has the U-Net's 1,095,203 parameters and those of its four layers."""
    count = 1_095_203 + sum(3 * width * 9 + width + width * 3 * 9 + 3 for width in (64, 128))
    network = MultiscaleUNet(MultiscaleUNetConfig())
    assert sum(p.numel() for p in network.parameters()) == count == 1_105_769


def test_its_layout_tells_its_options():
    """Options are read back from names and shapes."""
    shapes = {k: tuple(v.shape) for k, v in MultiscaleUNet(SMALL).state_dict().items()}
    assert all(layout.may_be(shapes) for layout in SPEC.layouts)
    assert read_multiscale_config(shapes) == SMALL


def test_gradients_against_finite_differences():
    """Gradients of all outputs agree with finite differences of the picture."""
    network = awake(MultiscaleUNet(MultiscaleUNetConfig(width=2, blocks=1))).double()
    image = torch.rand(1, 3, 4, 8, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: tuple(network(x)), (image,))


@pytest.mark.parametrize("size", [(1, 1), (5, 19), (16, 8)])
def test_any_size_through_the_size_rule(size):
    """Padded to the spec's rule, every size gives a pyramid of the spec's scales."""
    image = torch.rand(1, 3, *size)
    height, width = map(SPEC.size.fit, size)
    padded = F.pad(image, (0, width - size[1], 0, height - size[0]), mode="replicate")
    shapes = [tuple(level.shape) for level in awake(MultiscaleUNet(SMALL))(padded)]
    assert shapes == [(1, 3, int(height * s), int(width * s)) for s in SPEC.scales]


def test_batch_of_two_is_two_of_one():
    """No picture sees its neighbour in the batch."""
    network = awake(MultiscaleUNet(SMALL)).double()
    images = torch.rand(2, 3, 8, 16, dtype=torch.float64)
    singles = [network(x[None]) for x in images]
    for together, *alone in zip(network(images), *singles, strict=True):
        torch.testing.assert_close(together, torch.cat(alone))


def test_every_parameter_learns():
    """Away from zero every parameter receives a gradient."""
    network = awake(MultiscaleUNet(SMALL))
    sum(level.square().mean() for level in network(torch.rand(2, 3, 16, 16))).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


def test_bfloat16_autocast_stays_close():
    """Under bfloat16 autocast and channels_last the result differs by rounding only."""
    network, image = awake(MultiscaleUNet(SMALL)), torch.rand(1, 3, 16, 16)
    exact = network(image)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = network.to(memory_format=torch.channels_last)(image)
    for got, wanted in zip(rounded, exact, strict=True):
        assert (got - wanted).abs().max() < 0.02


@pytest.mark.parametrize("wrong", [{"levels": 2}, {"levels": 5}, {"resample": "cubic"}])
def test_impossible_options_are_refused(wrong):
    """It needs the levels of its three scales, and a resampling that D's pyramids have too."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        MultiscaleUNetConfig(**wrong)

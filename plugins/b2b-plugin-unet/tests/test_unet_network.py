"""The residual U-Net against restatements in float64, and as a plugin."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pluggy
import pytest
import torch
from torch.nn import functional as F

import b2b_plugin_unet
from b2b_core import hookspecs
from b2b_plugin_unet.config import UNetConfig
from b2b_plugin_unet.network import ResidualBlock, UNet, UNetTranslator, Upsample

SMALL = UNetConfig(width=4, levels=3, blocks=1)


@pytest.fixture(autouse=True)
def seeded():
    """Draw the same numbers in every test."""
    torch.manual_seed(0)


def conv3(x, conv):
    """Restate a 3x3 convolution with zero padding on `(B, C, H, W)` in numpy."""
    weight, bias = (t.detach().double().numpy() for t in (conv.weight, conv.bias))
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    return np.einsum("bchwij,ocij->bohw", windows, weight) + bias[:, None, None]


def awake(network):
    """Give the zero-initialised last layer weights, so that the whole network shows."""
    torch.nn.init.normal_(network.last.weight, std=0.1)
    return network


def test_plugin_offers_translators_and_a_deblurrer():
    """Both specs `unet` build networks of one parameter set; `unet-multiscale` comes beside."""
    manager = pluggy.PluginManager("b2b")
    manager.add_hookspecs(hookspecs)
    manager.register(b2b_plugin_unet)
    manager.check_pending()
    translator, multiscale = manager.hook.b2b_translators()[0]
    (deblurrer,) = manager.hook.b2b_deblurrers()[0]
    assert (translator.name, deblurrer.name, translator.scales) == ("unet", "unet", (1.0,))
    assert (multiscale.name, multiscale.scales) == ("unet-multiscale", (0.25, 0.5, 1.0))
    built = [spec.factory(spec.config()) for spec in (translator, deblurrer)]
    assert built[0].state_dict().keys() == built[1].state_dict().keys()


def test_light_modules_leave_torch_out():
    """Listing the plugin imports neither torch nor numpy."""
    code = (
        "import sys, b2b_plugin_unet as p; p.b2b_translators(); p.b2b_deblurrers();"
        "sys.exit(bool({'torch', 'numpy', 'kornia'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_parameter_count_by_hand():
    """The default network has the 1,095,203 parameters that its description adds up to."""
    widths, blocks = [32, 64, 128], 2
    conv = lambda i, o, k: i * o * k * k + o  # noqa: E731
    count = conv(3, 32, 3) + conv(32, 3, 3)
    count += sum(2 * blocks * conv(w, w, 3) for w in widths + widths[:-1])
    count += sum(conv(f, 2 * f, 3) + conv(2 * f, 4 * f, 1) for f in widths[:-1])
    assert sum(p.numel() for p in UNet(UNetConfig()).parameters()) == count == 1_095_203


def test_fresh_network_is_the_identity():
    """The last convolution starts at zero, so nothing changes before training."""
    image = torch.rand(1, 3, 16, 16)
    assert torch.equal(UNet(SMALL)(image), image)


def test_residual_block_against_numpy():
    """A block is x + conv(relu(conv(x))), computed here in float64."""
    block = ResidualBlock(3)
    x = torch.randn(2, 3, 5, 7)
    wide = x.double().numpy()
    expected = wide + conv3(np.maximum(conv3(wide, block.conv1), 0), block.conv2)
    np.testing.assert_allclose(block(x).detach().numpy(), expected, atol=1e-5)


def test_upsample_starts_as_repetition():
    """A fresh upsampling repeats each pixel 2x2: no checkerboard."""
    y = Upsample(6, 3)(torch.randn(1, 6, 3, 4)).detach()
    expected = y[..., ::2, ::2].repeat_interleave(2, -1).repeat_interleave(2, -2)
    assert torch.equal(y, expected)


def test_upsample_against_numpy():
    """With any weights it is a 1x1 convolution whose channels 4c + 2i + j become subpixels."""
    up = Upsample(2, 3)
    torch.nn.init.normal_(up.conv.weight)
    x = torch.randn(1, 2, 3, 4)
    weight, bias = up.conv.weight.detach().double().numpy(), up.conv.bias.detach().double().numpy()
    mixed = np.einsum("bchw,oc->bohw", x.double().numpy(), weight[:, :, 0, 0])
    mixed += bias[:, None, None]
    expected = np.zeros((1, 3, 6, 8))
    for channel in range(3):
        for i in range(2):
            for j in range(2):
                expected[:, channel, i::2, j::2] = mixed[:, 4 * channel + 2 * i + j]
    np.testing.assert_allclose(up(x).detach().numpy(), expected, atol=1e-6)


def test_whole_network_against_functional_restatement():
    """Three levels, wired by hand from the state dict in float64."""
    network = awake(UNet(SMALL)).double()
    s = network.state_dict()

    def conv(x, name, stride=1, padding=1):
        return F.conv2d(x, s[f"{name}.weight"], s[f"{name}.bias"], stride, padding)

    def block(x, name):
        return x + conv(torch.relu(conv(x, f"{name}.0.conv1")), f"{name}.0.conv2")

    def up(x, level):
        return F.pixel_shuffle(conv(x, f"ups.{level}.conv", padding=0), 2)

    image = torch.rand(1, 3, 8, 12, dtype=torch.float64)
    fine = block(conv(image, "first"), "encoders.0")
    middle = block(conv(fine, "downs.0", stride=2), "encoders.1")
    coarse = block(conv(middle, "downs.1", stride=2), "encoders.2")
    middle = block(up(coarse, 1) + middle, "decoders.1")
    fine = block(up(middle, 0) + fine, "decoders.0")
    torch.testing.assert_close(network(image), image + conv(fine, "last"))


def test_gradients_against_finite_differences():
    """Gradients with respect to the picture and to a weight agree with finite differences."""
    network = awake(UNet(UNetConfig(width=2, levels=2, blocks=1))).double()
    image = torch.rand(1, 3, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(network, (image,))

    def with_weight(weight):
        return torch.func.functional_call(network, {"downs.0.weight": weight}, (image.detach(),))

    assert torch.autograd.gradcheck(with_weight, (network.downs[0].weight,))


@pytest.mark.parametrize("size", [(1, 1), (5, 7), (8, 8), (17, 9)])
def test_any_size_through_the_size_rule(size):
    """Padded to the spec's rule and cropped back, every size works at the deepest setting."""
    rule = b2b_plugin_unet.b2b_deblurrers()[0].size
    network = awake(UNet(UNetConfig(width=2, levels=4, blocks=1)))
    image = torch.rand(1, 3, *size)
    height, width = map(rule.fit, size)
    padded = F.pad(image, (0, width - size[1], 0, height - size[0]), mode="replicate")
    assert network(padded).shape == padded.shape


def test_batch_of_two_is_two_of_one():
    """No picture sees its neighbour in the batch."""
    network = awake(UNet(SMALL)).double()
    images = torch.rand(2, 3, 16, 8, dtype=torch.float64)
    torch.testing.assert_close(network(images), torch.cat([network(x[None]) for x in images]))


def test_translator_returns_a_pyramid_of_one_level():
    """The translator's only level is the deblurrer's output under the same weights."""
    network, translator = awake(UNet(SMALL)), UNetTranslator(SMALL)
    translator.load_state_dict(network.state_dict())
    image = torch.rand(2, 3, 16, 24)
    (level,) = translator(image)
    assert torch.equal(level, network(image))


def test_bfloat16_autocast_stays_close():
    """Under bfloat16 autocast and channels_last the result differs by rounding only."""
    network = awake(UNet(SMALL))
    image = torch.rand(1, 3, 16, 16)
    exact = network(image)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = network.to(memory_format=torch.channels_last)(image)
    assert (rounded - exact).abs().max() < 0.02


def test_every_parameter_learns():
    """After one step away from zero every parameter receives a gradient."""
    network = awake(UNet(SMALL))
    network(torch.rand(2, 3, 16, 16)).square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


@pytest.mark.parametrize("wrong", [{"levels": 5}, {"levels": 0}, {"width": 0}, {"blocks": 0}])
def test_impossible_sizes_are_refused(wrong):
    """A config outside the size rule, or without layers, can't be made."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        UNetConfig(**wrong)

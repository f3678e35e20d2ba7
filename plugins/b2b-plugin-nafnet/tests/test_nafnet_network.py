"""NAFNet against the published layout, restatements in float64, and as a plugin."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pluggy
import pytest
import torch
from torch.nn import functional as F

import b2b_plugin_nafnet
from b2b_core import hookspecs
from b2b_plugin_nafnet.config import NafNetConfig
from b2b_plugin_nafnet.layers import LayerNorm2d, NafBlock, simple_gate
from b2b_plugin_nafnet.network import NafNet, NafNetTranslator
from b2b_plugin_nafnet.pooling import WindowMean

SMALL = NafNetConfig(width=4, middle=1, encoders=(1, 2), decoders=(1, 1))


@pytest.fixture(autouse=True)
def seeded():
    """Draw the same numbers in every test."""
    torch.manual_seed(0)


def awake(network):
    """Give the zero-initialised residual factors values, so that the blocks show."""
    for name, parameter in network.named_parameters():
        if name.endswith(("beta", "gamma", "norm1.weight", "norm1.bias", "norm2.weight")):
            torch.nn.init.normal_(parameter, std=0.5)
    return network


def block_shapes(prefix, c):
    """Return one block's published names and shapes."""
    shapes = {f"{prefix}.{name}": (1, c, 1, 1) for name in ("beta", "gamma")}
    for name in ("norm1", "norm2"):
        shapes |= {f"{prefix}.{name}.weight": (c,), f"{prefix}.{name}.bias": (c,)}
    for name, shape in {
        "conv1": (2 * c, c, 1, 1),
        "conv2": (2 * c, 1, 3, 3),
        "conv3": (c, c, 1, 1),
        "sca.1": (c, c, 1, 1),
        "conv4": (2 * c, c, 1, 1),
        "conv5": (c, c, 1, 1),
    }.items():
        shapes |= {f"{prefix}.{name}.weight": shape, f"{prefix}.{name}.bias": shape[:1]}
    return shapes


def published_layout(width):
    """Return the names and shapes of the GoPro weights, written down from the fact sheet."""
    shapes = {"intro.weight": (width, 3, 3, 3), "intro.bias": (width,)}
    shapes |= {"ending.weight": (3, width, 3, 3), "ending.bias": (3,)}
    shapes |= block_shapes("middle_blks.0", 16 * width)
    for level, blocks in enumerate((1, 1, 1, 28)):
        c = width * 2**level
        for block in range(blocks):
            shapes |= block_shapes(f"encoders.{level}.{block}", c)
        shapes |= {f"downs.{level}.weight": (2 * c, c, 2, 2), f"downs.{level}.bias": (2 * c,)}
        shapes |= block_shapes(f"decoders.{3 - level}.0", c)
        shapes[f"ups.{3 - level}.0.weight"] = (4 * c, 2 * c, 1, 1)
    return shapes


@pytest.mark.parametrize(("width", "parameters"), [(32, 17_111_907), (64, 67_888_835)])
def test_layout_equals_the_published_weights(width, parameters):
    """Names, shapes and the number of parameters are the published ones, 664 tensors."""
    with torch.device("meta"):
        network = NafNet(NafNetConfig(width=width))
    shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    assert shapes == published_layout(width)
    assert len(shapes) == 664
    assert sum(p.numel() for p in network.parameters()) == parameters


def test_plugin_offers_deblurrer_and_translator():
    """The hooks return the specs `nafnet`, whose networks have one set of names."""
    manager = pluggy.PluginManager("b2b")
    manager.add_hookspecs(hookspecs)
    manager.register(b2b_plugin_nafnet)
    manager.check_pending()
    (translator,) = manager.hook.b2b_translators()[0]
    (deblurrer,) = manager.hook.b2b_deblurrers()[0]
    assert (translator.name, deblurrer.name, translator.scales) == ("nafnet", "nafnet", (1.0,))
    built = [spec.factory(SMALL) for spec in (translator, deblurrer)]
    assert built[0].state_dict().keys() == built[1].state_dict().keys()


def test_light_modules_leave_torch_out():
    """Listing the plugin imports neither torch nor numpy."""
    code = (
        "import sys, b2b_plugin_nafnet as p; p.b2b_translators(); p.b2b_deblurrers();"
        "sys.exit(bool({'torch', 'numpy', 'kornia'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_layer_norm_against_numpy():
    """Each pixel's channels get mean 0 and variance 1, then the learned scale and shift."""
    norm = LayerNorm2d(5)
    torch.nn.init.normal_(norm.weight)
    torch.nn.init.normal_(norm.bias)
    x = torch.randn(2, 5, 3, 4)
    wide, weight, bias = (t.detach().double().numpy() for t in (x, norm.weight, norm.bias))
    centred = wide - wide.mean(1, keepdims=True)
    expected = centred / np.sqrt((centred**2).mean(1, keepdims=True) + 1e-6)
    expected = expected * weight[:, None, None] + bias[:, None, None]
    np.testing.assert_allclose(norm(x).detach().numpy(), expected, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_layer_norm_survives_half_precision(dtype):
    """Values as in a trained bottleneck, whose squares overflow float16, come out right."""
    norm = LayerNorm2d(512)
    x = (175 * torch.randn(1, 512, 2, 2)).to(dtype)
    y = norm(x)
    assert y.dtype == dtype
    torch.testing.assert_close(y.float(), norm(x.float()), atol=0.02, rtol=0.01)


def test_simple_gate_multiplies_the_halves():
    """The first half of the channels times the second."""
    x = torch.tensor([2.0, 3.0, 5.0, 7.0]).view(1, 4, 1, 1)
    assert simple_gate(x).flatten().tolist() == [10.0, 21.0]


@pytest.mark.parametrize("window", [1, 2, 3, 4, 6, 7, 8])
def test_window_mean_against_loops(window):
    """Each pixel gets the mean of the window around it, held inside the picture."""
    x = torch.randn(1, 2, 6, 8, dtype=torch.float64)
    side_h, side_w = min(window, 6), min(window, 8)
    expected = torch.empty_like(x)
    for i in range(6):
        for j in range(8):
            top = min(max(i - (side_h - 1) // 2, 0), 6 - side_h)
            left = min(max(j - (side_w - 1) // 2, 0), 8 - side_w)
            patch = x[..., top : top + side_h, left : left + side_w]
            expected[..., i, j] = patch.mean((-2, -1))
    got = WindowMean(window)(x)
    torch.testing.assert_close(got.expand_as(x), expected)


def test_window_mean_keeps_half_precision_sums_exact():
    """A large picture's sum, beyond float16, does not overflow."""
    x = torch.full((1, 1, 64, 2048), 100.0, dtype=torch.float16)
    assert torch.equal(WindowMean(32)(x), x)


def test_fresh_block_is_the_identity():
    """Beta and gamma start at zero."""
    x = torch.randn(1, 6, 4, 4)
    assert torch.equal(NafBlock(6)(x), x)


def restated_block(s, x, prefix, window_mean):
    """Return a block's output from a state dict, wired by hand from the paper's figure 3c."""

    def p(name):
        return s[f"{prefix}.{name}"]

    def conv(x, name, **options):
        return F.conv2d(x, p(f"{name}.weight"), p(f"{name}.bias"), **options)

    def norm(x, name):
        centred = x - x.mean(1, keepdim=True)
        normed = centred / (centred.square().mean(1, keepdim=True) + 1e-6).sqrt()
        return normed * p(f"{name}.weight").view(1, -1, 1, 1) + p(f"{name}.bias").view(1, -1, 1, 1)

    def gate(x):
        half = x.shape[1] // 2
        return x[:, :half] * x[:, half:]

    y = conv(norm(x, "norm1"), "conv1")
    y = gate(conv(y, "conv2", padding=1, groups=y.shape[1]))
    y = y * conv(window_mean(y), "sca.1")
    x = x + conv(y, "conv3") * p("beta")
    return x + conv(gate(conv(norm(x, "norm2"), "conv4")), "conv5") * p("gamma")


def test_whole_network_against_restatement():
    """Two levels, wired by hand from the state dict in float64."""
    network = awake(NafNet(SMALL)).double()
    s = network.state_dict()

    def block(x, name):
        return restated_block(s, x, name, lambda y: y.mean((2, 3), keepdim=True))

    def up(x, name):
        return F.pixel_shuffle(F.conv2d(x, s[f"{name}.0.weight"]), 2)

    def down(x, name):
        return F.conv2d(x, s[f"{name}.weight"], s[f"{name}.bias"], stride=2)

    image = torch.rand(1, 3, 8, 12, dtype=torch.float64)
    fine = block(F.conv2d(image, s["intro.weight"], s["intro.bias"], padding=1), "encoders.0.0")
    middle = block(block(down(fine, "downs.0"), "encoders.1.0"), "encoders.1.1")
    coarse = block(down(middle, "downs.1"), "middle_blks.0")
    middle = block(up(coarse, "ups.0") + middle, "decoders.0.0")
    fine = block(up(middle, "ups.1") + fine, "decoders.1.0")
    expected = image + F.conv2d(fine, s["ending.weight"], s["ending.bias"], padding=1)
    torch.testing.assert_close(network(image), expected)


def test_block_gradients_against_finite_differences():
    """A block's gradients, with and without a window, agree with finite differences."""
    for window in (None, 2):
        block = awake(NafBlock(2, window)).double()
        x = torch.randn(1, 2, 3, 3, dtype=torch.float64, requires_grad=True)
        assert torch.autograd.gradcheck(block, (x,))


def test_network_gradients_against_finite_differences():
    """The network's gradient with respect to the picture agrees with finite differences."""
    config = NafNetConfig(width=2, middle=1, encoders=(1,), decoders=(1,))
    image = torch.rand(1, 3, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(awake(NafNet(config)).double(), (image,))


def windowed(window):
    """Return the same weights with another window."""
    torch.manual_seed(1)
    config = NafNetConfig(width=4, middle=1, encoders=(1, 2), decoders=(1, 1), tlc_window=window)
    return awake(NafNet(config)).double()


def test_window_changes_only_larger_pictures():
    """With and without a window the names and the results agree up to the window's size."""
    plain, local = windowed(None), windowed(16)
    assert plain.state_dict().keys() == local.state_dict().keys()
    small = torch.rand(1, 3, 16, 12, dtype=torch.float64)
    large = torch.rand(1, 3, 16, 32, dtype=torch.float64)
    torch.testing.assert_close(plain(small), local(small))
    assert not torch.allclose(plain(large), local(large))


def test_window_halves_with_the_level():
    """A window of 384 means 192, 96, 48, 24 deeper down."""
    with torch.device("meta"):
        network = NafNet(NafNetConfig(tlc_window=384))
    windows = [level[0].sca[0].window for level in network.encoders]
    assert [*windows, network.middle_blks[0].sca[0].window] == [384, 192, 96, 48, 24]


@pytest.mark.parametrize("size", [(1, 1), (5, 19), (16, 32)])
def test_any_size_through_the_size_rule(size):
    """Padded to the spec's rule, every size works at the deepest setting."""
    rule = b2b_plugin_nafnet.b2b_deblurrers()[0].size
    config = NafNetConfig(width=2, encoders=(1,) * 4, decoders=(1,) * 4, tlc_window=8)
    image = torch.rand(1, 3, *size)
    height, width = map(rule.fit, size)
    padded = F.pad(image, (0, width - size[1], 0, height - size[0]), mode="replicate")
    assert awake(NafNet(config))(padded).shape == padded.shape


def test_batch_of_two_is_two_of_one():
    """No picture sees its neighbour in the batch."""
    network = awake(NafNet(SMALL)).double()
    images = torch.rand(2, 3, 8, 12, dtype=torch.float64)
    torch.testing.assert_close(network(images), torch.cat([network(x[None]) for x in images]))


def test_translator_returns_a_pyramid_of_one_level():
    """The translator's only level is the deblurrer's output under the same weights."""
    network, translator = awake(NafNet(SMALL)), NafNetTranslator(SMALL)
    translator.load_state_dict(network.state_dict())
    image = torch.rand(2, 3, 8, 8)
    (level,) = translator(image)
    assert torch.equal(level, network(image))


def test_zero_start_is_the_identity():
    """On request the last convolution starts at zero."""
    config = NafNetConfig(width=2, encoders=(1,), decoders=(1,), zero_init_residual=True)
    image = torch.rand(1, 3, 8, 8)
    assert torch.equal(NafNet(config)(image), image)


def test_bfloat16_autocast_stays_close():
    """Under bfloat16 autocast and channels_last the result differs by rounding only."""
    network = awake(NafNet(SMALL))
    image = torch.rand(1, 3, 16, 16)
    exact = network(image)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = network.to(memory_format=torch.channels_last)(image)
    assert (rounded - exact).abs().max() < 0.05


@pytest.mark.parametrize(
    "wrong",
    [
        {"encoders": (1, 1)},
        {"encoders": (1,) * 5, "decoders": (1,) * 5},
        {"encoders": (), "decoders": ()},
        {"encoders": (1, 1, 1, -1)},
        {"tlc_window": 0},
        {"width": 0},
    ],
)
def test_impossible_options_are_refused(wrong):
    """A config outside the size rule, or with unequal halves, can't be made."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        NafNetConfig(**wrong)

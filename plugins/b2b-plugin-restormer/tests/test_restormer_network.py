"""Restormer against a restatement in float64, in use, and as a plugin."""

from __future__ import annotations

import subprocess
import sys

import pluggy
import pytest
import torch
from torch.nn import functional as F

import b2b_plugin_restormer
from b2b_core import hookspecs
from b2b_plugin_restormer.config import RestormerConfig
from b2b_plugin_restormer.network import Restormer, RestormerTranslator

SMALL = RestormerConfig(dim=4, blocks=(1, 2, 1, 1), refinement=1, heads=(1, 2, 2, 4))


@pytest.fixture(autouse=True)
def seeded():
    """Draw the same numbers in every test."""
    torch.manual_seed(0)


def test_plugin_offers_deblurrer_and_translator():
    """The hooks return the specs `restormer`, whose networks have one set of names."""
    manager = pluggy.PluginManager("b2b")
    manager.add_hookspecs(hookspecs)
    manager.register(b2b_plugin_restormer)
    manager.check_pending()
    (translator,) = manager.hook.b2b_translators()[0]
    (deblurrer,) = manager.hook.b2b_deblurrers()[0]
    assert translator.name == deblurrer.name == "restormer"
    assert translator.scales == (1.0,)
    assert translator.size.multiple_of == deblurrer.size.multiple_of == 8
    built = [spec.factory(SMALL) for spec in (translator, deblurrer)]
    assert built[0].state_dict().keys() == built[1].state_dict().keys()


def test_light_modules_leave_torch_out():
    """Listing the plugin imports neither torch nor numpy."""
    code = (
        "import sys, b2b_plugin_restormer as p; p.b2b_translators(); p.b2b_deblurrers();"
        "sys.exit(bool({'torch', 'numpy', 'kornia'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def restated_block(s, x, prefix):
    """Return a block's output from a state dict, wired by hand from the paper's figure 2."""

    def p(name):
        return s[f"{prefix}.{name}"]

    def conv(x, name):
        weight, bias = p(f"{name}.weight"), s.get(f"{prefix}.{name}.bias")
        groups = x.shape[1] // weight.shape[1]
        return F.conv2d(x, weight, bias, padding=weight.shape[-1] // 2, groups=groups)

    def norm(x, name):
        variance, mean = torch.var_mean(x, 1, correction=0, keepdim=True)
        bias = s.get(f"{prefix}.{name}.body.bias")
        centred = x if bias is None else x - mean
        normed = centred / (variance + 1e-5).sqrt() * p(f"{name}.body.weight").view(1, -1, 1, 1)
        return normed if bias is None else normed + bias.view(1, -1, 1, 1)

    q, k, v = conv(conv(norm(x, "norm1"), "attn.qkv"), "attn.qkv_dwconv").flatten(2).chunk(3, 1)
    q, k = (part / part.square().sum(-1, keepdim=True).sqrt() for part in (q, k))
    temperature = p("attn.temperature")
    mixed = [
        (q_head @ k_head.mT * scale).softmax(-1) @ v_head
        for q_head, k_head, v_head, scale in zip(
            *(part.chunk(len(temperature), 1) for part in (q, k, v)), temperature, strict=True
        )
    ]
    x = x + conv(torch.cat(mixed, 1).view_as(x), "attn.project_out")
    gate, content = conv(conv(norm(x, "norm2"), "ffn.project_in"), "ffn.dwconv").chunk(2, 1)
    gate = gate * 0.5 * (1 + torch.erf(gate / 2**0.5))
    return x + conv(gate * content, "ffn.project_out")


def restated(s, image):
    """Return the network's output from a state dict, wired by hand from the paper's figure 2."""

    def conv(x, name):
        weight = s[f"{name}.weight"]
        return F.conv2d(x, weight, s.get(f"{name}.bias"), padding=weight.shape[-1] // 2)

    def stage(x, name):
        block = 0
        while f"{name}.{block}.norm1.body.weight" in s:
            x = restated_block(s, x, f"{name}.{block}")
            block += 1
        return x

    def down(x, name):
        return F.pixel_unshuffle(conv(x, f"{name}.body.0"), 2)

    def up(x, skip, name):
        return torch.cat([F.pixel_shuffle(conv(x, f"{name}.body.0"), 2), skip], 1)

    one = stage(conv(image, "patch_embed.proj"), "encoder_level1")
    two = stage(down(one, "down1_2"), "encoder_level2")
    three = stage(down(two, "down2_3"), "encoder_level3")
    x = stage(down(three, "down3_4"), "latent")
    x = stage(conv(up(x, three, "up4_3"), "reduce_chan_level3"), "decoder_level3")
    x = stage(conv(up(x, two, "up3_2"), "reduce_chan_level2"), "decoder_level2")
    x = stage(stage(up(x, one, "up2_1"), "decoder_level1"), "refinement")
    return image + conv(x, "output")


@pytest.mark.parametrize("options", [{}, {"bias": True, "norm": "bias-free", "expansion": 1.7}])
def test_whole_network_against_restatement(options):
    """Four levels, wired by hand from the state dict in float64, every parameter at random."""
    config = RestormerConfig(
        dim=4, blocks=(1, 2, 1, 1), refinement=1, heads=(1, 2, 2, 4), **options
    )
    network = Restormer(config).double()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    image = torch.rand(2, 3, 16, 24, dtype=torch.float64)
    torch.testing.assert_close(network(image), restated(network.state_dict(), image))


def test_network_gradients_against_finite_differences():
    """The network's gradient with respect to the picture agrees with finite differences."""
    config = RestormerConfig(dim=2, blocks=(1, 1, 1, 1), refinement=1, heads=(1, 1, 2, 2))
    image = torch.rand(1, 3, 16, 16, dtype=torch.float64, requires_grad=True)
    network = Restormer(config).double()
    assert torch.autograd.gradcheck(network, (image,), fast_mode=True)


def test_every_parameter_learns():
    """Every parameter receives a gradient."""
    network = Restormer(SMALL)
    network(torch.rand(2, 3, 16, 24)).square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


@pytest.mark.parametrize("window", [None, 8])
@pytest.mark.parametrize("size", [(1, 1), (5, 19), (16, 40)])
def test_any_size_through_the_size_rule(size, window):
    """Padded to multiples of 8, every size works, with and without a window."""
    rule = b2b_plugin_restormer.b2b_deblurrers()[0].size
    config = RestormerConfig(
        dim=2, blocks=(1, 1, 1, 1), refinement=0, heads=(1, 1, 1, 1), tlc_window=window
    )
    image = torch.rand(1, 3, *size)
    height, width = map(rule.fit, size)
    padded = F.pad(image, (0, width - size[1], 0, height - size[0]), mode="replicate")
    restored = Restormer(config)(padded)
    assert restored.shape == padded.shape
    assert restored.isfinite().all()


def test_batch_of_two_is_two_of_one():
    """No picture sees its neighbour in the batch."""
    network = Restormer(SMALL).double()
    images = torch.rand(2, 3, 8, 16, dtype=torch.float64)
    torch.testing.assert_close(network(images), torch.cat([network(x[None]) for x in images]))


def test_translator_returns_a_pyramid_of_one_level():
    """The translator's only level is the deblurrer's output under the same weights."""
    network, translator = Restormer(SMALL), RestormerTranslator(SMALL)
    translator.load_state_dict(network.state_dict())
    image = torch.rand(2, 3, 8, 8)
    (level,) = translator(image)
    assert torch.equal(level, network(image))


def test_zero_start_is_the_identity():
    """On request the last convolution starts at zero, its bias too."""
    config = RestormerConfig(
        dim=2,
        blocks=(0, 0, 0, 0),
        refinement=1,
        heads=(1, 1, 1, 1),
        bias=True,
        zero_init_residual=True,
    )
    image = torch.rand(1, 3, 8, 8)
    assert torch.equal(Restormer(config)(image), image)


@pytest.mark.parametrize("window", [None, 16])
def test_bfloat16_autocast_stays_close(window):
    """Under bfloat16 autocast and channels_last the result differs by rounding only."""
    config = RestormerConfig(
        dim=8, blocks=(1, 1, 1, 1), refinement=1, heads=(1, 2, 2, 4), tlc_window=window
    )
    network, image = Restormer(config), torch.rand(1, 3, 32, 48)
    exact = network(image)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = network.to(memory_format=torch.channels_last)(image)
    correction = (exact - image).abs().mean()
    assert (rounded - exact).abs().mean() < 0.03 * correction


@pytest.mark.parametrize(
    "wrong",
    [
        {"dim": 3},
        {"dim": 0},
        {"blocks": (1, 1, 1)},
        {"blocks": (1, 1, 1, -1)},
        {"refinement": -1},
        {"heads": (1, 2, 4)},
        {"heads": (5, 2, 4, 8)},
        {"heads": (0, 2, 4, 8)},
        {"expansion": 0.0},
        {"expansion": 0.01},
        {"norm": "batch"},
        {"tlc_window": 7},
    ],
)
def test_impossible_options_are_refused(wrong):
    """A config that no network can follow can't be made."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        RestormerConfig(**wrong)

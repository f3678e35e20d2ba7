"""MIMO-UNet against the published layout and a restatement in float64."""

from __future__ import annotations

import subprocess
import sys

import pluggy
import pytest
import torch
from torch.nn import functional as F

import b2b_plugin_mimo_unet
from b2b_core import hookspecs
from b2b_plugin_mimo_unet.config import MimoUNetConfig
from b2b_plugin_mimo_unet.layers import ConvUnit, FeatureAttention, ShallowConv
from b2b_plugin_mimo_unet.network import MimoUNet, MimoUNetDeblurrer

SMALL = MimoUNetConfig(width=4, blocks=1, init="default")


@pytest.fixture(autouse=True)
def seeded():
    """Draw the same numbers in every test."""
    torch.manual_seed(0)


def published_layout(blocks):
    """Return the published names and shapes, written down from the fact sheet."""
    shapes = {}

    def conv(name, *shape, bias=None):
        shapes[f"{name}.weight"] = shape
        shapes[f"{name}.bias"] = (shape[0] if bias is None else bias,)

    for group, widths in (("Encoder", (32, 64, 128)), ("Decoder", (128, 64, 32))):
        for level, c in enumerate(widths):
            for block in range(blocks):
                for unit in range(2):
                    conv(f"{group}.{level}.layers.{block}.main.{unit}.main.0", c, c, 3, 3)
    conv("feat_extract.0.main.0", 32, 3, 3, 3)
    conv("feat_extract.1.main.0", 64, 32, 3, 3)
    conv("feat_extract.2.main.0", 128, 64, 3, 3)
    conv("feat_extract.3.main.0", 128, 64, 4, 4, bias=64)
    conv("feat_extract.4.main.0", 64, 32, 4, 4, bias=32)
    conv("feat_extract.5.main.0", 3, 32, 3, 3)
    conv("Convs.0.main.0", 64, 128, 1, 1)
    conv("Convs.1.main.0", 32, 64, 1, 1)
    conv("ConvsOut.0.main.0", 3, 128, 3, 3)
    conv("ConvsOut.1.main.0", 3, 64, 3, 3)
    for index, c in enumerate((32, 64)):
        conv(f"AFFs.{index}.conv.0.main.0", c, 224, 1, 1)
        conv(f"AFFs.{index}.conv.1.main.0", c, c, 3, 3)
    for index, widths in ((1, (32, 64, 64, 125, 128)), (2, (16, 32, 32, 61, 64))):
        a, b, c, d, whole = widths
        conv(f"FAM{index}.merge.main.0", whole, whole, 3, 3)
        conv(f"SCM{index}.main.0.main.0", a, 3, 3, 3)
        conv(f"SCM{index}.main.1.main.0", b, a, 1, 1)
        conv(f"SCM{index}.main.2.main.0", c, b, 3, 3)
        conv(f"SCM{index}.main.3.main.0", d, c, 1, 1)
        conv(f"SCM{index}.conv.main.0", whole, whole, 1, 1)
    return shapes


@pytest.mark.parametrize(
    ("plus", "blocks", "tensors", "parameters"),
    [(False, 8, 244, 6_807_171), (True, 20, 532, 16_107_651)],
)
def test_layout_equals_the_published_weights(plus, blocks, tensors, parameters):
    """Names, shapes, number of tensors and of parameters are the published ones."""
    with torch.device("meta"):
        network = MimoUNet(MimoUNetConfig(plus=plus))
    shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    assert shapes == published_layout(blocks)
    assert len(shapes) == tensors
    assert sum(p.numel() for p in network.parameters()) == parameters


def test_plugin_offers_translator_and_deblurrer():
    """The hooks return the specs `mimo-unet`, three scales, multiples of 4."""
    manager = pluggy.PluginManager("b2b")
    manager.add_hookspecs(hookspecs)
    manager.register(b2b_plugin_mimo_unet)
    manager.check_pending()
    (translator,) = manager.hook.b2b_translators()[0]
    (deblurrer,) = manager.hook.b2b_deblurrers()[0]
    assert translator.name == deblurrer.name == "mimo-unet"
    assert translator.scales == (0.25, 0.5, 1.0)
    assert translator.size.multiple_of == deblurrer.size.multiple_of == 4
    built = [spec.factory(SMALL) for spec in (translator, deblurrer)]
    assert built[0].state_dict().keys() == built[1].state_dict().keys()


def test_light_modules_leave_torch_out():
    """Listing the plugin imports neither torch nor numpy."""
    code = (
        "import sys, b2b_plugin_mimo_unet as p; p.b2b_translators(); p.b2b_deblurrers();"
        "sys.exit(bool({'torch', 'numpy', 'kornia'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def restated(s, x, depth):
    """Return the three outputs from a state dict, wired by hand from the paper's figure 3."""

    def conv(x, name, *, relu=True, stride=1):
        weight = s[f"{name}.main.0.weight"]
        y = F.conv2d(x, weight, s[f"{name}.main.0.bias"], stride, weight.shape[-1] // 2)
        return y.clamp(min=0) if relu else y

    def up_conv(x, name):
        weight, bias = s[f"{name}.main.0.weight"], s[f"{name}.main.0.bias"]
        return F.conv_transpose2d(x, weight, bias, stride=2, padding=1).clamp(min=0)

    def blocks(x, name):
        for i in range(depth):
            unit = f"{name}.layers.{i}.main"
            x = x + conv(conv(x, f"{unit}.0"), f"{unit}.1", relu=False)
        return x

    def scm(x, name):
        y = x
        for i in range(4):
            y = conv(y, f"{name}.main.{i}")
        return conv(torch.cat([x, y], 1), f"{name}.conv", relu=False)

    def fam(a, b, name):
        return a + conv(a * b, f"{name}.merge", relu=False)

    def aff(maps, name):
        return conv(conv(torch.cat(maps, 1), f"{name}.conv.0"), f"{name}.conv.1", relu=False)

    def scale(x, factor):
        return F.interpolate(x, scale_factor=factor)

    x2 = scale(x, 0.5)
    x4 = scale(x2, 0.5)
    e1 = blocks(conv(x, "feat_extract.0"), "Encoder.0")
    e2 = fam(conv(e1, "feat_extract.1", stride=2), scm(x2, "SCM2"), "FAM2")
    e2 = blocks(e2, "Encoder.1")
    e3 = fam(conv(e2, "feat_extract.2", stride=2), scm(x4, "SCM1"), "FAM1")
    e3 = blocks(e3, "Encoder.2")
    f2 = aff([scale(e1, 0.5), e2, scale(e3, 2)], "AFFs.1")
    f1 = aff([e1, scale(e2, 2), scale(e3, 4)], "AFFs.0")
    d3 = blocks(e3, "Decoder.0")
    d2 = conv(torch.cat([up_conv(d3, "feat_extract.3"), f2], 1), "Convs.0")
    d2 = blocks(d2, "Decoder.1")
    d1 = conv(torch.cat([up_conv(d2, "feat_extract.4"), f1], 1), "Convs.1")
    d1 = blocks(d1, "Decoder.2")
    return [
        x4 + conv(d3, "ConvsOut.0", relu=False),
        x2 + conv(d2, "ConvsOut.1", relu=False),
        x + conv(d1, "feat_extract.5", relu=False),
    ]


def test_whole_network_against_restatement():
    """All three outputs agree in float64 with the paper's figure wired by hand."""
    network = MimoUNet(MimoUNetConfig(width=4, blocks=2, init="default")).double()
    image = torch.rand(1, 3, 16, 12, dtype=torch.float64)
    for got, wanted in zip(network(image), restated(network.state_dict(), image, 2), strict=True):
        torch.testing.assert_close(got, wanted)


def test_transposed_unit_doubles_the_size():
    """A transposed 4x4 unit scatters each input pixel into a 4x4 patch, stride 2, one off."""
    unit = ConvUnit(2, 3, 4, stride=2, transposed=True, relu=False).double()
    weight, bias = (p.detach() for p in unit.main[0].parameters())
    x = torch.randn(1, 2, 3, 5, dtype=torch.float64)
    canvas = torch.zeros(1, 3, 8, 12, dtype=torch.float64)
    for i in range(3):
        for j in range(5):
            patch = torch.einsum("bc,coij->boij", x[:, :, i, j], weight)
            canvas[:, :, 2 * i : 2 * i + 4, 2 * j : 2 * j + 4] += patch
    expected = canvas[:, :, 1:-1, 1:-1] + bias[:, None, None]
    torch.testing.assert_close(unit(x).detach(), expected)


def test_shallow_features_begin_with_the_picture():
    """SCM keeps the raw colours as its first three channels before the last convolution."""
    module = ShallowConv(8)
    torch.nn.init.dirac_(module.conv.main[0].weight)
    torch.nn.init.zeros_(module.conv.main[0].bias)
    image = torch.rand(1, 3, 4, 4)
    torch.testing.assert_close(module(image)[:, :3], image)


def test_feature_attention_without_shallow_features():
    """FAM adds only its bias where the coarse picture's features are zero."""
    module = FeatureAttention(4)
    encoded = torch.randn(1, 4, 5, 5)
    expected = encoded + module.merge.main[0].bias[:, None, None]
    torch.testing.assert_close(module(encoded, torch.zeros_like(encoded)), expected)


def test_published_start_is_near_the_identity():
    """N(0, 0.02) with zero biases changes pictures by less than 2 per cent of the range."""
    network = MimoUNet(MimoUNetConfig(blocks=1))
    assert all((p == 0).all() for name, p in network.named_parameters() if name.endswith("bias"))
    weights = torch.cat(
        [p.detach().flatten() for name, p in network.named_parameters() if name.endswith("weight")]
    )
    assert abs(float(weights.std()) - 0.02) < 1e-4
    image = torch.rand(1, 3, 32, 32)
    bases = (image[..., ::4, ::4], image[..., ::2, ::2], image)
    assert all(
        float((out - base).abs().detach().mean()) < 0.02
        for out, base in zip(network(image), bases, strict=True)
    )


@pytest.mark.parametrize("resample", ["nearest", "area"])
def test_zero_start_shows_the_resampled_pyramid(resample):
    """With a zero residual the outputs are the input pyramid: subsampled, or 2x2 means."""
    config = MimoUNetConfig(width=4, blocks=1, resample=resample, zero_init_residual=True)
    image = torch.rand(1, 3, 16, 24)
    quarter, half, full = MimoUNet(config)(image)
    blocks4 = image.unfold(2, 4, 4).unfold(3, 4, 4)
    blocks2 = image.unfold(2, 2, 2).unfold(3, 2, 2)
    if resample == "nearest":
        wanted = (blocks4[..., 0, 0], blocks2[..., 0, 0])
    else:
        wanted = (blocks4.mean((-2, -1)), blocks2.mean((-2, -1)))
    torch.testing.assert_close((quarter, half, full), (*wanted, image))


def test_dropout_belongs_to_plus_and_to_training():
    """Plus draws whole channels while training and is deterministic in evaluation."""
    image = torch.rand(1, 3, 16, 16)
    plus = MimoUNet(MimoUNetConfig(width=8, blocks=1, plus=True, init="default"))
    assert any(not torch.equal(plus(image)[2], plus(image)[2]) for _ in range(5))
    plus.eval()
    assert torch.equal(plus(image)[2], plus(image)[2])
    plain = MimoUNet(SMALL)
    assert torch.equal(plain(image)[2], plain(image)[2])


def test_gradients_against_finite_differences():
    """Gradients of all outputs agree with finite differences of the picture."""
    network = MimoUNet(MimoUNetConfig(width=2, blocks=1, init="default")).double()
    image = torch.rand(1, 3, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: tuple(network(x)), (image,))


@pytest.mark.parametrize("size", [(1, 1), (5, 7), (12, 4)])
def test_any_size_through_the_size_rule(size):
    """Padded to multiples of 4, every size gives a pyramid of the spec's scales."""
    spec = b2b_plugin_mimo_unet.b2b_translators()[0]
    image = torch.rand(1, 3, *size)
    height, width = map(spec.size.fit, size)
    padded = F.pad(image, (0, width - size[1], 0, height - size[0]), mode="replicate")
    shapes = [tuple(level.shape) for level in MimoUNet(SMALL)(padded)]
    assert shapes == [(1, 3, int(height * s), int(width * s)) for s in spec.scales]


def test_batch_of_two_is_two_of_one():
    """No picture sees its neighbour in the batch."""
    network = MimoUNet(SMALL).double()
    images = torch.rand(2, 3, 8, 12, dtype=torch.float64)
    singles = [network(x[None]) for x in images]
    for together, *alone in zip(network(images), *singles, strict=True):
        torch.testing.assert_close(together, torch.cat(alone))


def test_deblurrer_is_the_finest_level():
    """The deblurrer returns the translator's last level under the same weights."""
    translator, deblurrer = MimoUNet(SMALL), MimoUNetDeblurrer(SMALL)
    deblurrer.load_state_dict(translator.state_dict())
    image = torch.rand(1, 3, 8, 8)
    assert torch.equal(deblurrer(image), translator(image)[-1])


@pytest.mark.parametrize(
    "wrong", [{"width": 3}, {"width": 0}, {"blocks": 0}, {"init": "x"}, {"resample": "cubic"}]
)
def test_impossible_options_are_refused(wrong):
    """A config that no network can follow can't be made."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        MimoUNetConfig(**wrong)

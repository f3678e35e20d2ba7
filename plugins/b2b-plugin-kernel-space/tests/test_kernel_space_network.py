"""The kernel extractor: published layout, restatements, any size, and as a plugin."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pluggy
import pytest
import torch
from torch.nn import functional as F

import b2b_plugin_kernel_space
from b2b_core import hookspecs
from b2b_core.contracts import KernelExtractor
from b2b_core.errors import UsageError
from b2b_plugin_kernel_space.adapter import Adapter
from b2b_plugin_kernel_space.config import KernelSpaceConfig
from b2b_plugin_kernel_space.extractor import CodeExtractor
from b2b_plugin_kernel_space.layers import CodeBlock, ResBlock
from b2b_plugin_kernel_space.network import KernelSpace


def fresh(vae=False):
    """Return an extractor whose code has one pixel per 16x16 of the picture."""
    config = KernelSpaceConfig(
        width=4,
        code_channels=6,
        front_blocks=1,
        back_blocks=1,
        code_blocks=1,
        downsamplings=2,
        vae=vae,
    )
    return KernelSpace(config)


def small(vae=False):
    """Return the extractor with weights in its last layer, so that the whole network shows."""
    network = fresh(vae)
    torch.nn.init.normal_(network.recon_trunk[-1].weight, std=0.1)
    return network


@pytest.fixture(autouse=True)
def seeded():
    """Draw the same numbers in every test."""
    torch.manual_seed(0)


def published_layout(vae):
    """Return the published names and shapes, written down from the fact sheet."""
    shapes = {}

    def conv(name, *shape, bias=True):
        shapes[f"{name}.weight"] = shape
        if bias:
            shapes[f"{name}.bias"] = shape[:1]

    conv("feature_extractor.0", 64, 3, 3, 3)
    conv("feature_extractor.2", 64, 64, 3, 3)
    conv("feature_extractor.4", 64, 64, 3, 3)
    for index in range(6, 16):
        for step in (1, 2):
            conv(f"feature_extractor.{index}.conv{step}", 64, 64, 3, 3)
    widths = [64, 128, 256, 512, 1024, 1024] if vae else [64, 128, 256, 512, 512, 512]
    conv("kernel_extractor.model.1", 64, 128, 7, 7, bias=False)
    for place, index in enumerate((4, 7, 10, 13, 16)):
        pair = (widths[place + 1], widths[place])
        conv(f"kernel_extractor.model.{index}", *pair, 3, 3, bias=False)
    for index in range(19, 23):
        for step in (1, 5):
            name = f"kernel_extractor.model.{index}.conv_block.{step}"
            conv(name, widths[-1], widths[-1], 3, 3, bias=False)
    conv("adapter.model.down.0", 64, 64, 4, 4, bias=False)
    shapes |= {"adapter.model.up.1.weight": (128, 64, 4, 4), "adapter.model.up.1.bias": (64,)}
    downs = [(128, 64), (256, 128), (512, 256), (512, 512)]
    ups = [(256, 64), (512, 128), (1024, 256), (1024, 512)]
    for level, (down, up) in enumerate(zip(downs, ups, strict=True), start=1):
        name = "adapter.model" + ".submodule" * level
        conv(f"{name}.down.1", *down, 4, 4, bias=False)
        conv(f"{name}.up.1", *up, 4, 4, bias=False)
    for index in range(20):
        for step in (1, 2):
            conv(f"recon_trunk.{index}.conv{step}", 64, 64, 3, 3)
    for index, outputs in ((20, 256), (23, 256), (26, 64), (28, 3)):
        conv(f"recon_trunk.{index}", outputs, 64, 3, 3)
    return shapes


@pytest.mark.parametrize(("vae", "parameters"), [(False, 49_205_187), (True, 115_265_475)])
def test_layout_equals_the_published_weights(vae, parameters):
    """Names and shapes are the published ones, 159 tensors; 49.2 M parameters, 115.3 M as VAE."""
    with torch.device("meta"):
        network = KernelSpace(KernelSpaceConfig(vae=vae))
    shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    assert shapes == published_layout(vae)
    assert len(shapes) == 159
    assert sum(p.numel() for p in network.parameters()) == parameters


def test_plugin_offers_the_extractor():
    """The hook returns the spec `kernel-space`; its default cell is 128 pixels, its size free."""
    manager = pluggy.PluginManager("b2b")
    manager.add_hookspecs(hookspecs)
    manager.register(b2b_plugin_kernel_space)
    manager.check_pending()
    (spec,) = manager.hook.b2b_kernel_extractors()[0]
    assert (spec.name, spec.size.multiple_of, spec.size.minimum) == ("kernel-space", 1, 1)
    assert spec.config().cell == 128
    assert isinstance(spec.factory(KernelSpaceConfig(width=2, code_channels=2)), KernelExtractor)


def test_light_modules_leave_torch_out():
    """Listing the plugin imports neither torch nor numpy."""
    code = (
        "import sys, b2b_plugin_kernel_space as p; p.b2b_kernel_extractors();"
        "sys.exit(bool({'torch', 'numpy', 'kornia'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def conv3(x, weight, mode):
    """Restate a 3x3 convolution on `(B, C, H, W)` in numpy, borders padded by `mode`."""
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), mode=mode)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    return np.einsum("bchwij,ocij->bohw", windows, weight)


def test_residual_block_against_numpy():
    """A block is x + conv(relu(conv(x))); it starts with small weights and no bias."""
    block = ResBlock(8).double()
    x = torch.randn(2, 8, 4, 5, dtype=torch.float64)
    first, second = (c.weight.detach().numpy() for c in (block.conv1, block.conv2))
    hidden = np.maximum(conv3(x.numpy(), first, "constant"), 0)
    expected = x.numpy() + conv3(hidden, second, "constant")
    np.testing.assert_allclose(block(x).detach().numpy(), expected, atol=1e-12)
    assert abs(first.std() - 0.1 * (2 / (8 * 9)) ** 0.5) < 0.003


def test_code_block_against_numpy():
    """A code block mirrors its borders and has no bias."""
    block = CodeBlock(3).double()
    x = torch.randn(1, 3, 2, 4, dtype=torch.float64)
    first, second = (block.conv_block[i].weight.detach().numpy() for i in (1, 5))
    expected = x.numpy() + conv3(
        np.maximum(conv3(x.numpy(), first, "reflect"), 0), second, "reflect"
    )
    np.testing.assert_allclose(block(x).detach().numpy(), expected, atol=1e-12)


def test_code_extractor_against_restatement():
    """7x7 on mirrored borders, then halvings with ReLU, then the code blocks."""
    network = CodeExtractor(width=3, channels=5, downsamplings=2, blocks=1).double()
    s = network.state_dict()
    features = torch.randn(1, 6, 8, 12, dtype=torch.float64)
    x = F.conv2d(F.pad(features, (3, 3, 3, 3), mode="reflect"), s["model.1.weight"]).relu()
    for index in (4, 7):
        x = F.conv2d(x, s[f"model.{index}.weight"], stride=2, padding=1).relu()
    torch.testing.assert_close(network(features), network.model[10](x))
    assert network(features).shape == (1, 5, 2, 3)


def test_adapter_against_restatement_with_operations_in_place():
    """The skip carries the activated features, as in-place activations make it; then Tanh."""
    network = Adapter(width=3, code_channels=5, depth=3).double()
    s = network.state_dict()

    def down(x, name, index=1):
        return F.conv2d(x, s[f"{name}.down.{index}.weight"], stride=2, padding=1)

    def up(x, name, bias=None):
        weight = s[f"{name}.up.1.weight"]
        return F.conv_transpose2d(x.relu(), weight, bias, stride=2, padding=1)

    top, one, two = ("model" + ".submodule" * level for level in range(3))
    features = torch.randn(1, 3, 8, 16, dtype=torch.float64)
    code = torch.randn(1, 5, 1, 2, dtype=torch.float64)
    x1 = down(features, top, 0)
    x2 = down(F.leaky_relu_(x1, 0.2), one)
    x3 = down(F.leaky_relu_(x2, 0.2), two)
    y2 = torch.cat([up(torch.cat([code, x3], 1), two), x2], 1)
    y1 = torch.cat([up(y2, one), x1], 1)
    expected = up(y1, top, s["model.up.1.bias"]).tanh()
    torch.testing.assert_close(network(features, code), expected)


def test_reblurring_is_a_residual_of_the_trunk_on_adapted_features():
    """At a size that fits, nothing is padded: picture plus trunk(adapter(features, code))."""
    network = small()
    sharp, code = torch.rand(1, 3, 32, 48), torch.randn(1, 6, 2, 3)
    features = network.feature_extractor(sharp)
    expected = sharp + network.recon_trunk(network.adapter(features, code))
    assert torch.equal(network.reblur(sharp, code), expected)


def test_extract_reads_sharp_before_blurry():
    """At a size that fits, the code is that of the sharp features followed by the blurry ones."""
    network = small()
    sharp, blurry = torch.rand(2, 1, 3, 32, 48)
    both = torch.cat([network.feature_extractor(x) for x in (sharp, blurry)], 1)
    code = network.extract(sharp, blurry)
    assert torch.equal(code.mean, network.kernel_extractor(both))
    assert code.mean.shape == (1, 6, 2, 3)
    assert code.sigma is None


def test_fresh_network_leaves_pictures_as_they_are():
    """The last convolution starts at zero; the code does not."""
    network = fresh()
    sharp, blurry = torch.rand(2, 1, 3, 20, 20)
    assert torch.equal(network(sharp, blurry), sharp)
    assert network.extract(sharp, blurry).mean.abs().max() > 1e-3


SIZES = [(1, 1), (1, 40), (7, 33), (16, 16), (35, 50)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("code_from", SIZES)
def test_any_code_applies_to_any_size(size, code_from):
    """A code from a pair of any size can be applied to a picture of any size."""
    network = small()
    code = network.extract(torch.rand(1, 3, *code_from), torch.rand(1, 3, *code_from)).sample()
    assert code.shape == (1, 6, *(max(2, -(-side // 16)) for side in code_from))
    blurry = network.reblur(torch.rand(2, 3, *size), code)
    assert blurry.shape == (2, 3, *size)
    assert blurry.isfinite().all()


@pytest.mark.parametrize("vae", [False, True])
def test_batch_of_two_is_two_of_one(vae):
    """Neither extraction nor application lets pictures see their neighbours."""
    network = small(vae).double()
    sharp, blurry = torch.rand(2, 2, 3, 20, 36, dtype=torch.float64)
    together = network.extract(sharp, blurry)
    alone = [network.extract(s[None], b[None]) for s, b in zip(sharp, blurry, strict=True)]
    torch.testing.assert_close(together.mean, torch.cat([code.mean for code in alone]))
    reblurred = [network.reblur(s[None], c.mean) for s, c in zip(sharp, alone, strict=True)]
    torch.testing.assert_close(network.reblur(sharp, together.mean), torch.cat(reblurred))


def test_distribution_has_deviations_and_repeats_with_its_generator():
    """The VAE's code has a non-negative deviation, and the generator decides what is drawn."""
    network = small(vae=True)
    sharp, blurry = torch.rand(2, 1, 3, 32, 32)
    code = network.extract(sharp, blurry)
    assert code.mean.shape == code.sigma.shape == (1, 6, 2, 2)
    assert (code.sigma >= 0).all()
    first, second = (code.sample(torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(first, second)
    assert not torch.equal(first, code.mean)


@pytest.mark.parametrize("size", SIZES)
def test_prior_fits_any_size(size):
    """Codes drawn for a picture of any size have one pixel per 16x16 of it and blur it."""
    network = small(vae=True)
    code = network.prior(size, 2, generator=torch.Generator().manual_seed(1))
    assert code.shape == (2, 6, -(-size[0] // 16), -(-size[1] // 16))
    one, other = network.reblur(torch.rand(1, 3, *size).expand(2, -1, -1, -1), code)
    assert one.shape == (3, *size)
    assert not torch.equal(one, other)


def test_prior_of_the_published_script():
    """At 256x256 codes are 512x2x2 as published, normal, and repeat with their generator."""
    config = KernelSpaceConfig(width=1, front_blocks=0, back_blocks=0, code_blocks=0, vae=True)
    network = KernelSpace(config)
    first, again = (
        network.prior((256, 256), 8, deviation=1.2, generator=torch.Generator().manual_seed(1))
        for _ in range(2)
    )
    assert first.shape == (8, 512, 2, 2)
    assert torch.equal(first, again)
    expected = 1.2 * torch.randn(8, 512, 2, 2, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(first, expected)


def test_without_distribution_there_is_no_prior():
    """Codes that are no distribution can't be sampled; the error says what can."""
    with pytest.raises(UsageError, match="vae = true"):
        small().prior((32, 32))


@pytest.mark.parametrize("vae", [False, True])
def test_gradients_against_finite_differences(vae):
    """The gradient of extraction and application together agrees with finite differences."""
    network = small(vae).double()
    sharp, blurry = torch.rand(2, 1, 3, 9, 17, dtype=torch.float64).requires_grad_()

    def reblurred(sharp, blurry):
        return network(sharp, blurry, torch.Generator().manual_seed(0))

    assert torch.autograd.gradcheck(reblurred, (sharp, blurry), fast_mode=True)


def test_code_gradient_against_finite_differences():
    """The gradient with respect to a code of another size agrees with finite differences."""
    network = small().double()
    sharp = torch.rand(1, 3, 16, 32, dtype=torch.float64)
    code = torch.randn(1, 6, 3, 1, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda c: network.reblur(sharp, c), (code,), fast_mode=True)


def test_training_on_its_own_pair_lowers_the_error():
    """Thirty steps on one pair bring the re-blurred picture nearer to the blurry one."""
    network = fresh()
    sharp = torch.rand(1, 3, 32, 32)
    blurry = F.avg_pool2d(F.pad(sharp, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    errors = []
    for _ in range(30):
        error = (network(sharp, blurry) - blurry).abs().sum()
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
        errors.append(error.item())
    assert errors[-1] < 0.95 * errors[0]
    assert all(p.grad is not None for p in network.parameters())


def test_unequal_pair_is_refused():
    """A pair of two sizes is a wrong use, and the error names both."""
    with pytest.raises(UsageError, match=r"16, 16.*16, 32"):
        small().extract(torch.rand(1, 3, 16, 16), torch.rand(1, 3, 16, 32))


def test_foreign_code_is_refused():
    """A code of another extractor's width is a wrong use."""
    with pytest.raises(UsageError, match="5 channels, this extractor takes 6"):
        small().reblur(torch.rand(1, 3, 16, 16), torch.randn(1, 5, 1, 1))


@pytest.mark.parametrize("wrong", [{"width": 0}, {"code_channels": 0}, {"downsamplings": 1}])
def test_impossible_options_are_refused(wrong):
    """A config without layers can't be made."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        KernelSpaceConfig(**wrong)

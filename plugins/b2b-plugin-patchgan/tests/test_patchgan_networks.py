"""The discriminators: layout, restatements, what they see, and as a plugin."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pluggy
import pytest
import scipy.ndimage
import torch
from torch.nn import functional as F

import b2b_plugin_patchgan
from b2b_core import hookspecs
from b2b_core.errors import UsageError
from b2b_plugin_patchgan.config import (
    EdgePatchGanConfig,
    LaplacianPatchGanConfig,
    PatchGanConfig,
)
from b2b_plugin_patchgan.edges import EdgePatchGan
from b2b_plugin_patchgan.laplacian import LaplacianPatchGan, laplacian
from b2b_plugin_patchgan.patchgan import PatchGan

ALL = [
    lambda: PatchGan(PatchGanConfig(width=4)),
    lambda: LaplacianPatchGan(LaplacianPatchGanConfig(width=4)),
    lambda: EdgePatchGan(EdgePatchGanConfig(width=4)),
]


@pytest.fixture(autouse=True)
def seeded():
    """Draw the same numbers in every test."""
    torch.manual_seed(0)


def test_plugin_offers_three_discriminators():
    """The hook returns all specs, and every factory builds from the default config."""
    manager = pluggy.PluginManager("b2b")
    manager.add_hookspecs(hookspecs)
    manager.register(b2b_plugin_patchgan)
    manager.check_pending()
    specs = manager.hook.b2b_discriminators()[0]
    assert [spec.name for spec in specs] == ["patchgan", "laplacian-patchgan", "edge-patchgan"]
    for spec in specs:
        pyramid = [torch.rand(2, 3, side, side) for side in (24, 48, 96)]
        assert len(spec.factory(spec.config())(pyramid)) == len(spec.scales) == 3


def test_light_modules_leave_torch_out():
    """Listing the plugin imports neither torch nor numpy."""
    code = (
        "import sys, b2b_plugin_patchgan as p; p.b2b_discriminators();"
        "sys.exit(bool({'torch', 'numpy', 'kornia'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_layout_equals_the_published_weights():
    """Names, shapes and the number of parameters are the published ones."""
    shapes = {k: tuple(v.shape) for k, v in PatchGan(PatchGanConfig()).state_dict().items()}
    expected = {}
    for index, shape in {
        0: (64, 3, 4, 4),
        2: (128, 64, 4, 4),
        5: (256, 128, 4, 4),
        8: (512, 256, 4, 4),
        11: (1, 512, 4, 4),
    }.items():
        expected |= {f"model.{index}.weight": shape, f"model.{index}.bias": shape[:1]}
    assert shapes == expected
    assert sum(np.prod(shape) for shape in shapes.values()) == 2_764_737


@pytest.mark.parametrize(("side", "logits"), [(64, 6), (128, 14), (256, 30)])
def test_published_sizes_of_the_maps(side, logits):
    """64, 128 and 256 pixels give 6, 14 and 30 logits a side."""
    network = PatchGan(PatchGanConfig(width=2))
    assert network([torch.rand(1, 3, side, side)])[0].shape == (1, 1, logits, logits)


@pytest.mark.parametrize("norm", ["none", "instance", "group"])
def test_patchgan_against_restatement(norm):
    """The five layers wired by hand from the state dict in float64."""
    network = PatchGan(PatchGanConfig(width=8, norm=norm)).double()
    s = network.state_dict()

    def conv(x, index, stride):
        return F.conv2d(x, s[f"model.{index}.weight"], s[f"model.{index}.bias"], stride, 1)

    def normed(x, index):
        if norm == "none":
            return x
        groups = x.shape[1] if norm == "instance" else 8
        shape = x.shape
        x = x.reshape(shape[0], groups, -1)
        x = (x - x.mean(-1, keepdim=True)) / (x.var(-1, unbiased=False, keepdim=True) + 1e-5).sqrt()
        x = x.reshape(shape)
        if norm == "group":
            scale, shift = s[f"model.{index}.weight"], s[f"model.{index}.bias"]
            x = x * scale.view(1, -1, 1, 1) + shift.view(1, -1, 1, 1)
        return x

    def leaky(x):
        return torch.where(x > 0, x, 0.2 * x)

    image = torch.rand(2, 3, 32, 40, dtype=torch.float64)
    x = leaky(conv(image, 0, 2))
    for index, stride in ((2, 2), (5, 2), (8, 1)):
        x = leaky(normed(conv(x, index, stride), index + 1))
    torch.testing.assert_close(network([image])[0], conv(x, 11, 1))


def test_a_logit_sees_70_pixels():
    """The gradient of one logit covers 70x70 pixels, hence the name."""
    network = PatchGan(PatchGanConfig(width=2, norm="none"))
    image = torch.rand(1, 3, 128, 128, requires_grad=True)
    network([image])[0][0, 0, 7, 7].backward()
    seen = image.grad[0].abs().sum(0) > 0
    assert (int(seen.any(0).sum()), int(seen.any(1).sum())) == (70, 70)


def test_spectral_norm_bounds_every_convolution():
    """With `spectral` the largest singular value of each convolution comes close to 1."""
    network = PatchGan(PatchGanConfig(width=4, spectral=True))
    for _ in range(30):
        network([torch.rand(1, 3, 24, 24)])
    for layer in network.model:
        if isinstance(layer, torch.nn.Conv2d):
            assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2) < 1.05


@pytest.mark.parametrize("norm", ["none", "instance", "group"])
def test_spectral_norm_goes_with_every_norm(norm):
    """It renames the weights, adds two vectors to each, and allows a penalty on D's slope."""
    network = PatchGan(PatchGanConfig(width=4, norm=norm, spectral=True))
    plain = PatchGan(PatchGanConfig(width=4, norm=norm)).state_dict()
    expected = {f"model.{i}.parametrizations.weight.original" for i in (0, 2, 5, 8, 11)}
    expected |= {
        f"model.{i}.parametrizations.weight.0._{v}" for i in (0, 2, 5, 8, 11) for v in "uv"
    }
    expected |= plain.keys() - {f"model.{i}.weight" for i in (0, 2, 5, 8, 11)}
    assert network.state_dict().keys() == expected
    pyramid = [torch.rand(2, 3, side, side, requires_grad=True) for side in (24, 48)]
    logits = sum(level.sum() for level in network(pyramid))
    slopes = torch.autograd.grad(logits, pyramid, create_graph=True)
    sum(slope.square().sum() for slope in slopes).backward()
    assert all(slope.abs().sum() > 0 for slope in slopes)
    weights = [p for name, p in network.named_parameters() if name.endswith("original")]
    assert all(p.grad.isfinite().all() and p.grad.abs().sum() > 0 for p in weights)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (6, 7)])
def test_laplacian_against_scipy(shape):
    """The Laplacian equals scipy's with repeated borders, at any size."""
    image = torch.rand(2, 3, *shape, dtype=torch.float64)
    expected = [[scipy.ndimage.laplace(c, mode="nearest") for c in x.numpy()] for x in image]
    np.testing.assert_allclose(laplacian(image).numpy(), np.array(expected), atol=1e-12)


def test_laplacian_is_exact_under_autocast():
    """Differences of one 8-bit step survive bfloat16 autocast."""
    image = torch.full((1, 3, 5, 5), 0.75)
    image[..., 2, 2] += 1 / 255
    with torch.autocast("cpu", torch.bfloat16):
        found = laplacian(image)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found[0, 0, 2, 2], torch.tensor(-4 / 255), atol=1e-6, rtol=0)


def test_laplacian_patchgan_shows_picture_and_laplacian():
    """The first layer gets the picture and 4 times its Laplacian, at full resolution."""
    network = LaplacianPatchGan(LaplacianPatchGanConfig(width=2))
    seen = []
    network.model[0].register_forward_hook(lambda _, given, made: seen.extend([given[0], made]))
    image = torch.rand(1, 3, 20, 20)
    network([image])
    torch.testing.assert_close(seen[0], torch.cat([image, 4 * laplacian(image)], 1))
    assert seen[1].shape[-2:] == (19, 19)


def test_input_noise_is_for_training_and_from_the_generator():
    """Noise has the asked deviation, repeats with its generator, and is off in evaluation."""
    network = LaplacianPatchGan(LaplacianPatchGanConfig(width=2, input_noise=0.1))
    seen = []
    network.model[0].register_forward_pre_hook(lambda _, given: seen.append(given[0][:, :3]))
    image = torch.full((4, 3, 32, 32), 0.5)
    for _ in range(2):
        network.noise_generator = torch.Generator().manual_seed(3)
        network([image])
    assert torch.equal(seen[0], seen[1])
    assert abs(float((seen[0] - image).std()) - 0.1) < 0.005
    network.eval()
    network([image])
    assert torch.equal(seen[2], image)


@pytest.mark.parametrize("build", ALL)
def test_batch_of_two_is_two_of_one(build):
    """No picture sees its neighbour in the batch."""
    network = build().double()
    images = torch.rand(2, 3, 32, 24, dtype=torch.float64)
    alone = [network([x[None]])[0] for x in images]
    torch.testing.assert_close(network([images])[0], torch.cat(alone))


@pytest.mark.parametrize("build", ALL)
def test_one_network_sees_every_level(build):
    """A level is judged as if it were alone, by the same weights whatever its place."""
    network = build()
    levels = [torch.rand(2, 3, side, side) for side in (24, 48, 32)]
    alone = [network([level])[0] for level in levels]
    for order in ((0, 1, 2), (2, 0, 1)):
        judged = network([levels[i] for i in order])
        torch.testing.assert_close(judged, [alone[i] for i in order])


@pytest.mark.parametrize("build", ALL)
def test_gradient_penalty_works_on_batches(build):
    """A double backward through a batch of two works: the published code fails here."""
    network = build()
    images = torch.rand(2, 3, 32, 32, requires_grad=True)
    (slope,) = torch.autograd.grad(network([images])[0].sum(), images, create_graph=True)
    slope.square().sum().backward()
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


@pytest.mark.parametrize("build", ALL)
def test_gradients_against_finite_differences(build):
    """The gradient with respect to the picture agrees with finite differences."""
    image = torch.rand(1, 3, 24, 24, dtype=torch.float64, requires_grad=True)
    network = build().double()
    assert torch.autograd.gradcheck(lambda x: network([x])[0], (image,), fast_mode=True)


@pytest.mark.parametrize("build", ALL)
def test_a_tensor_is_not_a_pyramid(build):
    """A bare tensor is refused: its batch would pass for levels."""
    with pytest.raises(TypeError, match="sequence of levels"):
        build()(torch.rand(3, 3, 32, 32))


@pytest.mark.parametrize(("build", "minimum"), [(ALL[0], 24), (ALL[1], 13)])
def test_smallest_level(build, minimum):
    """The smallest level gives one logit; one pixel less is refused with the remedy."""
    network = build()
    assert network([torch.rand(2, 3, minimum, minimum)])[0].shape == (2, 1, 1, 1)
    with pytest.raises(UsageError, match=f"needs {minimum}x{minimum}"):
        network([torch.rand(2, 3, minimum, minimum - 1)])


def test_laplacian_patchgan_tells_two_blurs_apart():
    """In 40 steps it separates noise pictures from the same blurred by 2x2 means."""
    network = LaplacianPatchGan(LaplacianPatchGanConfig(width=8))
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    for _ in range(40):
        sharp = torch.rand(4, 3, 24, 24)
        blurry = F.avg_pool2d(F.pad(sharp, (0, 1, 0, 1), mode="replicate"), 2, stride=1)
        blurry = 0.5 + (blurry - 0.5) * 2  # the same contrast, so that only the blur differs
        (yes,), (no,) = network([sharp]), network([blurry])
        loss = F.softplus(-yes).mean() + F.softplus(no).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < 0.5


@pytest.mark.parametrize(
    ("config", "wrong"),
    [
        (PatchGanConfig, {"width": 0}),
        (PatchGanConfig, {"norm": "batch"}),
        (LaplacianPatchGanConfig, {"input_noise": -1.0}),
    ],
)
def test_impossible_options_are_refused(config, wrong):
    """A config that no network can follow can't be made."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        config(**wrong)


def test_the_discriminator_of_edges_against_restatement():
    """Its four layers wired by hand on scipy's Laplacian, in float64."""
    network = EdgePatchGan(EdgePatchGanConfig(width=3, gain=2.5)).double()
    image = torch.rand(2, 3, 16, 20, dtype=torch.float64)
    kernel = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]], float)[None, None]
    x = torch.from_numpy(scipy.ndimage.convolve(image.numpy(), kernel, mode="nearest")) * 2.5
    s = network.state_dict()
    for index, stride, padding in ((0, 1, 2), (2, 2, 1), (4, 1, 1), (6, 1, 0)):
        x = F.conv2d(x, s[f"model.{index}.weight"], s[f"model.{index}.bias"], stride, padding)
        x = x if index == 6 else torch.where(x > 0, x, 0.2 * x)
    torch.testing.assert_close(network([image])[0], x)


def test_a_logit_of_edges_sees_11_pixels_of_the_laplacian():
    """That is 13 pixels of the picture, less the corners; colours and light leave it alone."""
    network = EdgePatchGan(EdgePatchGanConfig(width=2))
    image = torch.rand(1, 3, 64, 64, requires_grad=True)
    logits = network([image])[0]
    logits[0, 0, 16, 16].backward()
    seen = image.grad[0].abs().sum(0) > 0
    assert (int(seen.any(0).sum()), int(seen.any(1).sum())) == (13, 13)
    tinted = image.detach() + torch.tensor([0.1, -0.1, 0.2]).view(1, 3, 1, 1)
    torch.testing.assert_close(network([tinted])[0], logits, atol=1e-5, rtol=1e-4)

"""The extractors without weights: filter bank and pixel pyramid, and the plugin itself."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pluggy
import pytest
import scipy.ndimage
import torch
from skimage.measure import block_reduce

import b2b_plugin_perceptual
from b2b_core import hookspecs
from b2b_plugin_perceptual.config import FilterBankConfig, PixelPyramidConfig
from b2b_plugin_perceptual.filters import FilterBank, filter_bank
from b2b_plugin_perceptual.pyramid import PixelPyramid, area_pyramid

BOTH = [lambda: FilterBank(FilterBankConfig()), lambda: PixelPyramid(PixelPyramidConfig())]


@pytest.fixture(autouse=True)
def seeded():
    """Draw the same numbers in every test."""
    torch.manual_seed(0)


def test_plugin_offers_four_extractors():
    """Every spec's factory builds from its default config and returns maps with gradients."""
    manager = pluggy.PluginManager("b2b")
    manager.add_hookspecs(hookspecs)
    manager.register(b2b_plugin_perceptual)
    manager.check_pending()
    specs = manager.hook.b2b_feature_extractors()[0]
    assert [spec.name for spec in specs] == ["vgg19", "vgg16", "filter-bank", "pixel-pyramid"]
    for spec in specs:
        assert spec.normalisation == getattr(spec.config(), "normalisation", "none")
        image = torch.rand(1, 3, 16, 16, requires_grad=True)
        maps = spec.factory(spec.config())(image)
        assert all(m.dim() == 4 and m.requires_grad for m in maps)


def test_light_modules_leave_torch_out():
    """Listing the plugin imports neither torch nor numpy."""
    code = (
        "import sys, b2b_plugin_perceptual as p; p.b2b_feature_extractors();"
        "sys.exit(bool({'torch', 'numpy', 'kornia', 'safetensors'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("sigma", [0.5, 1.0, 1.7])
@pytest.mark.parametrize("orientations", [1, 4])
def test_filters_are_balanced(sigma, orientations):
    """All but the Gaussian sum to zero, all have unit magnitude, the Gaussian sums to one."""
    bank = filter_bank(sigma, orientations)
    assert len(bank) == 2 + 2 * orientations
    sums = bank.sum((1, 2))
    torch.testing.assert_close(sums, torch.eye(len(bank), dtype=torch.float64)[0])
    torch.testing.assert_close(bank.abs().sum((1, 2)), torch.ones(len(bank), dtype=torch.float64))


def test_filters_against_scipy():
    """Gaussian, Laplacian and first derivatives are scipy's, up to sign-free scale."""
    impulse = np.zeros((31, 31))
    impulse[15, 15] = 1
    wanted = [
        scipy.ndimage.gaussian_filter(impulse, 2.0),
        scipy.ndimage.gaussian_laplace(impulse, 2.0),
        scipy.ndimage.gaussian_filter(impulse, 2.0, order=(0, 1)),
        scipy.ndimage.gaussian_filter(impulse, 2.0, order=(1, 0)),
    ]
    bank = filter_bank(2.0, 2).numpy()[:4]
    for got, reference in zip(bank, wanted, strict=True):
        reference = reference[9:22, 9:22]
        cosine = (got * reference).sum() / np.linalg.norm(got) / np.linalg.norm(reference)
        assert cosine > 0.995


def test_maps_against_scipy():
    """Each map is scipy's correlation with the filter, borders repeated, colour by colour."""
    config = FilterBankConfig(scales=2, sigma=1.0, orientations=3)
    image = torch.rand(1, 3, 9, 12, dtype=torch.float64)
    bank = filter_bank(1.0, 3).numpy()
    coarse = block_reduce(
        np.pad(image.numpy()[0], ((0, 0), (0, 1), (0, 0)), "edge"), (1, 2, 2), np.mean
    )
    for got, level in zip(FilterBank(config)(image), (image.numpy()[0], coarse), strict=True):
        wanted = [scipy.ndimage.correlate(c, f, mode="nearest") for c in level for f in bank]
        np.testing.assert_allclose(got[0].numpy(), wanted, atol=1e-6)


def test_uniform_picture_shows_its_colour_only():
    """On one colour the Gaussian answers with the colour and all other filters with zero."""
    colour = torch.tensor([0.2, 0.5, 0.9]).view(1, 3, 1, 1)
    for level in FilterBank(FilterBankConfig())(colour.expand(1, 3, 16, 16)):
        answers = level.view(1, 3, 10, *level.shape[-2:])
        torch.testing.assert_close(answers[:, :, 0], colour.expand_as(answers[:, :, 0]))
        assert answers[:, :, 1:].abs().max() < 1e-6


def test_oriented_filters_answer_to_their_direction():
    """Stripes along y excite the filters across them, not those along them."""
    stripes = torch.cos(torch.arange(32) * np.pi / 2).expand(1, 3, 32, 32)
    (level,) = FilterBank(FilterBankConfig(scales=1, orientations=2))(stripes)
    strength = level[0, :10, 8:-8, 8:-8].abs().amax((1, 2))[:6]
    across, along = strength[[2, 4]], strength[[3, 5]]
    assert (across > 0.1).all()
    assert (along < 1e-3).all()


def test_filters_stay_exact_under_autocast():
    """Under bfloat16 autocast the maps are those of float32."""
    network, image = FilterBank(FilterBankConfig()), torch.rand(1, 3, 12, 12)
    exact = network(image)
    with torch.autocast("cpu", torch.bfloat16):
        assert all(torch.equal(a, b) for a, b in zip(network(image), exact, strict=True))


def test_pyramid_against_skimage():
    """On a size that divides, levels are skimage's block means."""
    image = torch.rand(2, 3, 8, 12)
    for level, block in zip(area_pyramid(image, 3), (1, 2, 4), strict=True):
        wanted = block_reduce(image.numpy(), (1, 1, block, block), np.mean)
        np.testing.assert_allclose(level.numpy(), wanted, atol=1e-6)


def test_pyramid_of_an_odd_size_by_hand():
    """An odd last row or column is averaged without the pixels that are not there."""
    image = torch.tensor([[1.0, 3.0, 5.0], [5.0, 7.0, 1.0], [2.0, 4.0, 9.0]]).view(1, 1, 3, 3)
    assert area_pyramid(image, 2)[1].flatten().tolist() == [4.0, 3.0, 3.0, 9.0]


@pytest.mark.parametrize("build", BOTH)
@pytest.mark.parametrize("size", [(1, 1), (2, 5), (7, 3)])
def test_any_size(build, size):
    """Sizes from one pixel give three levels, each half the one before, rounded up."""
    shapes = [tuple(m.shape[-2:]) for m in build()(torch.rand(1, 3, *size))]
    assert shapes == [tuple(-(-side // scale) for side in size) for scale in (1, 2, 4)]


@pytest.mark.parametrize("build", BOTH)
def test_batch_of_two_is_two_of_one(build):
    """No picture sees its neighbour in the batch."""
    images = torch.rand(2, 3, 9, 6, dtype=torch.float64)
    alone = [build()(x[None]) for x in images]
    for together, *singles in zip(build()(images), *alone, strict=True):
        torch.testing.assert_close(together, torch.cat(singles))


@pytest.mark.parametrize("build", BOTH)
def test_gradients_against_finite_differences(build):
    """The gradient with respect to the picture agrees with finite differences."""
    image = torch.rand(1, 3, 3, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: tuple(build()(x)), (image,))


@pytest.mark.parametrize("build", BOTH)
def test_nothing_to_train_or_to_store(build):
    """No parameters, nothing in the state dict, always in evaluation mode."""
    network = build().train()
    assert not list(network.parameters())
    assert not network.state_dict()
    assert not network.training


@pytest.mark.parametrize(
    ("config", "wrong"),
    [
        (FilterBankConfig, {"scales": 0}),
        (FilterBankConfig, {"sigma": 0.0}),
        (FilterBankConfig, {"orientations": 0}),
        (PixelPyramidConfig, {"scales": 0}),
    ],
)
def test_impossible_options_are_refused(config, wrong):
    """A config without scales or filters can't be made."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        config(**wrong)

"""Padding, codes of another size, and the training loss of the kernel extractor."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from b2b_core.contracts import BlurCode
from b2b_plugin_kernel_space.sizes import pad_by_reflection, resample_code
from b2b_plugin_kernel_space.training_loss import charbonnier, divergence, published_loss


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (2, 3), (5, 16), (17, 33)])
@pytest.mark.parametrize("minimum", [8, 40])
def test_padding_mirrors_as_numpy_does(size, minimum):
    """Right and below, mirrored repeatedly without repeating the border."""
    image = torch.rand(2, 3, *size)
    padded = pad_by_reflection(image, 8, minimum)
    missing = [(0, have - side) for side, have in zip(size, padded.shape[-2:], strict=True)]
    expected = image.numpy()
    for axis, (side, pad) in enumerate(zip(size, missing, strict=True), start=2):
        around = [(0, 0)] * 4
        around[axis] = pad
        expected = np.pad(expected, around, mode="edge" if side == 1 else "reflect")
    np.testing.assert_array_equal(padded.numpy(), expected)
    assert all(side % 8 == 0 and side >= minimum for side in padded.shape[-2:])


def test_padding_leaves_a_fitting_size_alone():
    """No copy is made where nothing is missing."""
    image = torch.rand(1, 3, 16, 24)
    assert pad_by_reflection(image, 8, 16) is image


@pytest.mark.parametrize("target", [(1, 1), (2, 2), (5, 1), (3, 8)])
def test_uniform_code_stays_uniform(target):
    """A blur that is the same everywhere is the same at any size."""
    code = torch.randn(1, 4, 1, 1).expand(1, 4, 2, 3)
    got = resample_code(code, *target)
    torch.testing.assert_close(got, code[..., :1, :1].expand(1, 4, *target))


def test_shrinking_averages_areas():
    """A code map of twice the size is averaged over 2x2."""
    code = torch.randn(1, 2, 4, 6)
    expected = code.reshape(1, 2, 2, 2, 3, 2).mean((3, 5))
    torch.testing.assert_close(resample_code(code, 2, 3), expected)


def test_growing_interpolates_between_centres():
    """From 2 to 4 pixels the inner ones are 3:1 mixtures and the outer ones the originals."""
    got = resample_code(torch.tensor([0.0, 4.0]).view(1, 1, 1, 2), 1, 4)
    assert got.flatten().tolist() == [0.0, 1.0, 3.0, 4.0]


def test_code_of_the_right_size_is_untouched():
    """Nothing is computed where the sizes agree."""
    code = torch.randn(1, 2, 3, 3)
    assert resample_code(code, 3, 3) is code


def test_charbonnier_by_hand():
    """The sum, not the mean, of sqrt(d^2 + 1e-6)."""
    predicted, target = torch.tensor([[1.0, 3.0]]).double(), torch.tensor([[1.0, 1.0]]).double()
    expected = math.sqrt(1e-6) + math.sqrt(4 + 1e-6)
    assert charbonnier(predicted, target).item() == pytest.approx(expected, abs=1e-12)


def test_divergence_is_twice_torchs_kl():
    """The published sum is twice the KL divergence from a standard normal distribution."""
    torch.manual_seed(0)
    mean, sigma = torch.randn(2, 3, 2, 2).double(), 0.2 + torch.rand(2, 3, 2, 2).double()
    expected = 2 * kl_divergence(Normal(mean, sigma), Normal(0.0, 1.0)).sum()
    torch.testing.assert_close(divergence(BlurCode(mean, sigma)), expected, atol=1e-5, rtol=0)


def test_divergence_of_a_plain_code_is_zero():
    """Without a distribution only the Charbonnier sum remains."""
    code = BlurCode(torch.randn(1, 3, 2, 2))
    predicted, target = torch.rand(2, 1, 3, 4, 4)
    assert published_loss(predicted, target, code) == charbonnier(predicted, target)


def test_published_loss_weighs_the_divergence_tenfold():
    """The Charbonnier sum plus 10 times the divergence."""
    predicted, target = torch.rand(2, 1, 3, 4, 4)
    code = BlurCode(torch.ones(1, 1, 1, 1), torch.ones(1, 1, 1, 1))
    got = published_loss(predicted, target, code) - charbonnier(predicted, target)
    torch.testing.assert_close(got, torch.tensor(10.0), atol=1e-4, rtol=0)

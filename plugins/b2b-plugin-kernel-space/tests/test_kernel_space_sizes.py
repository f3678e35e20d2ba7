"""Padding, and codes of another size."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from b2b_plugin_kernel_space.sizes import pad_by_reflection, resample_code


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

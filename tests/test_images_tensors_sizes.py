"""Tests of pixels as tensors, and of padding to a size rule."""

import numpy as np
import pytest
import torch

from b2b_core.images.sizes import crop_to, pad_to
from b2b_core.images.tensors import to_pixels, to_tensor
from b2b_core.specs import SizeRule


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_level_comes_back(dtype) -> None:
    """Pixels to tensor and back is the identity at every level of both depths."""
    levels = np.arange(np.iinfo(dtype).max + 1, dtype=dtype)
    pixels = np.stack([levels, levels[::-1], levels], 1)[None]
    tensor = to_tensor(pixels)
    assert tensor.shape == (3, 1, len(levels))
    assert tensor.dtype == torch.float32
    assert (float(tensor.min()), float(tensor.max())) == (0.0, 1.0)
    assert np.array_equal(to_pixels(tensor, dtype), pixels)


def test_rounded_and_clamped() -> None:
    """Values are clamped to [0, 1] and rounded, not truncated."""
    image = torch.tensor([-0.5, 1.5, 0.6 / 255, 1.4 / 255]).reshape(1, 1, 4).repeat(3, 1, 1)
    assert to_pixels(image)[0, :, 0].tolist() == [0, 255, 1, 1]


def test_unknown_type() -> None:
    """The range of a float array is never guessed."""
    with pytest.raises(ValueError, match="uint8 or uint16"):
        to_tensor(np.zeros((2, 2, 3), np.float32))
    with pytest.raises(ValueError, match="uint8 or uint16"):
        to_pixels(torch.zeros(3, 2, 2), np.int32)


@pytest.mark.parametrize("height", [1, 2, 3, 7, 16, 17])
@pytest.mark.parametrize("width", [1, 5, 16, 31])
@pytest.mark.parametrize("rule", [SizeRule(), SizeRule(16), SizeRule(8, minimum=32)])
def test_padding_is_numpy_reflect(height: int, width: int, rule: SizeRule) -> None:
    """Any size from 1x1 is padded right and below as numpy's "reflect" does, and cropped back."""
    image = torch.rand(2, 3, height, width)
    padded, size = pad_to(image, rule)
    right, below = rule.fit(width) - width, rule.fit(height) - height
    expected = np.pad(image.numpy(), ((0, 0), (0, 0), (0, below), (0, right)), mode="reflect")
    assert np.array_equal(padded.numpy(), expected)
    assert size == (height, width)
    assert torch.equal(crop_to(padded, size), image)


def test_padding_takes_single_images() -> None:
    """A picture without batch dimension is padded as well."""
    assert pad_to(torch.rand(3, 5, 5), SizeRule(8))[0].shape == (3, 8, 8)

"""Tests of the metrics against scikit-image, scipy and hand-computed numbers."""

import math

import numpy as np
import pytest
import torch
from scipy import ndimage
from skimage.measure import blur_effect as reference_blur
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from b2b_core.contracts import Metric
from b2b_core.errors import UsageError
from b2b_core.images.tensors import to_tensor
from b2b_core.metrics.blur import blur_effect
from b2b_core.metrics.drift import brightness_drift, colour_drift
from b2b_core.metrics.psnr import psnr
from b2b_core.metrics.ssim import ssim, ssim3d

ALL = [psnr, ssim, ssim3d, blur_effect, colour_drift, brightness_drift]


def pictures(height=37, width=52, seed=0):
    """Make a picture with structure and a blurred, noisy copy: (H, W, 3) uint8 each."""
    rng = np.random.default_rng(seed)
    sharp = ndimage.gaussian_filter(rng.normal(0, 1, (height, width, 3)), (1, 1, 0.5))
    sharp = 128 + 50 * sharp / sharp.std()
    blurry = ndimage.gaussian_filter(sharp, (1.5, 1.5, 0)) + rng.normal(0, 3, sharp.shape)
    return tuple(np.clip(np.rint(x), 0, 255).astype(np.uint8) for x in (sharp, blurry))


def batch(*pixels):
    """Return pixels as a batch (B, 3, H, W)."""
    return torch.stack([to_tensor(picture) for picture in pixels])


@pytest.mark.parametrize("seed", range(3))
def test_psnr_is_that_of_scikit_image(seed: int) -> None:
    """PSNR equals scikit-image's on the 8-bit pictures."""
    sharp, blurry = pictures(seed=seed)
    expected = peak_signal_noise_ratio(sharp, blurry)
    assert psnr(batch(blurry), batch(sharp)).item() == pytest.approx(expected, abs=1e-9)


def test_psnr_rounds_both() -> None:
    """Both pictures are clamped and rounded to 8 bits before they are compared."""
    image = torch.full((1, 3, 2, 2), 100.4 / 255)
    reference = torch.full((1, 3, 2, 2), 101.6 / 255)
    expected = 10 * math.log10(255**2 / 2**2)
    assert psnr(image, reference).item() == pytest.approx(expected, abs=1e-9)
    assert psnr(image, image + 0.05 / 255).item() == math.inf
    assert psnr(torch.full((1, 3, 2, 2), 1.7), torch.ones(1, 3, 2, 2)).item() == math.inf


def test_psnr_of_a_batch_is_per_image() -> None:
    """Errors of 1 and 10 steps give two figures; their mean is not that of the mean error."""
    image = torch.zeros(2, 3, 4, 4)
    reference = torch.stack([torch.full((3, 4, 4), 1 / 255), torch.full((3, 4, 4), 10 / 255)])
    expected = [20 * math.log10(255), 20 * math.log10(25.5)]
    assert psnr(image, reference).tolist() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("height", "width"), [(11, 11), (12, 40), (37, 52)])
def test_ssim2d_is_that_of_scikit_image(height: int, width: int) -> None:
    """ssim2d-valid equals scikit-image's SSIM with Gaussian weights, population covariance."""
    sharp, blurry = pictures(height, width)
    expected = structural_similarity(
        sharp,
        blurry,
        channel_axis=2,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=255,
    )
    assert ssim(batch(blurry), batch(sharp)).item() == pytest.approx(expected, abs=1e-9)


def volume_ssim(x, y):
    """Return the SSIM over (H, W, C) as a volume, with scipy: 11 taps an axis, border repeated."""
    place = np.arange(-5, 6)
    taps = np.exp(-(place**2) / (2 * 1.5**2))
    taps /= taps.sum()

    def smooth(volume):
        for axis in range(3):
            volume = ndimage.correlate1d(volume, taps, axis=axis, mode="nearest")
        return volume

    x, y = x.astype(float), y.astype(float)
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    mx, my = smooth(x), smooth(y)
    vx, vy, cov = smooth(x * x) - mx**2, smooth(y * y) - my**2, smooth(x * y) - mx * my
    ssim = (2 * mx * my + c1) * (2 * cov + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))
    return ssim.mean()


@pytest.mark.parametrize(("height", "width"), [(3, 7), (37, 52)])
def test_ssim3d_is_the_volume_form(height: int, width: int) -> None:
    """ssim3d-nafnet equals the definition over (H, W, C), restated with scipy."""
    sharp, blurry = pictures(height, width)
    expected = volume_ssim(sharp, blurry)
    assert ssim3d(batch(blurry), batch(sharp)).item() == pytest.approx(expected, abs=1e-9)


def test_the_two_ssims_differ() -> None:
    """The volume form reads higher on colour pictures; the two must not be mixed."""
    sharp, blurry = (batch(picture) for picture in pictures())
    assert ssim3d(blurry, sharp).item() > ssim(blurry, sharp).item() + 0.005


@pytest.mark.parametrize("ssim", [ssim, ssim3d])
def test_ssim_of_a_batch(ssim) -> None:
    """Every picture of a batch gets its own figure; equal pictures get 1."""
    sharp, blurry = pictures()
    both = ssim(batch(blurry, sharp), batch(sharp, sharp))
    assert both[1].item() == pytest.approx(1, abs=1e-12)
    assert both[0].item() == pytest.approx(ssim(batch(blurry), batch(sharp)).item(), abs=1e-12)


def test_ssim2d_needs_a_window() -> None:
    """A picture smaller than the window is refused, not padded."""
    small = torch.zeros(1, 3, 10, 40)
    with pytest.raises(UsageError, match="not defined for pictures of 10x40"):
        ssim(small, small)


@pytest.mark.parametrize(("height", "width"), [(4, 4), (5, 30), (37, 52)])
def test_blur_effect_is_that_of_scikit_image(height: int, width: int) -> None:
    """The blur of each picture equals scikit-image's blur_effect."""
    sharp, blurry = pictures(height, width)
    measured = blur_effect(batch(sharp, blurry)).tolist()
    expected = [reference_blur(p / 255, h_size=11, channel_axis=2) for p in (sharp, blurry)]
    # to_tensor is float32, hence 1e-6
    assert measured == pytest.approx(expected, abs=1e-6)


def test_blur_effect_orders_by_blur() -> None:
    """The more a picture is blurred, the higher its figure."""
    sharp, _ = pictures(64, 64)
    blurred = [ndimage.gaussian_filter(sharp, (s, s, 0)) for s in (0.5, 1, 2, 4)]
    figures = blur_effect(batch(sharp, *blurred)).tolist()
    assert figures == sorted(figures)
    assert len(set(figures)) == 5


def test_blur_effect_of_odd_pictures() -> None:
    """A flat picture counts as blurred; one too small to have a slope is refused."""
    assert blur_effect(torch.full((1, 3, 8, 8), 0.3)).item() == pytest.approx(1)
    with pytest.raises(UsageError, match="less than 4 pixels"):
        blur_effect(torch.zeros(1, 3, 3, 9))


def test_drift_by_hand() -> None:
    """Red up by 6 steps and blue down by 3 is a drift of 3 steps, and of 0.299*6 - 0.114*3 luma."""
    reference = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 0.5 + 0.25
    change = torch.tensor([6.0, 0.0, -3.0]).view(1, 3, 1, 1) / 255
    image = reference + change * torch.tensor([1.0, 0.0]).view(2, 1, 1, 1)
    assert colour_drift(image, reference).tolist() == pytest.approx([3, 0], abs=1e-4)
    luma = 0.299 * 6 - 0.114 * 3
    assert brightness_drift(image, reference).tolist() == pytest.approx([luma, 0], abs=1e-4)


def test_blur_is_no_drift() -> None:
    """What moves light within the picture and keeps its sum does not count as drift."""
    image = torch.rand(1, 3, 8, 8)
    assert colour_drift(image.flip(-1), image).item() == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("metric", ALL)
def test_metrics_keep_the_contract(metric) -> None:
    """Each returns one float64 per picture, without gradient, and is a Metric."""
    image = torch.rand(2, 3, 16, 16, requires_grad=True)
    scores = metric(image, torch.rand(2, 3, 16, 16))
    assert isinstance(metric, Metric)
    assert scores.shape == (2,)
    assert scores.dtype == torch.float64
    assert not scores.requires_grad


@pytest.mark.parametrize("metric", [psnr, ssim, ssim3d, colour_drift, brightness_drift])
def test_shapes_must_agree(metric) -> None:
    """Pictures of two sizes, or without batch dimension, are refused."""
    with pytest.raises(ValueError, match="cannot be compared"):
        metric(torch.zeros(1, 3, 16, 16), torch.zeros(1, 3, 16, 17))
    with pytest.raises(ValueError, match="cannot be compared"):
        metric(torch.zeros(3, 16, 16), torch.zeros(3, 16, 16))

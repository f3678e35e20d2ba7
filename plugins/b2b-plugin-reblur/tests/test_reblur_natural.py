"""The judge that does not trust R: it prefers what makes real pictures look like sharp ones."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch import nn

from b2b_core.data.pictures import PictureSet, TrainingPicture
from b2b_core.training.precision import Numerics
from b2b_plugin_reblur.natural import Natural

SIGMA = 1.2


def textures(sigma, seed, count=16, side=128):
    """Return pictures with spectra like photographs' (1/f, each of its own slope), blurred."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side)))
    frequency[0, 0] = 1 / side
    pictures = []
    for index in range(count):
        slope, contrast = rng.uniform(0.9, 1.5), rng.uniform(0.08, 0.2)
        noise = np.fft.fft2(rng.standard_normal((side, side)))
        base = np.fft.ifft2(noise / frequency**slope).real
        base = (base - base.mean()) / base.std() * contrast + 0.5
        blurred = gaussian_filter(base, sigma) if sigma else base
        levels = (blurred.clip(0, 1) * 255).round().astype(np.uint8)
        pixels = torch.from_numpy(levels).expand(3, -1, -1).contiguous()
        scene = f"{seed}-{index}"
        pictures.append(TrainingPicture(Path(scene), scene, pixels))
    return PictureSet(pictures, "test")


class Filter(nn.Module):
    """Divides (sign -1) or multiplies (sign 1) the spectrum by that of a Gaussian blur."""

    def __init__(self, sigma, sign):
        super().__init__()
        self.sigma, self.sign = sigma, sign

    def forward(self, image):
        """Return the filtered picture, frequencies amplified 20 times at most."""
        border = 24
        image = nn.functional.pad(image, (border,) * 4, mode="reflect")
        height, width = image.shape[-2:]
        y, x = torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None]
        gain = torch.exp(self.sign * -2 * np.pi**2 * self.sigma**2 * (x**2 + y**2))
        spectrum = torch.fft.rfft2(image) * gain.clamp(max=20)
        filtered = torch.fft.irfft2(spectrum, s=(height, width))
        return filtered[..., border:-border, border:-border]


def judge(sigma):
    """Return the judge of a camera that blurs by a Gaussian; the deblurrer does nothing."""
    job = SimpleNamespace(
        blurry=textures(sigma, 1), sharp=textures(0, 0), multiple=8,
        run=SimpleNamespace(seed=0, numerics=Numerics("cpu", "float32")),
        deblurrer=SimpleNamespace(module=nn.Identity()),
    )  # fmt: skip
    return Natural(job)


@pytest.fixture(scope="module")
def natural():
    """Return the judge of a camera with a clear blur."""
    return judge(SIGMA)


def test_the_true_inverse_comes_nearest(natural):
    """Undoing the very blur lies far nearer to sharp pictures than doing nothing."""
    right = natural.distance(None, Filter(SIGMA, -1))
    assert right < 0.3 * natural.alone
    assert natural.accepts(right)


def test_sharpening_by_a_wrong_blur_is_seen(natural):
    """Undoing a much larger blur than the camera's is worse than undoing the right one."""
    assert natural.distance(None, Filter(2 * SIGMA, -1)) > 2 * natural.distance(
        None, Filter(SIGMA, -1)
    )


class Grain(nn.Module):
    """Adds strong grain, as a deblurrer does that amplifies noise."""

    def forward(self, image):
        """Return the picture with noise of a fixed seed, half as strong as white."""
        draw = torch.Generator().manual_seed(0)
        return image + 0.5 * torch.randn(image.shape, generator=draw)


@pytest.mark.parametrize("candidate", [Grain(), Filter(3.0, 1)], ids=["grain", "blur"])
def test_what_is_far_worse_is_refused(candidate):
    """On a camera with hardly any blur, grain and blur are refused, a small change is not."""
    faint = judge(0.4)
    assert not faint.accepts(faint.distance(None, candidate))
    assert faint.accepts(faint.distance(None, Filter(0.05, 1)))


def test_a_translator_is_applied_first(natural):
    """The last scale of a translator goes through the deblurrer."""

    class Pyramid(nn.Module):
        def forward(self, image):
            return [image, Filter(SIGMA, -1)(image)]

    assert natural.distance(Pyramid(), nn.Identity()) == pytest.approx(
        natural.distance(None, Filter(SIGMA, -1)), rel=1e-5
    )

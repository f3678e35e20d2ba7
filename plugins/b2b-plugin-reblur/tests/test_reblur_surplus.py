"""The judge that does not trust R: what real pictures lose of a gain on R(S)."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch import nn

from b2b_core.data.pictures import PictureSet, TrainingPicture
from b2b_core.training.precision import Numerics
from b2b_plugin_reblur.surplus import CHANCE, COUNT, WEIGHT, Surplus, mean_and_error

SIDE = 96


def textures(seed, count=COUNT, side=SIDE):
    """Return pictures with spectra like photographs' (1/f, each of its own slope), `(n, c, c)`."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side)))
    frequency[0, 0] = 1 / side
    pictures = []
    for _ in range(count):
        slope, contrast = rng.uniform(0.9, 1.5), rng.uniform(0.05, 0.12)
        noise = np.fft.fft2(rng.standard_normal((side, side)))
        base = np.fft.ifft2(noise / frequency**slope).real
        pictures.append((base - base.mean()) / base.std() * contrast + 0.5)
    return np.stack(pictures)


def as_set(pictures, name):
    """Return arrays `(n, c, c)` as pictures of 8 bits, each a scene of its own."""
    found = []
    for index, levels in enumerate((pictures.clip(0, 1) * 255).round().astype(np.uint8)):
        pixels = torch.from_numpy(levels).expand(3, -1, -1).contiguous()
        scene = f"{name}-{index}"
        found.append(TrainingPicture(Path(scene), scene, pixels))
    return PictureSet(found, "test")


def blurred(pictures, sigma):
    """Return them under a Gaussian, with borders that repeat."""
    return np.stack([gaussian_filter(p, sigma, mode="wrap") for p in pictures])


class Camera:
    """R as a Gaussian: what `CameraModel` gives, without its chance."""

    margin = 0

    def __init__(self, sigma):
        self.sigma = sigma

    def __call__(self, sharp, _):
        """Return the blurred crops and the sharp ones."""
        made = blurred(sharp[:, 0].numpy(), self.sigma).astype(np.float32)
        return torch.from_numpy(made)[:, None].expand(-1, 3, -1, -1), sharp, None


class Wiener(nn.Module):
    """Undoes a Gaussian as well as noise of one 8-bit step allows: the learned network's ideal."""

    def __init__(self, sigma, noise=0.004):
        super().__init__()
        y, x = torch.meshgrid(torch.fft.fftfreq(SIDE), torch.fft.rfftfreq(SIDE), indexing="ij")
        square = x**2 + y**2
        blur = torch.exp(-2 * np.pi**2 * sigma**2 * square)
        power = 0.0003 / square.clamp_min(1 / SIDE**2)  # of pictures like `textures`
        self.gain = blur * power / (blur**2 * power + noise**2)

    def forward(self, image):
        """Return the filtered picture."""
        return torch.fft.irfft2(torch.fft.rfft2(image) * self.gain, s=image.shape[-2:])


def judge(real, sharp, sigma):
    """Return the judge of a camera with these pictures whose R is a Gaussian."""
    job = SimpleNamespace(
        blurry=as_set(real, "b"), sharp=as_set(sharp, "s"), multiple=8,
        run=SimpleNamespace(seed=0, numerics=Numerics("cpu", "float32")),
    )  # fmt: skip
    return Surplus(job, Camera(sigma))


def psnr(restored, truth):
    """Return the mean PSNR of pictures `(n, c, c)` in dB."""
    return np.mean(-10 * np.log10(np.square(restored - truth).mean((1, 2))))


def gain(network, given, truth):
    """Return by how many dB the network improves them."""
    seen = torch.from_numpy(given).float()[:, None]
    return psnr(network(seen)[:, 0].numpy(), truth) - psnr(given, truth)


@pytest.fixture(scope="module")
def scenes():
    """Return sharp scenes for B and other ones for S."""
    return textures(1), textures(2)


@pytest.mark.parametrize(
    ("camera", "model"), [(1.2, 1.2), (0.3, 1.2), (0.5, 0.9), (0.9, 0.6), (1.0, 0.8), (1.0, 1.1)]
)
def test_the_expected_gain_has_the_sign_of_the_true_one(scenes, camera, model):
    """Against truth that the judge never sees: pictures of the camera with their originals."""
    truth, sharp = scenes
    real, made, network = blurred(truth, camera), blurred(sharp, model), Wiener(model)
    penalty = judge(real, sharp, model).penalty(None, network)
    expected, true = gain(network, made, sharp) - penalty, gain(network, real, truth)
    assert np.sign(expected) == np.sign(true)
    assert gain(network, made, sharp) > 0  # R sees nothing of it


def test_a_true_model_costs_little_and_so_does_a_weaker_one(scenes):
    """Where R is right, or blurs less than the camera, most of the gain stays."""
    truth, sharp = scenes
    promised = gain(Wiener(1.0), blurred(sharp, 1.0), sharp)
    for camera in (1.0, 1.2):
        assert judge(blurred(truth, camera), sharp, 1.0).penalty(None, Wiener(1.0)) < promised / 3


def test_noise_that_the_model_does_not_know_is_seen(scenes):
    """Deblurring amplifies it."""
    truth, sharp = scenes
    clean = blurred(truth, 1.0)
    noisy = clean + 0.02 * np.random.default_rng(0).standard_normal(clean.shape)
    right = judge(clean, sharp, 1.0).penalty(None, Wiener(1.0))
    assert judge(noisy, sharp, 1.0).penalty(None, Wiener(1.0)) > right + 3


def test_more_contrast_is_no_sharpness(scenes):
    """Scenes of B with half the contrast of S's are judged as before."""
    truth, sharp = scenes
    real = blurred(truth, 0.6)
    right = judge(real, sharp, 1.0).penalty(None, Wiener(1.0, noise=0.0001))
    faint = judge((real - 0.5) / 2 + 0.5, sharp, 1.0).penalty(None, Wiener(1.0, noise=0.0001))
    assert right > 1
    assert faint == pytest.approx(right, rel=0.1)


class Brighter(nn.Module):
    """Stretches contrast by a tenth: an error of a tenth of the amplitude."""

    def forward(self, image):
        """Return the stretched picture."""
        return (image - 0.5) * 1.1 + 0.5


def test_against_a_sum_by_hand(scenes, monkeypatch):
    """With R the identity and B twice S's amplitude above a quarter of Nyquist's frequency.

    All of it is counted, chance as well.

    Each such frequency adds the surplus amplitude, 1.1 times that of S; every one has an error of
    0.1 times that of S.
    """
    monkeypatch.setattr("b2b_plugin_reblur.surplus.CHANCE", 0.0)
    _, sharp = scenes
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(SIDE), np.fft.fftfreq(SIDE)))
    high = frequency > 4 * 0.5 / 14
    real = np.fft.ifft2(np.fft.fft2(sharp) * (1 + high)).real
    window = np.hanning(SIDE)[:, None] * np.hanning(SIDE)
    power = np.abs(np.fft.fft2((sharp - sharp.mean((1, 2), keepdims=True)) * window)) ** 2
    total = power.mean(0)
    wanted = 10 * np.log10(1 + WEIGHT * 1.1**2 * total[high].sum() / (0.1**2 * total.sum()))
    assert judge(real, sharp, 0.0).penalty(None, Brighter()) == pytest.approx(wanted, abs=0.3)


def test_a_translator_is_applied_first(scenes):
    """The last scale of a translator goes through the deblurrer."""
    truth, sharp = scenes
    judged = judge(blurred(truth, 0.6), sharp, 1.0)

    class Pyramid(nn.Module):
        def forward(self, image):
            return [image, Wiener(1.0)(image)]

    assert judged.penalty(Pyramid(), nn.Identity()) == pytest.approx(
        judged.penalty(None, Wiener(1.0)), rel=1e-5
    )


def test_small_pictures_are_enough():
    """Crops shrink to what fits, in the networks' multiple."""
    small = textures(3, 8, 60)
    assert judge(small, small, 0.0).penalty(None, Brighter()) < 2


def test_the_error_of_a_mean_is_that_of_its_scenes():
    """One crop for each scene: the textbook's. Alike crops of a scene count once."""
    values = np.random.default_rng(0).normal(size=(12, 3))
    textbook = values.std(0, ddof=1) / np.sqrt(12)
    mean, error = mean_and_error(torch.from_numpy(values), torch.arange(12))
    np.testing.assert_allclose(mean, values.mean(0))
    np.testing.assert_allclose(error, textbook)
    _, repeated = mean_and_error(torch.from_numpy(np.repeat(values, 4, 0)), torch.arange(48) // 4)
    np.testing.assert_allclose(repeated, textbook)


def test_scenes_that_were_not_drawn_do_not_count():
    """Numbers of scenes may have gaps; one scene alone tells nothing of chance."""
    values = torch.from_numpy(np.random.default_rng(1).normal(size=(9, 2)))
    _, near = mean_and_error(values, torch.arange(9))
    _, far = mean_and_error(values, 5 * torch.arange(9))
    np.testing.assert_allclose(near, far)
    _, alone = mean_and_error(values, torch.zeros(9, dtype=torch.long))
    np.testing.assert_allclose(alone, 0, atol=1e-12)


def test_what_other_scenes_would_have_shown_is_not_held_against_a_candidate():
    """R is right, B and S show six scenes each: what remains of the penalty is small.

    Twelve cameras, against the same penalty with chance counted as surplus.
    """

    def penalties(chance):
        found = []
        for seed in range(12):
            truth, sharp = textures(100 + seed, 6), textures(200 + seed, 6)
            surplus = judge(blurred(truth, 1.0), sharp, 1.0)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("b2b_plugin_reblur.surplus.CHANCE", chance)
                found.append(surplus.penalty(None, Wiener(1.0)))
        return np.array(found)

    counted, believed = penalties(CHANCE), penalties(0.0)
    assert (counted <= believed).all()
    assert counted.mean() < believed.mean() / 2

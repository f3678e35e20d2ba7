"""The match of spectra: what it measures, and that it finds a blur by itself."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from b2b_core.catalogue import discover
from b2b_core.data.crops import CropSampler
from b2b_core.data.pairs import PairSet
from b2b_core.data.pictures import PictureSet, TrainingPicture
from b2b_core.data.seeding import seeded
from b2b_core.spectra import BANDS, HIGHEST, SECTORS, SpectrumMatch, band_power
from b2b_core.training.job import Job
from b2b_core.training.precision import Numerics
from b2b_core.training.run import Run
from b2b_core.training.stage import run_stage
from b2b_plugin_reblur.camera import CameraModel
from b2b_plugin_reblur.config import CameraConfig
from b2b_plugin_reblur.spectrum_fit import LOOK, SpectrumFit
from b2b_plugin_reblur.watch import astray


def generator(seed=0):
    """Return a seeded CPU generator."""
    return torch.Generator().manual_seed(seed)


def test_a_wave_lights_up_its_own_ring_and_one_direction():
    """A horizontal wave of 0.2 cycles per pixel: ring by hand, one sector far above the others."""
    x = torch.arange(60.0)
    wave = (0.5 + 0.4 * torch.cos(2 * torch.pi * 0.2 * x)).expand(1, 3, 60, 60)
    bands = band_power(wave)
    assert bands.shape == (1, BANDS, SECTORS)
    strongest = int(bands[0, :, 0].argmax())
    assert strongest == int(0.2 / HIGHEST * BANDS)
    # the wave lies on the border of the first and the last half turn: two sectors share it
    assert float(bands[0, strongest, 0] - bands[0, strongest, 2]) > 3


def test_power_in_decibels_follows_contrast():
    """Doubling the contrast adds ln 4 to every band of a textured crop."""
    texture = torch.rand(1, 3, 64, 64, generator=generator()) * 0.4
    difference = band_power(2 * texture) - band_power(texture)
    torch.testing.assert_close(
        difference, torch.full_like(difference, np.log(4)), atol=0.02, rtol=0
    )


def textures(sigma, seed, count=12):
    """Return smooth random pictures, blurred by a Gaussian of `sigma` pixels."""
    rng = np.random.default_rng(seed)
    pictures = []
    for index in range(count):
        noise = rng.random((80, 80, 3))
        base = gaussian_filter(noise, (0.7, 0.7, 0))
        base = (base - base.mean()) / base.std() * 0.15 + 0.5
        blurred = gaussian_filter(base, (sigma, sigma, 0)) if sigma else base
        pixels = torch.from_numpy((blurred.clip(0, 1) * 255).round().astype(np.uint8))
        scene = f"{seed}-{index}"
        pictures.append(TrainingPicture(Path(scene), scene, pixels.permute(2, 0, 1).contiguous()))
    return PictureSet(pictures, "test")


@pytest.mark.parametrize("sigma", [1.0, 1.8])
def test_spectra_alone_find_the_size_of_an_unknown_blur(sigma):
    """From unpaired pictures, kernels come within 20 percent of the true second moment."""
    sharp, blurry = textures(0, 0), textures(sigma, 1)
    match = SpectrumMatch(
        CropSampler(blurry, 48, 0, "b"), CropSampler(sharp, 48, 0, "s"), torch.device("cpu")
    )
    config = CameraConfig(kernel=13, response=False, highlights=False, noise=False)
    camera = CameraModel(config)
    optimizer = torch.optim.Adam(camera.kernels.sizes(), 3e-2, (0.7, 0.99))
    sampler = CropSampler(sharp, 48 + camera.margin, 0, "r")
    for step in range(150):
        made, _, _ = camera(sampler.batch(step, 8), generator(step))
        optimizer.zero_grad()
        match(made).backward()
        optimizer.step()
    assert camera.facts()["spread_px2"] == pytest.approx(2 * sigma**2, rel=0.2)


def fit_of(folder, sigma, *, seconds=0.0, **options):
    """Return a stage that fits R to textures under a Gaussian of `sigma` pixels, and its run."""
    run = Run(folder, 0, Numerics("cpu", "float32"), discover(), checkpoint_seconds=seconds)
    blurry, sharp = textures(sigma, 1), textures(0, 0)
    job = Job(
        blurry=blurry, sharp=sharp, held_blurry=blurry, held_sharp=sharp, domain="none",
        pairs=PairSet([], "none"), crop=32, multiple=1, deblurrer=None, deblurrer_file=None,
        build=None, run=run,
    )  # fmt: skip
    config = CameraConfig(**{"kernel": 13, "crop": 48, "spectrum_batch": 8, **options})
    with seeded(0, "camera"):
        return SpectrumFit(job, CameraModel(config), config), run


def test_the_fit_ends_by_itself_with_the_blur_found(tmp_path):
    """Before its steps are over and without a warning, within 20 percent of the second moment."""
    fit, run = fit_of(tmp_path, 1.4)
    steps = run_stage(fit, run)
    assert fit.settled
    assert steps < fit.steps
    assert run.warnings == []
    assert fit.camera.facts()["spread_px2"] == pytest.approx(2 * 1.4**2, rel=0.2)
    assert set(fit.findings) == {"highlights", "noise", "response", "compression"}


def test_a_killed_fit_goes_on_to_the_bit(tmp_path):
    """Killed in its second leg, parts decided: the resumed R is that of a run in one go."""
    options = {"spectrum_steps": 8 * LOOK, "spectrum_lr": 0.1}
    straight, run = fit_of(tmp_path / "straight", 1.4, **options)
    total = run_stage(straight, run)
    cut, run = fit_of(tmp_path / "cut", 1.4, seconds=-1.0, **options)
    step = cut.step

    def killed(number):
        if cut.settling.leg == 1:
            raise KeyboardInterrupt
        return step(number)

    cut.step = killed
    with pytest.raises(KeyboardInterrupt):
        run_stage(cut, run)
    resumed, run = fit_of(tmp_path / "cut", 1.4, **options)
    assert run_stage(resumed, run) == total
    assert resumed.findings == straight.findings
    assert resumed.camera.parts == straight.camera.parts
    for name, value in straight.camera.named_parameters():
        assert torch.equal(value, resumed.camera.get_parameter(name)), name


def test_a_fit_that_outgrows_its_kernels_is_stopped_before(tmp_path):
    """Blur wider than kernels of 7 pixels: it is said, and what is kept still makes sense."""
    fit, run = fit_of(tmp_path, 5.0, kernel=7, spectrum_lr=0.1)
    run_stage(fit, run)
    assert any("wider than kernels of 7 pixels" in message for message in run.warnings)
    assert fit.settled
    assert astray(fit.best.kernels) == []
    assert astray(fit.camera.kernels) == []

"""Grain of flat parts: noise, whatever the blur."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from b2b_plugin_reblur.grain import grain

SIDE = 128


def scenes(read, shot, sigma=0.0, count=12, seed=0):
    """Return pictures with smooth places, dark to bright, `(n, 3, c, c)`, and their noise."""
    rng = np.random.default_rng(seed)
    ramp = np.linspace(0.15, 0.85, SIDE)[None] * np.ones((SIDE, 1))
    corner = np.hypot(*np.meshgrid(range(SIDE), range(SIDE)))
    pictures = []
    for _ in range(count):
        texture = gaussian_filter(rng.standard_normal((SIDE, SIDE)), 2)
        texture *= corner > SIDE * 4 / 3  # flat but in one corner
        clean = gaussian_filter(ramp + texture, sigma).clip(0.05, 1)
        noise = rng.standard_normal((3, SIDE, SIDE)) * np.sqrt(read**2 + shot**2 * clean)
        pictures.append(clean + noise)
    return torch.from_numpy(np.stack(pictures)).float()


def test_it_is_the_noise_in_dark_and_in_bright_places():
    """Against the variance that was put in, at the mean light of either half."""
    dark, bright = grain(scenes(0.02, 0.05)).exp().mean(0).tolist()
    # the flattest of eight blocks: below the mean by chance, and by the darkest of its half
    assert dark == pytest.approx(0.02**2 + 0.05**2 * 0.25, rel=0.3)
    assert bright == pytest.approx(0.02**2 + 0.05**2 * 0.6, rel=0.3)


def test_blur_is_no_lack_of_grain():
    """The same noise on a blurred scene reads the same."""
    plain, blurred = grain(scenes(0.01, 0.0)), grain(scenes(0.01, 0.0, sigma=2.0))
    assert torch.allclose(plain.mean(0), blurred.mean(0), atol=0.05)


def test_twice_the_noise_is_four_times_the_variance():
    """The logarithm rises by ln 4, and rounding sets the floor of a picture without noise."""
    once, twice = grain(scenes(0.01, 0.0)), grain(scenes(0.02, 0.0))
    assert (twice - once).mean().item() == pytest.approx(np.log(4), abs=0.05)
    assert torch.isfinite(grain(torch.zeros(2, 3, 32, 32))).all()


def test_the_noise_of_a_sensor_is_found_again():
    """R's noise, fitted to the grain of pictures, comes within a fifth of the truth."""
    from b2b_core.energy import energy_distance, spread

    target = grain(scenes(0.012, 0.03, seed=1, count=24))
    own = spread(target)
    read, shot = (torch.tensor(value).log().requires_grad_() for value in (0.003, 0.005))
    clean = scenes(0.0, 0.0, seed=2, count=24)
    optimizer = torch.optim.Adam([read, shot], 5e-2, (0.7, 0.99))
    for step in range(150):
        draw = torch.randn(clean.shape, generator=torch.Generator().manual_seed(step))
        made = clean + draw * (read.exp() ** 2 + shot.exp() ** 2 * clean).sqrt()
        optimizer.zero_grad()
        energy_distance(grain(made), target, own).backward()
        optimizer.step()
    assert read.exp().item() == pytest.approx(0.012, rel=0.2)
    assert shot.exp().item() == pytest.approx(0.03, rel=0.2)

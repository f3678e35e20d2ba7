"""A sharp frame is moved to the middle of its blurry partner's motion."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, map_coordinates, shift, uniform_filter1d

from b2b_core.bench.registration import FARTHEST, WINDOW, registered, shifts

HEIGHT, WIDTH = 256, 320


@pytest.fixture(scope="module")
def scene():
    """Return a texture of grey levels, smooth enough to be moved by parts of pixels."""
    noise = gaussian_filter(np.random.default_rng(0).standard_normal((HEIGHT, WIDTH)), 1.5)
    return (128 + 40 * noise / noise.std()).clip(0, 255)


def coloured(grey):
    """Return it as a picture of 8 bits."""
    return np.repeat(grey.clip(0, 255).round().astype(np.uint8)[..., None], 3, -1)


@pytest.mark.parametrize("way", [(0.0, 0.0), (2.0, -3.0), (0.4, 1.7), (-11.3, 8.25)])
def test_the_shift_of_every_window_is_found(scene, way):
    """To a tenth of a pixel, large ones to a fiftieth, under motion that is much longer."""
    moved = shift(uniform_filter1d(scene, 7, axis=1), way, order=3, mode="reflect")
    down, right = shifts(scene, moved)
    assert down.shape == ((HEIGHT - WINDOW) // 64 + 1, (WIDTH - WINDOW) // 64 + 1)
    np.testing.assert_allclose(down, way[0], atol=0.1, rtol=0.02)
    np.testing.assert_allclose(right, way[1], atol=0.1, rtol=0.02)


def test_what_shows_nothing_or_lies_too_far_is_said_to_be_unknown(scene):
    """A flat picture, and another scene whose best match is at the edge of the search."""
    assert np.isnan(shifts(np.full_like(scene, 90.0), scene)).all()
    far = shift(scene, (0, FARTHEST + 3), order=1, mode="reflect")
    assert np.isnan(shifts(scene, far)[1]).mean() > 0.5


def test_a_picture_is_moved_where_it_belongs(scene):
    """Shifts that differ from place to place, by scipy's own interpolation.

    Between the middles of the windows: farther out the last shift goes on.
    """
    rows, columns = np.mgrid[:HEIGHT, :WIDTH].astype(float)
    right, down = 2 * (columns / WIDTH - 0.5), 1.5 * (rows / HEIGHT)
    truth = map_coordinates(scene, [rows - down, columns - right], order=3, mode="nearest")
    blurry = uniform_filter1d(truth, 9, axis=0)
    inside = (slice(64, -64), slice(64, -64))
    before = np.abs(coloured(scene)[inside] - coloured(truth)[inside].astype(float)).mean()
    moved = registered(coloured(scene), coloured(blurry))
    after = np.abs(moved[inside] - coloured(truth)[inside].astype(float)).mean()
    assert after < before / 6


def test_a_picture_that_lies_right_stays(scene):
    """Nothing moves by more than rounding, and flat pictures not at all."""
    picture = coloured(scene)
    moved = registered(picture, coloured(uniform_filter1d(scene, 9, axis=1)))
    assert np.abs(moved[16:-16, 16:-16] - picture[16:-16, 16:-16].astype(float)).mean() < 1
    flat = np.full_like(picture, 77)
    assert (registered(flat, flat) == flat).all()

"""The simulated phone and the known blur, against hand-computed cases and scipy."""

import numpy as np
import pytest
from scipy.ndimage import correlate

from b2b_core.bench.cameras.kernels import disk, splat, straight_path
from b2b_plugin_starter.simulation.kernels import hand_path
from b2b_plugin_starter.simulation.known import average, move
from b2b_plugin_starter.simulation.light import to_levels, to_light
from b2b_plugin_starter.simulation.phone import PLACES, Phone, blend_weight


def rng(seed=0):
    """Return a seeded generator."""
    return np.random.default_rng(seed)


def test_a_point_between_pixels_is_shared_by_hand():
    """A quarter to the right and half down: 3/8, 1/8, 3/8, 1/8."""
    kernel = splat(np.array([[0.25, 0.5]]), 5)
    np.testing.assert_allclose(kernel[2:4, 2:4], [[0.375, 0.125], [0.375, 0.125]])
    assert kernel.sum() == pytest.approx(1)


def test_a_path_keeps_its_centre_of_mass():
    """The kernel's centre of mass is the mean of the path."""
    path = hand_path(rng(), 8.0)
    kernel = splat(path + 0.3, 25)
    offsets = np.arange(25) - 12
    assert (kernel.sum(0) * offsets).sum() == pytest.approx(path[:, 0].mean() + 0.3, abs=1e-9)
    assert (kernel.sum(1) * offsets).sum() == pytest.approx(path[:, 1].mean() + 0.3, abs=1e-9)


def test_paths_are_as_long_as_asked():
    """The hand travels `length`; the straight path spans it in `taps` points."""
    path = hand_path(rng(1), 7.0)
    assert np.linalg.norm(np.diff(path, axis=0), axis=1).sum() == pytest.approx(7.0)
    line = straight_path(rng(2), 6.0, 5)
    assert len(line) == 5
    assert np.linalg.norm(line[-1] - line[0]) == pytest.approx(6.0)


def test_a_disk_has_its_area():
    """A disk of radius 3 spreads over about 9 pi pixels: its peak is 1 / (9 pi)."""
    kernel = disk(3.0, 13)
    assert kernel.sum() == pytest.approx(1)
    assert kernel.max() == pytest.approx(1 / (9 * np.pi), rel=0.02)


def test_levels_survive_light_and_back():
    """All 256 levels come back; middle grey 188 is half the light."""
    levels = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(to_levels(to_light(levels)), levels)
    assert to_light(np.uint8(188)) == pytest.approx(0.5, abs=0.005)


def test_blend_weights_sum_to_one():
    """Every pixel is fully lit by the kernels around it."""
    total = sum(blend_weight(33, 47, r, c) for r in range(PLACES) for c in range(PLACES))
    np.testing.assert_allclose(total, 1)


def test_a_still_phone_only_adds_noise_and_lights():
    """Without blur and noise, what is darker than a light stays as it is."""
    scene = rng().integers(0, 230, (24, 30, 3)).astype(np.uint8)
    phone = Phone(read_noise=0, shot_noise=0)
    np.testing.assert_array_equal(phone.expose(scene, rng(), blur=False), scene)


def spread_of_corners(**options):
    """Return how much one texture differs between the corners of a picture, in levels."""
    tile = rng(3).integers(0, 220, (32, 32, 3)).astype(np.uint8)
    phone = Phone(read_noise=0, shot_noise=0, **options)
    shot = phone.expose(np.tile(tile, (8, 8, 1)), rng(5), blur=True).astype(int)
    first, *others = shot[32:64, 32:64], shot[32:64, -64:-32], shot[-64:-32, 32:64]
    return max(np.abs(first - other).mean() for other in others)


def test_the_phones_blur_varies_over_the_picture():
    """Roll and tilt make the corners differ; without them the blur is the same everywhere."""
    assert spread_of_corners(roll=0.0, tilt=0.0) < 0.01
    assert spread_of_corners() > 0.1


def test_known_motion_is_a_correlation_in_light():
    """Without noise, `move` equals scipy's correlation of the light with the same kernel."""
    scene = np.zeros((31, 31, 3), dtype=np.uint8)
    scene[15, 15] = 255
    blurred = to_light(move(scene, rng(7)))
    again = rng(7)
    kernel = splat(straight_path(again, again.uniform(2, 9), int(again.integers(5, 8))), 13)
    expected = correlate(to_light(scene)[..., 0], kernel[::-1, ::-1], mode="mirror")
    np.testing.assert_allclose(blurred[..., 0], expected, atol=0.012)


def test_averaging_is_in_light():
    """Black and white average to level 188, not 128."""
    black, white = np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 255, np.uint8)
    assert set(average([black, white]).flatten()) == {188}

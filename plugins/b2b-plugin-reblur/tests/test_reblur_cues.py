"""What parts of the chain leave in pictures, against pictures made by numpy, scipy and Pillow."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter

from b2b_plugin_reblur.chance import Sample, nearness
from b2b_plugin_reblur.cues import BLOCK, asymmetry, blocking, white_edges


def generator(seed=0):
    """Return a seeded CPU generator."""
    return torch.Generator().manual_seed(seed)


def crops(levels):
    """Return `(1, 3, h, w)` of a grey picture in [0, 1]."""
    return torch.from_numpy(np.asarray(levels, np.float32)).expand(1, 3, *levels.shape)


def squares(seed=0, side=96):
    """Return light and dark squares at random places."""
    rng = np.random.default_rng(seed)
    picture = np.full((side, side), 0.5)
    for value in rng.uniform(0.1, 0.9, 60):
        top, left = rng.integers(0, side - 12, 2)
        picture[top : top + 12, left : left + 12] = value
    return picture


def test_blur_in_light_is_asymmetric_in_stored_values():
    """Whatever the scene shows, blur in light makes dark detail more, blur as stored does not."""
    scenes = [squares(seed) for seed in range(8)]
    as_stored = torch.cat([crops(gaussian_filter(s, 1.2)) for s in scenes])
    in_light = torch.cat([crops(gaussian_filter(s**2.2, 1.2) ** (1 / 2.2)) for s in scenes])
    difference = asymmetry(in_light) - asymmetry(as_stored)
    assert (difference < 0).all()
    assert float(difference[:, 0].mean()) < -0.2
    # and the other way round in the negative
    torch.testing.assert_close(asymmetry(1 - in_light), -asymmetry(in_light), atol=0.02, rtol=0)


def test_a_flat_crop_has_no_asymmetry():
    """No detail of either sign: zero, not NaN."""
    assert torch.equal(asymmetry(torch.full((1, 3, 16, 16), 0.3)), torch.zeros(1, 2))


def test_the_fall_beside_white_by_hand():
    """A white column between 0.8 and 0.6: 16 sides each, a mean fall of 0.3."""
    picture = np.full((16, 9), 0.6)
    picture[:, 3], picture[:, 4] = 0.8, 1.0
    assert float(white_edges(crops(picture))) == pytest.approx(np.log(0.3), abs=1e-5)


def test_where_little_is_white_nothing_is_said():
    """A single white pixel has four sides, too few to judge by."""
    picture = np.full((16, 16), 0.5)
    picture[8, 8] = 1.0
    assert white_edges(crops(picture)).isnan().all()


def test_lights_that_were_cut_off_are_steep():
    """One light of brightness 1 and one of 3, both blurred: the brighter leaves white steeply."""
    light = np.zeros((48, 48))
    light[12:36, 12:36] = 1.0
    just, beyond = (gaussian_filter(gain * light, 2.0).clip(0, 1) for gain in (1.0, 3.0))
    assert float(white_edges(crops(beyond))) > float(white_edges(crops(just))) + 1


def test_jpeg_jumps_at_its_blocks_wherever_they_begin():
    """Strong compression shows, also in crops whose grid begins elsewhere; noise does not."""
    smooth = gaussian_filter(np.random.default_rng(0).random((96, 96)), 3)
    smooth = (smooth - smooth.min()) / np.ptp(smooth)
    file = io.BytesIO()
    Image.fromarray((255 * smooth).round().astype(np.uint8)).save(file, "JPEG", quality=20)
    coded = np.asarray(Image.open(file)) / 255
    plain = np.round(255 * smooth) / 255
    for top, left in ((0, 0), (3, 5)):
        jumps = [blocking(crops(p[top : top + 80, left : left + 80])) for p in (coded, plain)]
        assert (jumps[0] > jumps[1] + 0.7).all()


def test_a_jump_across_and_none_down_by_hand():
    """Columns of 8 pixels in two values: nothing jumps from row to row."""
    picture = np.tile(np.repeat([0.2, 0.8] * 4, BLOCK), (64, 1))
    across, down = blocking(crops(picture))[0]
    assert across > 5
    assert down == 0


def sample(mean, scenes=12, each=8, seed=0, of_scene=1.0, own=0.3):
    """Return one number for each crop of some scenes: of the scene, and of its own."""
    draw = generator(seed)
    values = mean + of_scene * torch.randn(scenes, 1, generator=draw)
    values = values + own * torch.randn(scenes, each, generator=draw)
    return Sample(values.reshape(-1, 1), torch.arange(scenes).repeat_interleave(each))


def test_what_is_clearly_nearer_is_nearer_in_every_draw():
    """The camera's mean is zero: two deviations away is farther than none, either way round."""
    camera, near = sample(0.0), sample(0.0, seed=1)
    far = Sample(near.cues + 2, near.scenes)
    assert nearness(camera, near, far, generator()).sure > 0.99
    assert nearness(camera, far, near, generator()).sure < 0.01


def test_what_other_scenes_could_turn_round_is_not_sure():
    """A third of a scene's deviation to either side: draws disagree, however many crops."""
    camera, middle = sample(0.0, each=40), sample(0.0, each=40, seed=1)
    one, other = (Sample(middle.cues + shift, middle.scenes) for shift in (0.3, -0.3))
    assert 0.03 < nearness(camera, one, other, generator()).sure < 0.97


def test_distances_are_those_of_the_whole_sample():
    """In deviations of the camera's cues; nothing away is about zero, far away about 2 |shift|."""
    camera, near = sample(0.0, scenes=200), sample(0.0, scenes=200, seed=1)
    far = Sample(near.cues + 30, near.scenes)
    found = nearness(camera, near, far, generator())
    unit = float(camera.cues.std())
    assert found.one == pytest.approx(0.0, abs=0.05)
    # E|x - y| at a shift of s is s; what the two spreads take off are about 2 / sqrt(pi) each
    assert found.other == pytest.approx(2 * 30 / unit - 4 / np.pi**0.5, rel=0.05)


def test_crops_that_say_nothing_are_left_out_and_few_scenes_decide_nothing():
    """NaN in either way drops the crop; three scenes that tell anything are too few."""
    camera, one = sample(0.0), sample(0.0, seed=1)
    other = Sample(one.cues + 2, one.scenes)
    other.cues[::3] = torch.nan
    assert nearness(camera, one, other, generator()).sure > 0.95
    other.cues[3 * 8 :] = torch.nan
    assert nearness(camera, one, other, generator()) is None

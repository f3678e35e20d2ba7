"""Which sharp crops R is given: the camera's own, and a share of the known domain's."""

from pathlib import Path
from types import SimpleNamespace

import torch

from b2b_core.data.crops import CropSampler
from b2b_core.data.pairs import LoadedPair, PairSet
from b2b_core.data.pictures import PictureSet, TrainingPicture
from b2b_plugin_reblur.supply import MOST_KNOWN, SharpSupply

SIDE = 24


def plain(level, side=32):
    """Return a picture `(3, side, side)` of one grey level."""
    return torch.full((3, side, side), level, dtype=torch.uint8)


def job(known_sides=(32, 32)):
    """Return a job with S of levels 10 and 11, and known sharp pictures from 200 on."""
    own = [TrainingPicture(Path(f"s{n}"), f"s{n}", plain(10 + n)) for n in range(2)]
    known = [
        LoadedPair(blurry=plain(100, side), sharp=plain(200 + n, side), scene=f"k{n}")
        for n, side in enumerate(known_sides)
    ]
    return SimpleNamespace(
        sharp=PictureSet(own, "sharp"), pairs=PairSet(known, "known"), run=SimpleNamespace(seed=3)
    )


def levels(batch):
    """Return the level of each crop."""
    return [round(float(crop.mean()) * 255) for crop in batch]


def test_without_a_share_only_the_camera_is_seen():
    """The crops are those of a sampler of S alone."""
    given = job()
    supply = SharpSupply(given, SIDE, "stream", 0.0)
    assert torch.equal(supply.batch(5, 8), CropSampler(given.sharp, SIDE, 3, "stream").batch(5, 8))


def test_a_share_comes_from_the_known_domains_sharp_pictures():
    """A quarter of eight crops is two; none of them is blurry."""
    batch = SharpSupply(job(), SIDE, "stream", 0.25).batch(0, 8)
    assert batch.shape == (8, 3, SIDE, SIDE)
    assert set(levels(batch)[:6]) == {10, 11}
    assert set(levels(batch)[6:]) <= {200, 201}


def test_all_of_it_may_come_from_the_known_domain():
    """With a share of one S is not needed for training."""
    assert set(levels(SharpSupply(job(), SIDE, "stream", 1.0).batch(0, 32))) == {200, 201}


def test_known_pictures_that_are_too_small_are_left_out():
    """The others serve; with none left, the camera's own do."""
    some = SharpSupply(job((16, 32)), SIDE, "stream", 0.5)
    assert set(levels(some.batch(0, 16))[8:]) == {201}
    none = SharpSupply(job((16, 16)), SIDE, "stream", 0.5)
    assert set(levels(none.batch(0, 16))) == {10, 11}


def test_a_step_draws_the_same_each_time_and_other_steps_other_crops():
    """So that a resumed run is the same run."""
    supply = SharpSupply(job(), SIDE, "stream", 0.5)
    again = SharpSupply(job(), SIDE, "stream", 0.5)
    assert torch.equal(supply.batch(7, 16), again.batch(7, 16))
    assert levels(supply.batch(7, 16)) != levels(supply.batch(8, 16))


def test_of_a_large_domain_pictures_all_over_it_are_used():
    """No more than stay decoded, from the first to nearly the last."""
    given = job()
    count = 2 * MOST_KNOWN + 1
    pairs = [LoadedPair(plain(0), plain(n // 4), "k") for n in range(count)]
    given.pairs = PairSet(pairs, "known")
    seen = set(levels(SharpSupply(given, SIDE, "stream", 1.0).batch(0, 2000)))
    assert len(seen) > 100
    assert min(seen) < 3
    assert max(seen) > 125
    used = [n // 4 for n in range(0, count, 3)]
    assert seen <= set(used)
    assert len(used) <= MOST_KNOWN

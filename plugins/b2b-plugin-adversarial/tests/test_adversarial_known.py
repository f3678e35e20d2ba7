"""K: sharp pictures under the known blur, as D gets them."""

from pathlib import Path

import pytest
import torch

from b2b_core.data.pairs import LoadedPair, PairSet
from b2b_plugin_adversarial.config import KnownConfig
from b2b_plugin_adversarial.stage import AdversarialStage


def test_k_gets_the_noise_that_blurring_took(toys, tmp_path: Path) -> None:
    """Noise is measured on B and on K, and the difference is added to K."""
    noisy = toys.job(tmp_path)
    rng = torch.Generator().manual_seed(0)
    for picture in noisy.blurry:
        grain = torch.randn(picture.pixels.shape, generator=rng) * 5
        picture.pixels.copy_((picture.pixels.float() + grain).clamp(0, 255).round())
    found = AdversarialStage(noisy, toys.config()).noise
    assert found == pytest.approx(5 / 255, rel=0.3)
    known = KnownConfig(source="extractor", noise=False)
    assert AdversarialStage(noisy, toys.config(known=known)).noise == 0


def test_measured_kernels_need_no_extractor(toys, tmp_path: Path) -> None:
    """With kernels measured on the pairs, a strategy without kernel extractor works."""
    plain, asked = toys.recording(tmp_path)
    rng = torch.Generator().manual_seed(0)
    sharp = torch.randint(40, 220, (3, 80, 80), generator=rng).to(torch.uint8)
    object.__setattr__(plain, "pairs", PairSet([LoadedPair(sharp.roll(1, -1), sharp, "a")], "toy"))
    known = KnownConfig(kernel=5, kernels=2)
    AdversarialStage(plain, toys.config(known=known)).step(0)
    assert "kernel-extractor" not in asked


def test_a_curriculum_of_batches_feeds_d_as_much_of_both(toys, tmp_path: Path) -> None:
    """While half of a batch is learned from, K has as many pictures as y."""
    curriculum = {"of": "batch", "start": 0.5, "hold": 2}
    stage = AdversarialStage(toys.job(tmp_path), toys.config(batch=4, curriculum=curriculum))
    sizes = [[len(crops) for crops in stage.supply.batch(step)] for step in (0, 1, 2)]
    assert sizes == [[2, 2], [2, 2], [4, 4]]

"""The game in which D compares restored pictures with sharp ones."""

from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F


def test_restored_pictures_are_compared_with_sharp_ones(toys, tmp_path: Path) -> None:
    """D is given F(G(y)) and S at the scale asked for; nothing of K is drawn."""
    stage = toys.restoring(tmp_path, input_noise=0.0)
    seen: list[list[Tensor]] = []
    judge = stage.objective.judge
    stage.objective.judge = lambda levels: (seen.append(list(levels)), judge(levels))[1]  # type: ignore[method-assign,func-returns-value]
    torch.manual_seed(0)
    stage.step(0)
    torch.manual_seed(0)  # of the augmentation
    blurry, sharp = stage.supply.batch(0)
    (real,), (fake,) = seen[:2]
    assert torch.equal(real, F.avg_pool2d(sharp, 2))
    assert torch.allclose(fake, F.avg_pool2d(blurry / 2, 2), atol=1e-6)  # G is the identity yet


def test_the_frozen_deblurrer_passes_gradients_to_g(toys, tmp_path: Path) -> None:
    """G moves by what D says of F(G(y)); F itself learns nothing."""
    stage = toys.restoring(tmp_path, d_warmup=0, lr=1e-2)
    before = toys.weights(stage)
    for number in range(2):
        torch.manual_seed(number)
        stage.step(number)
    after = toys.weights(stage)
    assert not torch.equal(before["G.conv.weight"], after["G.conv.weight"])
    assert all(not p.requires_grad for p in stage.deblurrer.parameters())


def test_the_anchor_weighs_coarse_and_finest_changes(toys, tmp_path: Path) -> None:
    """A shift of 2 % costs 4 coarse; a checkerboard of 3 % 9 fine; 2-pixel stripes nothing fine."""
    stage = toys.restoring(tmp_path, anchor={"coarse": 0.5, "fine": 0.25})
    flat = torch.full((1, 3, 32, 32), 0.5)
    rows, columns = torch.meshgrid(torch.arange(32), torch.arange(32), indexing="ij")
    checkerboard = ((rows + columns) % 2 * 2 - 1) * 0.03
    stripes = (columns // 2 % 2 * 2 - 1) * 0.03
    anchor = stage.objective.anchor
    assert anchor(flat + 0.02, flat).item() == pytest.approx(0.5 * 4, rel=1e-3)
    assert anchor(flat + checkerboard, flat).item() == pytest.approx(0.25 * 9, rel=1e-3)
    assert anchor(flat + stripes, flat).item() == pytest.approx(0, abs=1e-4)

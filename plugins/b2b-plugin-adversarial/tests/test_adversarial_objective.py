"""What D compares and what G minimises."""

from pathlib import Path

import pytest
import torch
from torch import nn

from b2b_core.training.job import Part
from b2b_plugin_adversarial.config import PenaltyConfig
from b2b_plugin_adversarial.stage import AdversarialStage


def test_d_and_the_extractor_get_no_gradient_of_g(toys, tmp_path: Path) -> None:
    """G's step leaves no gradient in D, and nothing ever reaches the frozen extractor."""
    stage = AdversarialStage(toys.job(tmp_path), toys.config(d_warmup=0, penalty={"weight": 0.0}))
    stage.step(0)
    after_d = [p.grad.clone() for p in stage.discriminator.parameters()]
    real, fake = toys.pyramids(stage)
    for parameter in stage.discriminator.parameters():
        parameter.grad = None
    shown = stage._shown(real[-1], real[-1], fake)
    stage._train_translator(shown)
    assert len(after_d) == 4
    assert all(parameter.grad is None for parameter in stage.discriminator.parameters())


def test_d_compares_levels_of_equal_sizes(toys, tmp_path: Path) -> None:
    """D sees G's scales by default, and any that are asked for."""
    for scales, expected in (((), [16, 32]), ((0.25, 1.0), [8, 32])):
        stage = AdversarialStage(toys.job(tmp_path), toys.config(scales=list(scales)))
        stage.step(0)
        seen = stage.discriminator.seen  # type: ignore[union-attr]
        assert {tuple(levels) for levels in seen} == {tuple((s, s) for s in expected)}


@pytest.mark.parametrize("where", ["blurry-translated", "known-translated", "real"])
@pytest.mark.parametrize("levels", ["all", "full"])
def test_penalty_of_a_linear_d(toys, tmp_path: Path, where: str, levels: str) -> None:
    """For D(x) = sum of (w * x) the slope is known: every form gives the value by hand."""
    penalty = PenaltyConfig(1.0, where, 1.0, "sum", levels, 1)  # type: ignore[arg-type]
    stage = AdversarialStage(toys.job(tmp_path), toys.config(penalty=penalty))
    conv = nn.Conv2d(3, 1, 1, bias=False)
    stage.objective._discriminator = lambda pyramid: [conv(level) for level in pyramid]
    real, fake = toys.pyramids(stage)
    found = stage.objective.penalty(real, real, fake)
    # d(sum of logits)/dx is w at every pixel: its norm is |w| times the root of their number.
    norms = [float(conv.weight.detach().norm()) * side for side in (16, 32)]
    terms = [(norm - 1) ** 2 for norm in norms]
    expected = terms[1] if levels == "full" else sum(terms) / 2
    assert found.item() == pytest.approx(expected, rel=1e-4)
    found.backward()
    assert conv.weight.grad is not None


def test_reconstruction_is_the_papers_mean_over_levels(toys, tmp_path: Path) -> None:
    """Eq. 5: per level the mean absolute difference of features, averaged over levels."""
    stage = AdversarialStage(toys.job(tmp_path), toys.config())
    one = [torch.rand(2, 3, 8, 8), torch.rand(2, 3, 16, 16)]
    other = [torch.rand(2, 3, 8, 8), torch.rand(2, 3, 16, 16)]
    features = toys.Features()
    expected = sum(
        float((a - b).abs().mean())
        for x, y in zip(one, other, strict=True)
        for a, b in zip(features(x), features(y), strict=True)
    )
    assert stage.objective.reconstruction(one, other).item() == pytest.approx(expected / 2)


def test_no_features_are_built_without_their_weight(toys, tmp_path: Path) -> None:
    """With lambda_rec 0 a strategy without feature extractor works."""
    plain, asked = toys.recording(tmp_path)
    AdversarialStage(plain, toys.config(lambda_rec=0.0)).step(0)
    assert "feature-extractor" not in asked
    assert "discriminator" in asked


@pytest.mark.parametrize(("weights", "warned"), [(None, True), ("vgg19.pth", False)])
def test_features_without_weights_are_named(
    toys, tmp_path: Path, weights: str | None, warned: bool
) -> None:
    """An extractor that could have weights and has none is random, and training says so."""
    plain = toys.job(tmp_path)

    def weighted(kind: str) -> Part:
        part = toys.build(kind)
        options = {"weights": weights} if kind == "feature-extractor" else {}
        return Part(kind, part.component, options, part.module)

    object.__setattr__(plain, "build", weighted)
    AdversarialStage(plain, toys.config())
    assert ["has no weights" in message for message in plain.run.warnings] == [True] * warned

"""The losses against values computed by hand or by numpy and scipy."""

import numpy as np
import pytest
import torch
from scipy.special import expit

from b2b_plugin_losses import b2b_losses
from b2b_plugin_losses.adversarial import HingeGan, VanillaGan
from b2b_plugin_losses.config import (
    CharbonnierConfig,
    GradientPenaltyConfig,
    VanillaGanConfig,
)
from b2b_plugin_losses.fidelity import Charbonnier, Perceptual
from b2b_plugin_losses.penalty import GradientPenalty

REAL = torch.tensor([[[[1.5, -0.5], [0.0, 3.0]]]])
FAKE = torch.tensor([[[[-2.0, 0.5], [1.0, -0.1]]]])


def likelihood(logits: torch.Tensor) -> np.ndarray:
    """Return D's probabilities in float64."""
    return expit(logits.double().numpy())


def test_vanilla_discriminator_is_equation_3_negated() -> None:
    """D's term is -E log D(real) - E log(1 - D(fake))."""
    terms = VanillaGan(VanillaGanConfig())({"real": REAL, "fake": FAKE})
    expected = -np.log(likelihood(REAL)).mean() - np.log(1 - likelihood(FAKE)).mean()
    assert terms["discriminator"].item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("saturating", [True, False])
def test_vanilla_generator(saturating: bool) -> None:
    """G minimises log(1 - D) if saturating, else -log D; it needs no real pictures."""
    terms = VanillaGan(VanillaGanConfig(saturating=saturating))({"fake": FAKE})
    chance = likelihood(FAKE)
    expected = np.log(1 - chance).mean() if saturating else -np.log(chance).mean()
    assert set(terms) == {"generator"}
    assert terms["generator"].item() == pytest.approx(expected, rel=1e-6)


def test_vanilla_survives_huge_logits() -> None:
    """Where exp would overflow, the terms and their gradients stay finite."""
    logits = torch.tensor([[[[1e4, -1e4]]]], requires_grad=True)
    terms = VanillaGan(VanillaGanConfig())({"real": logits, "fake": logits})
    (terms["generator"] + terms["discriminator"]).backward()
    assert torch.isfinite(terms["discriminator"])
    assert torch.isfinite(logits.grad).all()


def test_hinge() -> None:
    """D's term is mean relu(1 - real) + mean relu(1 + fake); G's is -mean fake."""
    terms = HingeGan()({"real": REAL, "fake": FAKE})
    assert terms["discriminator"].item() == pytest.approx((1.5 + 1) / 4 + (1.5 + 2 + 0.9) / 4)
    assert terms["generator"].item() == pytest.approx(0.6 / 4)
    assert set(HingeGan()({"fake": FAKE})) == {"generator"}


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("target", [1.0, 0.0])
def test_penalty_of_a_linear_discriminator(reduction: str, target: float) -> None:
    """For D(x) = 3 (w, x) spread over 6 equal logits, the slope is 3 |w|, summed or averaged."""
    torch.manual_seed(0)
    weights = torch.randn(3, 4, 5)
    inputs = torch.rand(2, 3, 4, 5, requires_grad=True)
    logits = (3 * (inputs * weights).sum((1, 2, 3)))[:, None].expand(2, 6)[:, None, None]
    config = GradientPenaltyConfig(target=target, reduction=reduction)  # type: ignore[arg-type]
    penalty = GradientPenalty(config)({"inputs": inputs, "logits": logits})["penalty"]
    slope = 3 * float(weights.norm()) * (6 if reduction == "sum" else 1)
    assert penalty.item() == pytest.approx((slope - target) ** 2, rel=1e-5)


def test_penalty_trains_the_discriminator() -> None:
    """The penalty's gradient by D's weight agrees with finite differences."""
    torch.manual_seed(1)
    start = torch.rand(2, 1, 6, 6, dtype=torch.float64)
    weight = torch.randn(1, 1, 3, 3, dtype=torch.float64)

    def penalty(weight: torch.Tensor) -> torch.Tensor:
        inputs = start.clone().requires_grad_()
        logits = torch.tanh(torch.nn.functional.conv2d(inputs, weight))
        loss = GradientPenalty(GradientPenaltyConfig())
        return loss({"inputs": inputs, "logits": logits})["penalty"]

    assert torch.autograd.gradcheck(penalty, (weight.requires_grad_(),))


def test_penalty_is_differentiable_where_the_slope_vanishes() -> None:
    """A D that ignores its input gives penalty target squared, and no NaN."""
    inputs = torch.rand(2, 3, 4, 4, requires_grad=True)
    bias = torch.ones(1, requires_grad=True)
    logits = ((inputs.square() * 0).sum((1, 2, 3)) + bias)[:, None]
    penalty = GradientPenalty(GradientPenaltyConfig())({"inputs": inputs, "logits": logits})
    penalty["penalty"].backward()
    assert penalty["penalty"].item() == pytest.approx(1.0, abs=1e-6)
    assert bias.grad is None or torch.isfinite(bias.grad).all()


def test_perceptual_is_the_mean_absolute_difference() -> None:
    """It divides by the number of elements, so that maps of all sizes count alike."""
    output, target = torch.rand(2, 8, 3, 5), torch.rand(2, 8, 3, 5)
    expected = np.abs(output.numpy() - target.numpy()).mean()
    loss = Perceptual()({"output": output, "target": target})["perceptual"]
    assert loss.item() == pytest.approx(expected, rel=1e-6)


def test_charbonnier() -> None:
    """It is the mean of sqrt(d^2 + epsilon^2)."""
    output, target = torch.rand(2, 3, 4, 4), torch.rand(2, 3, 4, 4)
    loss = Charbonnier(CharbonnierConfig(epsilon=0.1))({"output": output, "target": target})
    expected = np.sqrt((output - target).double().numpy() ** 2 + 0.01).mean()
    assert loss["charbonnier"].item() == pytest.approx(expected, rel=1e-6)


def test_half_precision_is_summed_in_float32() -> None:
    """Terms of bfloat16 maps are float32."""
    maps = {"real": REAL.bfloat16(), "fake": FAKE.bfloat16()}
    maps |= {"output": maps["real"], "target": maps["fake"]}
    losses = (VanillaGan(VanillaGanConfig()), HingeGan(), Perceptual())
    terms = [value for loss in losses for value in loss(maps).values()]
    assert {value.dtype for value in terms} == {torch.float32}


@pytest.mark.parametrize("spec", b2b_losses(), ids=lambda spec: spec.name)
def test_specs_name_what_the_loss_takes(spec) -> None:
    """Each loss, built by its spec with default options, works on what `needs` lists."""
    inputs = torch.rand(2, 1, 4, 4, requires_grad=True)
    tensors = {
        "fake": FAKE,
        "inputs": inputs,
        "logits": inputs * 2,
        "output": inputs,
        "target": inputs.detach() + 1,
    }
    terms = spec.factory(spec.config())({name: tensors[name] for name in spec.needs})
    assert terms
    assert all(value.ndim == 0 and torch.isfinite(value) for value in terms.values())

"""Losses as a b2b plugin: two GAN losses, the gradient penalty, perceptual, Charbonnier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from b2b_core import hookimpl
from b2b_core.specs import LossSpec
from b2b_plugin_losses.config import (
    CharbonnierConfig,
    GradientPenaltyConfig,
    HingeGanConfig,
    PerceptualConfig,
    VanillaGanConfig,
)

if TYPE_CHECKING:
    from b2b_core.contracts import Loss


def build_vanilla_gan(config: VanillaGanConfig) -> Loss:
    """Build the cross entropy of Goodfellow et al."""
    from b2b_plugin_losses.adversarial import VanillaGan

    return VanillaGan(config)


def build_hinge_gan(config: HingeGanConfig) -> Loss:  # noqa: ARG001 - it has no options
    """Build the hinge loss."""
    from b2b_plugin_losses.adversarial import HingeGan

    return HingeGan()


def build_gradient_penalty(config: GradientPenaltyConfig) -> Loss:
    """Build the penalty on D's slope."""
    from b2b_plugin_losses.penalty import GradientPenalty

    return GradientPenalty(config)


def build_perceptual(config: PerceptualConfig) -> Loss:  # noqa: ARG001 - it has no options
    """Build the distance of feature maps."""
    from b2b_plugin_losses.fidelity import Perceptual

    return Perceptual()


def build_charbonnier(config: CharbonnierConfig) -> Loss:
    """Build the smooth absolute difference of pictures."""
    from b2b_plugin_losses.fidelity import Charbonnier

    return Charbonnier(config)


@hookimpl
def b2b_losses() -> list[
    LossSpec[VanillaGanConfig]
    | LossSpec[HingeGanConfig]
    | LossSpec[GradientPenaltyConfig]
    | LossSpec[PerceptualConfig]
    | LossSpec[CharbonnierConfig]
]:
    """Offer the losses."""
    return [
        LossSpec(
            name="vanilla-gan",
            config=VanillaGanConfig,
            factory=build_vanilla_gan,
            summary="cross entropy of D, the paper's Eq. 3; G's part saturating or not",
            citation="Goodfellow et al., Generative Adversarial Nets, NeurIPS 2014",
            needs=("fake",),
            role="adversarial",
        ),
        LossSpec(
            name="hinge-gan",
            config=HingeGanConfig,
            factory=build_hinge_gan,
            summary="hinge loss of D; what Blur2Blur's published code uses",
            citation="Lim and Ye, Geometric GAN, 2017",
            needs=("fake",),
            role="adversarial",
        ),
        LossSpec(
            name="gradient-penalty",
            config=GradientPenaltyConfig,
            factory=build_gradient_penalty,
            summary="squared difference of D's slope from a target, the paper's Eq. 4",
            citation="Gulrajani et al., Improved Training of Wasserstein GANs, NeurIPS 2017",
            needs=("inputs", "logits"),
            role="penalty",
        ),
        LossSpec(
            name="perceptual",
            config=PerceptualConfig,
            factory=build_perceptual,
            summary="mean absolute difference of feature maps, the paper's Eq. 5",
            citation="Johnson et al., Perceptual Losses for Real-Time Style Transfer, ECCV 2016",
            needs=("output", "target"),
            role="reconstruction",
        ),
        LossSpec(
            name="charbonnier",
            config=CharbonnierConfig,
            factory=build_charbonnier,
            summary="smooth absolute difference of pictures",
            citation="Charbonnier et al., Two Deterministic Half-Quadratic Algorithms, ICIP 1994",
            needs=("output", "target"),
            role="fidelity",
        ),
    ]

"""The adversarial strategy of the Blur2Blur paper as a b2b plugin: strategy `adversarial`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from b2b_core import hookimpl
from b2b_core.specs import StrategySpec
from b2b_plugin_adversarial.config import AdversarialConfig
from b2b_plugin_adversarial.presets import PRESETS

if TYPE_CHECKING:
    from b2b_core.contracts import Strategy


def build_strategy(config: AdversarialConfig) -> Strategy:
    """Build the strategy."""
    from b2b_plugin_adversarial.strategy import Adversarial

    return Adversarial(config)


@hookimpl
def b2b_strategies() -> list[StrategySpec[AdversarialConfig]]:
    """Offer the strategy `adversarial`."""
    return [
        StrategySpec(
            name="adversarial",
            config=AdversarialConfig,
            factory=build_strategy,
            summary="the paper's: G against D on the camera's pictures and on known blur",
            citation=(
                "Pham et al., Blur2Blur: Blur Conversion for Unsupervised Image Deblurring on "
                "Unknown Domains, CVPR 2024"
            ),
            needs=("translator", "discriminator", "kernel-extractor", "feature-extractor"),
            defaults={
                "discriminator": "edge-patchgan",
                "feature-extractor": "filter-bank",
            },
            presets=PRESETS,
        )
    ]

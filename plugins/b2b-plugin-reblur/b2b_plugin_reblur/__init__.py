"""The strategy `reblur`: first the camera's blur model, then supervision on re-blurred pictures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from b2b_core import hookimpl
from b2b_core.specs import StrategySpec
from b2b_plugin_reblur.config import ReblurConfig

if TYPE_CHECKING:
    from b2b_core.contracts import Strategy

__all__ = ["b2b_strategies"]


@hookimpl
def b2b_strategies() -> Iterable[StrategySpec[ReblurConfig]]:
    """Offer the strategy `reblur`."""
    return [
        StrategySpec(
            name="reblur",
            config=ReblurConfig,
            factory=_build,
            summary="learn how the camera blurs, then train on sharp pictures blurred that way",
            citation="this project; the idea of the known blur: Blur2Blur, Pham et al., CVPR 2024",
            # a kernel of 31 pixels and a random phase of the JPEG grid
            margin=46,
            needs=("discriminator", "translator"),
            defaults={"discriminator": "laplacian-patchgan", "translator": "unet"},
        )
    ]


def _build(config: ReblurConfig) -> Strategy:
    from b2b_plugin_reblur.strategy import Reblur

    return Reblur(config)

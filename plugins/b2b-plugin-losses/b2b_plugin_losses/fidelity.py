"""Losses that keep the content: of feature maps, and of pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from torch import Tensor

if TYPE_CHECKING:
    from b2b_plugin_losses.config import CharbonnierConfig


class Perceptual:
    """Mean absolute difference of one pair of feature maps `output`, `target`; term `perceptual`.

    The paper's Eq. 5 is its mean over the levels of a pyramid; a feature extractor with several
    maps scales each by its weight, and the maps' terms are added.
    """

    def __call__(self, tensors: Mapping[str, Tensor], /) -> dict[str, Tensor]:
        """Return the term in float32."""
        return {"perceptual": (tensors["output"].float() - tensors["target"].float()).abs().mean()}


class Charbonnier:
    """Mean of `sqrt(d^2 + epsilon^2)` of pictures `output`, `target`; term `charbonnier`."""

    def __init__(self, config: CharbonnierConfig) -> None:
        self._epsilon = config.epsilon

    def __call__(self, tensors: Mapping[str, Tensor], /) -> dict[str, Tensor]:
        """Return the term in float32."""
        difference = tensors["output"].float() - tensors["target"].float()
        return {"charbonnier": (difference.square() + self._epsilon**2).sqrt().mean()}

"""The gradient penalty (Gulrajani et al., NeurIPS 2017; zero-centred: Mescheder et al., 2018)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from b2b_plugin_losses.config import GradientPenaltyConfig

#: Keeps the norm differentiable at zero.
_TINY = 1e-16


class GradientPenalty:
    """Squared difference of a discriminator's slope from a target.

    Takes `inputs` `(B, C, H, W)`, a leaf that requires a gradient, and `logits`, any map
    `(B, 1, h, w)` computed from it in float32; returns `penalty`.
    """

    def __init__(self, config: GradientPenaltyConfig) -> None:
        self._target = config.target
        self._mean = config.reduction == "mean"

    def __call__(self, tensors: Mapping[str, Tensor], /) -> dict[str, Tensor]:
        """Return the mean over the batch; differentiable with respect to D."""
        inputs, logits = tensors["inputs"], tensors["logits"]
        judged = logits.flatten(1)
        # Every picture's gradient depends on its own logits only, so the batch may be summed.
        total = (judged.mean(1) if self._mean else judged.sum(1)).sum()
        (slope,) = torch.autograd.grad(total, inputs, create_graph=True)
        norm = slope.flatten(1).square().sum(1).add(_TINY).sqrt()
        return {"penalty": (norm - self._target).square().mean()}

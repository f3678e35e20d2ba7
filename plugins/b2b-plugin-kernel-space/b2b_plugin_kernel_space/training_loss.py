"""What the published extractor is trained with: reconstruction of the pair's own blurry picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

if TYPE_CHECKING:
    from b2b_core.contracts import BlurCode

#: Weight of the divergence beside the Charbonnier sum in the published training.
DIVERGENCE_WEIGHT = 10.0


def charbonnier(predicted: Tensor, target: Tensor, eps: float = 1e-6) -> Tensor:
    """Return the sum over pictures, channels and pixels of `sqrt(difference^2 + eps)`."""
    return (predicted - target).square().add(eps).sqrt().sum()


def divergence(code: BlurCode) -> Tensor:
    """Return twice the KL divergence of the code's distribution from N(0, 1), summed.

    The published sum of `mean^2 + sigma^2 - log(1e-8 + sigma^2) - 1`; zero for a code that is
    not a distribution.
    """
    if code.sigma is None:
        return code.mean.new_zeros(())
    variance = code.sigma.square()
    return (code.mean.square() + variance - (1e-8 + variance).log() - 1).sum()


def published_loss(predicted: Tensor, target: Tensor, code: BlurCode) -> Tensor:
    """Return the published objective: the Charbonnier sum and 10 times the divergence."""
    return charbonnier(predicted, target) + DIVERGENCE_WEIGHT * divergence(code)

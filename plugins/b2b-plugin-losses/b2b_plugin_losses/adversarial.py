"""The game of D and G, on maps of logits of any shape; one level of a pyramid at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from torch import Tensor
from torch.nn import functional as F

if TYPE_CHECKING:
    from b2b_plugin_losses.config import VanillaGanConfig


class VanillaGan:
    """Cross entropy: D says how likely a picture is real.

    Given `fake`, the logits of translated pictures, it returns `generator`; given `real`, the
    logits of known-blur pictures, too, also `discriminator`. Both are to be minimised.
    """

    def __init__(self, config: VanillaGanConfig) -> None:
        self._saturating = config.saturating

    def __call__(self, tensors: Mapping[str, Tensor], /) -> dict[str, Tensor]:
        """Return mean terms; softplus(-x) = -log sigmoid(x), without overflow."""
        fake = tensors["fake"].float()
        generator = -F.softplus(fake).mean() if self._saturating else F.softplus(-fake).mean()
        if "real" not in tensors:
            return {"generator": generator}
        real = F.softplus(-tensors["real"].float()).mean()
        return {"generator": generator, "discriminator": real + F.softplus(fake).mean()}


class HingeGan:
    """Hinge: D's logits are pushed beyond 1 for real and -1 for translated pictures.

    Inputs and terms as for `VanillaGan`.
    """

    def __call__(self, tensors: Mapping[str, Tensor], /) -> dict[str, Tensor]:
        """Return mean terms."""
        fake = tensors["fake"].float()
        if "real" not in tensors:
            return {"generator": -fake.mean()}
        real = F.relu(1 - tensors["real"].float()).mean()
        return {"generator": -fake.mean(), "discriminator": real + F.relu(1 + fake).mean()}

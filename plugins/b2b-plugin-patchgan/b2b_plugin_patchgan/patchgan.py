"""The 70x70 PatchGAN of pix2pix (Isola et al., CVPR 2017), one for all levels of a pyramid.

Each logit sees 70x70 pixels of its level. Parameter names are `model.{0,2,5,8,11}`, as in the
published code's checkpoints (2,764,737 parameters).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from b2b_plugin_patchgan.levels import checked_levels, group_norm

if TYPE_CHECKING:
    from b2b_plugin_patchgan.config import PatchGanConfig

#: Smallest level whose map of logits is not empty.
MINIMUM = 24


class PatchGan(nn.Module):
    """The discriminator; the same weights see every level.

    Args:
        config: width and normalisation.
    """

    def __init__(self, config: PatchGanConfig) -> None:
        super().__init__()
        width = config.width
        layers: list[nn.Module] = [nn.Conv2d(3, width, 4, 2, 1), nn.LeakyReLU(0.2)]
        for inputs, outputs, stride in (
            (width, 2 * width, 2),
            (2 * width, 4 * width, 2),
            (4 * width, 8 * width, 1),
        ):
            layers += [nn.Conv2d(inputs, outputs, 4, stride, 1), _norm(config.norm, outputs)]
            layers.append(nn.LeakyReLU(0.2))
        layers.append(nn.Conv2d(8 * width, 1, 4, 1, 1))
        if config.spectral:
            layers = [spectral_norm(x) if isinstance(x, nn.Conv2d) else x for x in layers]
        self.model = nn.Sequential(*layers)

    def forward(self, pyramid: Sequence[Tensor]) -> list[Tensor]:
        """Return one map of logits `(B, 1, H/8 - 2, W/8 - 2)` per level `(B, 3, H, W)`.

        Raises:
            TypeError: if `pyramid` is a tensor.
            UsageError: if a level is smaller than 24 pixels.
        """
        return [self.model(level) for level in checked_levels(pyramid, MINIMUM)]


def _norm(kind: str, channels: int) -> nn.Module:
    if kind == "instance":
        return nn.InstanceNorm2d(channels)
    return group_norm(channels) if kind == "group" else nn.Identity()

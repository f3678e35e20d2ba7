"""Random flips, rotations and colours, the same for B and S in distribution.

Crops are changed before anything is made of them, so that all levels of a pyramid, and K with the
sharp picture under it, share one draw.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kornia import augmentation
from torch import Tensor, nn

if TYPE_CHECKING:
    from b2b_plugin_adversarial.config import AugmentationConfig


class Augmentation:
    """Square crops `(B, 3, c, c)` in [0, 1] to the same; draws from torch's own generator.

    Args:
        config: what is done.
    """

    def __init__(self, config: AugmentationConfig) -> None:
        steps: list[nn.Module] = []
        if config.flip:
            steps += [augmentation.RandomHorizontalFlip(p=0.5)]
        if config.rotate:
            steps += [augmentation.RandomRotation90(times=(0, 3), p=1.0)]
        if config.jitter:
            strength = config.jitter
            steps += [augmentation.ColorJitter(strength, strength, strength, strength / 10, p=0.8)]
        self._steps = nn.Sequential(*steps)

    def __call__(self, crops: Tensor) -> Tensor:
        """Return new crops, each with its own draw."""
        changed: Tensor = self._steps(crops)
        return changed

"""The nearest known blur: which kernel of the known domain is closest to a camera's kernel."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from b2b_core.data.pairs import PairSet
from b2b_core.synthesis.kernels import kernel_bank
from b2b_plugin_reblur.kernels import blur_field

#: Kernels of the known domain that conversion may choose from, and their largest side in pixels:
#: the time to measure them grows with its fourth power, 128 of 31 pixels take 40 seconds.
BANK, LARGEST = 128, 17


class NearestKnownBlur:
    """Replaces each corner's kernel by a soft choice of the known kernels nearest to it.

    The choice is a softmax over negative squared distances of slightly blurred kernels: a hard
    nearest neighbour jumps between kernels and gives G a discontinuous target.

    Args:
        pairs: the known domain's pairs.
        size: side of the kernels in pixels.
        seed: which patches the kernels are estimated from.
        sharpness: inverse temperature relative to the mean distance in the bank.
    """

    def __init__(self, pairs: PairSet, size: int, seed: int, sharpness: float = 30.0) -> None:
        bank = kernel_bank(pairs, min(size, LARGEST), BANK, seed)
        border = (size - bank.shape[-1]) // 2
        self.bank = F.pad(bank, (border, border, border, border))
        self._features = _soften(self.bank)
        self._scale = sharpness / torch.cdist(self._features, self._features).square().mean()

    def kernels(self, camera: Tensor) -> Tensor:
        """Return known kernels of the shape of the camera's `(..., k, k)`."""
        flat = camera.reshape(-1, *camera.shape[-2:])
        features = self._features.to(camera.device)
        distance = torch.cdist(_soften(flat), features).square()
        choice = (-self._scale.to(camera.device) * distance).softmax(-1)
        return (choice @ self.bank.to(camera.device).flatten(1)).reshape(camera.shape)

    @torch.no_grad()
    def blur(self, sharp: Tensor, kernels: Tensor) -> Tensor:
        """Return `sharp` `(B, 3, H, W)` under known blur; stored values, as in the pairs."""
        half = kernels.shape[-1] // 2
        padded = F.pad(sharp, (half, half, half, half), mode="reflect")
        return blur_field(padded, self.kernels(kernels)).clamp(0, 1)


def _soften(kernels: Tensor) -> Tensor:
    """Return kernels as vectors, blurred so that near kernels are near in L2."""
    return F.avg_pool2d(kernels[:, None], 3, stride=1, padding=1).flatten(1)

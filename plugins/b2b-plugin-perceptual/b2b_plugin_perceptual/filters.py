"""A fixed bank of filters at several scales: features that need no weights.

Per colour channel and scale: a Gaussian (ties colour and brightness), its first derivatives in
several directions (edges), its Laplacian (spots), and even Gabor filters in the same directions
(texture), after the banks of Leung and Malik (IJCV 2001). All but the Gaussian sum to zero; each
has unit sum of magnitudes, so no filter outweighs another.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from b2b_plugin_perceptual.frozen import FrozenModule
from b2b_plugin_perceptual.pyramid import area_pyramid

if TYPE_CHECKING:
    from b2b_plugin_perceptual.config import FilterBankConfig


def filter_bank(sigma: float, orientations: int) -> Tensor:
    """Return the filters `(2 + 2 * orientations, side, side)` in float64.

    Order: Gaussian, Laplacian of Gaussian, first derivatives, Gabor filters of wavelength
    4 sigma; direction k is at angle `k * pi / orientations` from the x axis.
    """
    reach = max(1, math.ceil(3 * sigma))
    offsets = torch.arange(-reach, reach + 1, dtype=torch.float64)
    y, x = torch.meshgrid(offsets, offsets, indexing="ij")
    square = (x.square() + y.square()) / sigma**2
    gaussian = torch.exp(-square / 2)
    along = [
        x * math.cos(angle) + y * math.sin(angle)
        for angle in (math.pi * k / orientations for k in range(orientations))
    ]
    derivatives = [-distance * gaussian for distance in along]
    gabors = [torch.cos(math.pi / (2 * sigma) * distance) * gaussian for distance in along]
    oscillating = [(square - 2) * gaussian, *derivatives, *gabors]
    bank = torch.stack([gaussian, *(_without_mean(f, gaussian) for f in oscillating)])
    return bank / bank.abs().sum(dim=(-2, -1), keepdim=True)


class FilterBank(FrozenModule):
    """The bank applied to every colour channel at every scale.

    Args:
        config: scales, width of the filters, number of directions.
    """

    bank: Tensor

    def __init__(self, config: FilterBankConfig) -> None:
        super().__init__()
        self.scales = config.scales
        bank = filter_bank(config.sigma, config.orientations)
        self.register_buffer("bank", bank.repeat(3, 1, 1)[:, None], persistent=False)
        self.freeze()

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return `(B, 3 * (2 + 2 * orientations), h, w)` per scale, fine to coarse.

        Computed in float32 at least, also under autocast.
        """
        image = image.to(torch.promote_types(image.dtype, torch.float32))
        bank = self.bank.to(image.dtype)
        reach = [bank.shape[-1] // 2] * 4
        with torch.autocast(image.device.type, enabled=False):
            return [
                F.conv2d(F.pad(level, reach, mode="replicate"), bank, groups=3)
                for level in area_pyramid(image, self.scales)
            ]


def _without_mean(kernel: Tensor, envelope: Tensor) -> Tensor:
    return kernel - kernel.sum() / envelope.sum() * envelope

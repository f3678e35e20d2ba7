"""A discriminator that sees blur.

A plain PatchGAN halves the picture in its first layer and stays at chance between two blurs. This
one works on the picture and its Laplacian side by side and keeps the full resolution in its first
layer; group normalisation keeps the strength of edges, which instance normalisation removes from
each channel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from b2b_plugin_patchgan.levels import checked_levels, group_norm

if TYPE_CHECKING:
    from b2b_plugin_patchgan.config import LaplacianPatchGanConfig

#: Smallest level whose map of logits is not empty.
MINIMUM = 13


def laplacian(image: Tensor) -> Tensor:
    """Return the 5-point Laplacian of `(B, C, H, W)`, same shape, border pixels repeated.

    Written as differences, which autocast leaves in float32; a convolution in bfloat16 would
    round away exactly what is looked for.
    """
    padded = F.pad(image, (1, 1, 1, 1), mode="replicate")
    vertical = padded[..., :-2, 1:-1] + padded[..., 2:, 1:-1]
    horizontal = padded[..., 1:-1, :-2] + padded[..., 1:-1, 2:]
    return vertical + horizontal - 4 * image


class LaplacianPatchGan(nn.Module):
    """The discriminator; the same weights see every level.

    Args:
        config: width, gain of the Laplacian and noise on the input.
    """

    #: Where the input noise comes from; None: torch's default generator.
    noise_generator: Generator | None = None

    def __init__(self, config: LaplacianPatchGanConfig) -> None:
        super().__init__()
        width = config.width
        self.gain = config.gain
        self.input_noise = config.input_noise
        layers: list[nn.Module] = [nn.Conv2d(6, width, 4, 1, 1), nn.LeakyReLU(0.2)]
        for inputs, outputs, stride in (
            (width, 2 * width, 2),
            (2 * width, 4 * width, 2),
            (4 * width, 4 * width, 1),
        ):
            layers += [nn.Conv2d(inputs, outputs, 4, stride, 1), group_norm(outputs)]
            layers.append(nn.LeakyReLU(0.2))
        layers.append(nn.Conv2d(4 * width, 1, 4, 1, 1))
        self.model = nn.Sequential(*layers)

    def forward(self, pyramid: Sequence[Tensor]) -> list[Tensor]:
        """Return one map of logits `(B, 1, h, w)`, about a quarter as wide, per level.

        Raises:
            TypeError: if `pyramid` is a tensor.
            UsageError: if a level is smaller than 13 pixels.
        """
        return [self._judge(level) for level in checked_levels(pyramid, MINIMUM)]

    def _judge(self, image: Tensor) -> Tensor:
        image = image.to(torch.promote_types(image.dtype, torch.float32))
        if self.training and self.input_noise > 0:
            noise = torch.randn(
                image.shape,
                generator=self.noise_generator,
                device=image.device,
                dtype=image.dtype,
            )
            image = image + self.input_noise * noise
        logits: Tensor = self.model(torch.cat([image, self.gain * laplacian(image)], dim=1))
        return logits

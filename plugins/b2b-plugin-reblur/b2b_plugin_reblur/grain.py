"""What noise does to flat parts: the cue that tells it from blur.

Spectra relative to a crop's contrast say how much fine detail there is, not whether it is detail:
less noise and more blur look alike. In the flattest block of a crop there is nothing but noise.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from b2b_core.data.crops import CropSampler
from b2b_core.energy import energy_distance, spread

#: Side of a block in pixels; its detail is a mean over a quarter as many coefficients.
BLOCK = 32
#: Crops of B whose grain is measured.
CROPS = 384


def grain(image: Tensor) -> Tensor:
    """Return how grainy the flattest dark block and the flattest bright block of each crop are.

    The diagonal Haar detail of white noise has the noise's own variance (Donoho and Johnstone,
    1994). Two blocks, because noise depends on the light.

    Args:
        image: `(B, 3, c, c)` in [0, 1]; only green is looked at, the channel cameras treat least.

    Returns:
        `(B, 2)`: the natural logarithm of the variance of detail, darker half of the blocks first.
    """
    side = min(BLOCK, image.shape[-1] // 4 * 2)
    blocks = image[:, 1].float().unfold(1, side, side).unfold(2, side, side).flatten(1, 2)
    top, low = blocks[..., ::2, :], blocks[..., 1::2, :]
    detail = (top[..., ::2] - top[..., 1::2] - low[..., ::2] + low[..., 1::2]) / 2
    # A quarter of the variance of rounding to 8 bits keeps the logarithm finite.
    level = (detail.square().mean((-1, -2)) + 1 / 255**2 / 48).log()
    darkest_first = level.gather(1, blocks.mean((-1, -2)).argsort(1))
    half = darkest_first.shape[1] // 2
    return torch.stack([darkest_first[:, :half].amin(1), darkest_first[:, half:].amin(1)], 1)


class GrainMatch(nn.Module):
    """Matches the distribution of the grain of R(S) to that of B, by the energy distance.

    Args:
        blurry: crops of B.
        device: of R.
    """

    camera: Tensor
    own: Tensor

    def __init__(self, blurry: CropSampler, device: torch.device) -> None:
        super().__init__()
        batches = [grain(blurry.batch(step, 16)) for step in range(CROPS // 16)]
        camera = torch.cat(batches)
        self.register_buffer("camera", camera.to(device))
        self.register_buffer("own", spread(camera).to(device))

    def forward(self, made: Tensor) -> Tensor:
        """Return the energy distance of crops of R(S) `(B, 3, c, c)` from B's, at least two."""
        return energy_distance(grain(made), self.camera, self.own)

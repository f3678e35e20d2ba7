"""What blur does to the mean spectrum: the quickest cue to its size.

Content differs between B and S, but over many crops the logarithm of their power, band by band,
differs by what the camera does: blur, noise, compression. R(S) has to differ from S by the same.
Content cancels in that comparison, for R(S) and S show the same scenes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from b2b_core.data.crops import CropSampler
from b2b_core.typed_torch import fft

#: Number of rings of spatial frequency and of directions in each.
BANDS, SECTORS = 14, 6
#: Highest frequency that is compared apart, in cycles per pixel; the corners join the last ring.
HIGHEST = 0.5
#: Crops of each set from which the camera's effect is measured.
CROPS = 384
#: How much of the past the running means keep.
MEMORY = 0.95


def band_power(image: Tensor) -> Tensor:
    """Return the log power of luminance in rings of frequency, by direction.

    Within a ring the directions are sorted by power: motion takes power from some directions only,
    and which ones differs from picture to picture.

    Args:
        image: `(B, 3, c, c)` in [0, 1].

    Returns:
        `(B, BANDS, SECTORS)`: natural logarithm of the mean power under a Hann window, in each
        ring the strongest direction first.
    """
    grey = image.float().mean(1)
    grey = grey - grey.mean((-1, -2), keepdim=True)
    side = grey.shape[-1]
    window = torch.hann_window(side, periodic=False, device=image.device)
    power = fft.fft2(grey * window[:, None] * window[None]).abs().square().flatten(1)
    cell = _cells(side, image.device)
    empty = torch.zeros(image.shape[0], BANDS * SECTORS, device=image.device)
    counts = empty[0].index_add(0, cell, torch.ones_like(power[0])).clamp_min(1)
    # One 8-bit step of noise keeps the logarithm finite on flat crops.
    floor = window.square().sum() ** 2 / 255**2 / 12
    logs = (empty.index_add(1, cell, power) / counts + floor).log()
    return logs.reshape(-1, BANDS, SECTORS).sort(-1, descending=True).values


class SpectrumMatch(nn.Module):
    """Matches what R does to the mean spectrum of crops to what the camera does.

    Powers are relative to each crop's own lowest bands, so that the contrast of the scenes, which
    differs between B and S, does not matter.

    Args:
        blurry: crops of B.
        sharp: crops of S, of the same side.
        device: of R.
    """

    camera: Tensor
    effect: Tensor
    seen: Tensor

    def __init__(self, blurry: CropSampler, sharp: CropSampler, device: torch.device) -> None:
        super().__init__()
        self.register_buffer("camera", (_mean(blurry) - _mean(sharp)).to(device))
        self.register_buffer("effect", torch.zeros(BANDS, SECTORS, device=device))
        self.register_buffer("seen", torch.zeros((), device=device))

    def forward(self, made: Tensor, sharp: Tensor) -> Tensor:
        """Return a scalar whose gradient is that of the squared distance of the means.

        The distance is taken from a running mean, the gradient through this batch alone: squaring
        a batch's own difference would punish blurs for differing from each other.

        Args:
            made: R(S) `(B, 3, c, c)`.
            sharp: S of the same windows.
        """
        effect = (relative_power(made) - relative_power(sharp)).mean(0)
        with torch.no_grad():
            self.seen += 1
            rate = torch.maximum(1 / self.seen, self.seen.new_tensor(1 - MEMORY))
            self.effect.lerp_(effect, rate)
            difference = self.effect - self.camera
        return (2 * difference * effect).mean()

    def distance(self) -> float:
        """Return the root mean square difference over the bands, in nepers of power."""
        return float((self.effect - self.camera).square().mean().sqrt())


def relative_power(image: Tensor) -> Tensor:
    """Return `band_power` less each crop's mean in bands 1 and 2, which blur hardly touches."""
    bands = band_power(image)
    return bands - bands[:, 1:3].mean((1, 2), keepdim=True)


@torch.no_grad()
def _mean(sampler: CropSampler) -> Tensor:
    batches = [relative_power(sampler.batch(step, 16)) for step in range(CROPS // 16)]
    return torch.cat(batches).mean(0)


def _cells(side: int, device: torch.device) -> Tensor:
    """Return the ring and sector of every frequency of a `side` x `side` spectrum, flat."""
    frequency = fft.fftfreq(side, device=device)
    y, x = frequency[:, None].expand(side, side), frequency[None].expand(side, side)
    ring = ((x**2 + y**2).sqrt() / HIGHEST * BANDS).long().clamp_max(BANDS - 1)
    # A real picture's power is the same at opposite frequencies: half a turn is all there is.
    turn = (torch.atan2(y, x) / torch.pi) % 1
    cell = ring * SECTORS + (turn * SECTORS).long().clamp_max(SECTORS - 1)
    return cell.flatten()

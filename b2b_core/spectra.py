"""What blur does to spectra: the quickest cue to its size, shape and variety.

Content differs between B and S, but over many crops the logarithm of their power, band by band,
differs by what the camera does: blur, noise, compression. The distribution of the spectra of R(S)
has to be that of B's.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from b2b_core.data.crops import CropSampler
from b2b_core.energy import energy_distance, spread
from b2b_core.typed_torch import fft, linalg

#: Number of rings of spatial frequency and of directions in each.
BANDS, SECTORS = 14, 6
#: Highest frequency that is compared apart, in cycles per pixel; the corners join the last ring.
HIGHEST = 0.5
#: Crops of each set from which the camera's effect is measured.
CROPS = 384
#: Directions in which spectra are compared.
VIEWS = 8
#: What is added to the variance of each feature over S: a share of their mean, and how well single
#: crops tell a band's power at all (a tenth of a neper), for scenes that are all alike.
RIDGE, PRECISION = 0.02, 0.1


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
    return _cell_power(image).log().sort(-1, descending=True).values


def ring_power(image: Tensor) -> Tensor:
    """Return the mean power of luminance in rings of frequency, `(B, BANDS)`, of `(B, 3, c, c)`.

    Not its logarithm, so that powers of pictures and of errors can be set against each other.
    """
    return _cell_power(image).mean(-1)


def ring_sizes(side: int) -> Tensor:
    """Return how many frequencies of a `side` x `side` spectrum each ring holds, `(BANDS,)`."""
    cell = _cells(side, torch.device("cpu"))
    return torch.bincount(cell, minlength=BANDS * SECTORS).reshape(BANDS, SECTORS).sum(-1)


class SpectrumMatch(nn.Module):
    """Matches the *distribution* of the spectra of R(S) to that of B.

    Means alone would be satisfied by one blur for all pictures. So single crops are compared, by
    the energy distance (Szekely and Rizzo, 2013): zero for equal distributions only, and unbiased
    in batches. Each crop is seen in the few directions in which B differs most from S, relative to
    how much S's own scenes differ: what only the scenes decide has little say.

    Args:
        blurry: crops of B.
        sharp: crops of S, of the same side.
        device: of R.
    """

    view: Tensor
    middle: Tensor
    camera: Tensor
    own: Tensor

    def __init__(self, blurry: CropSampler, sharp: CropSampler, device: torch.device) -> None:
        super().__init__()
        of_blurry, of_sharp = _features(blurry), _features(sharp)
        middle = of_sharp.mean(0)
        view = _view(of_blurry - middle, of_sharp - middle)
        self.register_buffer("middle", middle.to(device))
        self.register_buffer("view", view.to(device))
        camera = (of_blurry - middle) @ view
        self.register_buffer("camera", camera.to(device))
        self.register_buffer("own", spread(camera).to(device))

    def forward(self, made: Tensor) -> Tensor:
        """Return the energy distance of crops of R(S) `(B, 3, c, c)` from B's, at least two.

        The unit is the deviation of S's own scenes.
        """
        seen = (relative_power(made).flatten(1) - self.middle) @ self.view
        return energy_distance(seen, self.camera, self.own)


def _view(of_blurry: Tensor, of_sharp: Tensor) -> Tensor:
    """Return `(features, VIEWS)`: where B's second moment is largest, relative to S's."""
    covariance = of_sharp.T @ of_sharp / len(of_sharp)
    size = covariance.diagonal().mean()
    values, vectors = linalg.eigh(covariance)
    whiten = vectors * (values + RIDGE * size + PRECISION**2).rsqrt() @ vectors.T
    seen = of_blurry @ whiten
    _, directions = linalg.eigh(seen.T @ seen / len(seen))
    return whiten @ directions[:, -VIEWS:]


def relative_power(image: Tensor) -> Tensor:
    """Return `band_power` less each crop's mean in bands 1 and 2, which blur hardly touches."""
    bands = band_power(image)
    return bands - bands[:, 1:3].mean((1, 2), keepdim=True)


@torch.no_grad()
def _features(sampler: CropSampler) -> Tensor:
    batches = [relative_power(sampler.batch(step, 16)) for step in range(CROPS // 16)]
    return torch.cat(batches).flatten(1)


def _cell_power(image: Tensor) -> Tensor:
    """Return the mean power in each ring and sector under a Hann window, `(B, BANDS, SECTORS)`."""
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
    means = empty.index_add(1, cell, power) / counts + floor
    return means.reshape(-1, BANDS, SECTORS)


def _cells(side: int, device: torch.device) -> Tensor:
    """Return the ring and sector of every frequency of a `side` x `side` spectrum, flat."""
    frequency = fft.fftfreq(side, device=device)
    y, x = frequency[:, None].expand(side, side), frequency[None].expand(side, side)
    ring = ((x**2 + y**2).sqrt() / HIGHEST * BANDS).long().clamp_max(BANDS - 1)
    # A real picture's power is the same at opposite frequencies: half a turn is all there is.
    turn = (torch.atan2(y, x) / torch.pi) % 1
    cell = ring * SECTORS + (turn * SECTORS).long().clamp_max(SECTORS - 1)
    return cell.flatten()

"""How near a known domain's blur is to a camera's, measured on unpaired pictures.

The camera's sharp pictures under the domain's blur are held against its blurry pictures, and its
blurry pictures, deblurred, against its sharp ones: each time the same scenes on both sides, so that
what is left of the distance between spectra (`SpectrumMatch`) is blur.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import mean, stdev

import torch
from attrs import frozen
from torch import Tensor, nn

from b2b_core.data.crops import CropSampler
from b2b_core.data.pictures import PictureSet
from b2b_core.errors import UsageError
from b2b_core.images.sizes import crop_to, pad_to
from b2b_core.specs import SizeRule
from b2b_core.spectra import SpectrumMatch
from b2b_core.synthesis.known import KnownBlur
from b2b_core.synthesis.noise import missing_noise
from b2b_core.synthesis.sources import BlurSource, blur_each
from b2b_core.training.precision import Numerics

#: Side of the crops that are compared, in pixels, and the smallest that tells blurs apart.
SIDE, LEAST = 96, 64
#: Batches that are measured one by one; their spread gives the standard error.
BATCHES = 8
#: Crops of a batch, under a domain's blur and through a deblurrer.
BLURRED, RESTORED = 32, 16
#: Kernels that are measured on a domain's pairs, and their side in pixels, odd.
KERNELS, KERNEL = 128, 17
#: Crops from which noise is measured, and the longest side of these in pixels.
_NOISE_CROPS, _NOISE_SIDE = 24, 256


@frozen(eq=False)
class Distance:
    """An energy distance; smaller is nearer, and chance may make it slightly negative."""

    batches: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean over the batches, in deviations of the scenes' own spectra."""
        return mean(self.batches)

    @property
    def error(self) -> float:
        """The standard error of the mean, by the spread of the batches."""
        return stdev(self.batches) / math.sqrt(len(self.batches))

    def beyond(self, other: Distance) -> Distance:
        """Return by how much this is farther than `other`, batch by batch, on the same crops."""
        pairs = zip(self.batches, other.batches, strict=True)
        return Distance(tuple(ours - theirs for ours, theirs in pairs))


class BatchKernels:
    """A domain's kernels, other ones in each batch.

    So the spread of the batches also tells what another choice of kernels would have changed.

    Args:
        bank: `(N, k, k)`, of `b2b_core.synthesis.kernels.kernel_bank`.
    """

    def __init__(self, bank: Tensor) -> None:
        self._bank = bank

    def blur(self, sharp: Tensor, step: int) -> Tensor:
        """Return each picture under one kernel; those that come again are mirrored."""
        place = step + BATCHES * torch.arange(len(sharp))
        kernels = self._bank[place % len(self._bank)]
        again = place // len(self._bank) % 2 == 1
        kernels = torch.where(again[:, None, None], kernels.flip(-1), kernels)
        return blur_each(sharp, kernels.to(sharp))


class Nearness:
    """Measures domains on one camera; a pure function of pictures, domain and seed.

    Args:
        blurry: the camera's blurry pictures.
        sharp: its sharp pictures, not of the same moments.
        seed: which crops are compared.
        numerics: device and number format.

    Raises:
        UsageError: if a picture is smaller than `LEAST` pixels.
    """

    def __init__(
        self, blurry: PictureSet, sharp: PictureSet, seed: int, numerics: Numerics
    ) -> None:
        smallest = min(_smallest(pictures) for pictures in (blurry, sharp))
        self.side = min(SIDE, smallest)
        self._seed, self._numerics = seed, numerics
        self._blurry = CropSampler(blurry, self.side, seed, "rank-blurry")
        self._sharp = CropSampler(sharp, self.side, seed, "rank-sharp")
        ours = CropSampler(blurry, self.side, seed, "rank-camera")
        clear = CropSampler(sharp, self.side, seed, "rank-clear")
        self._to_blurry = SpectrumMatch(ours, clear, numerics.device)
        self._to_sharp = SpectrumMatch(clear, ours, numerics.device)
        self._codings = blurry.habitual_codings
        noise_side = min(_NOISE_SIDE, smallest)
        self._noisy = CropSampler(blurry, noise_side, seed, "rank-noise-blurry")
        self._clean = CropSampler(sharp, noise_side, seed, "rank-noise-sharp")

    def unblurred(self) -> Distance:
        """Return how far the sharp pictures are from the blurry ones as they are."""
        return self._measured(self._to_blurry, lambda step: self._sharp.batch(step, BLURRED))

    def unrestored(self) -> Distance:
        """Return how far the blurry pictures are from the sharp ones as they are."""
        return self._measured(self._to_sharp, lambda step: self._blurry.batch(step, RESTORED))

    def of_blur(self, source: BlurSource) -> Distance:
        """Return how far the sharp pictures under a domain's blur are from the blurry ones.

        They get the noise that blurring took from them and the camera's compression.
        """
        known = KnownBlur(source, self._seed, self._noise(source), self._codings)

        def made(step: int) -> Tensor:
            sharp = self._sharp.batch(step, BLURRED).to(self._numerics.device)
            return known.batch(sharp, step)

        return self._measured(self._to_blurry, made)

    def of_deblurrer(self, network: nn.Module, size: SizeRule) -> Distance:
        """Return how far the blurry pictures, deblurred, are from the sharp ones.

        Args:
            network: frozen, on the device of the numerics.
            size: the sizes that it takes.
        """

        def restored(step: int) -> Tensor:
            padded, shape = pad_to(self._blurry.batch(step, RESTORED), size)
            with self._numerics.autocast():
                output: Tensor = network(padded.to(self._numerics.device))
            return crop_to(output.float(), shape)

        return self._measured(self._to_sharp, restored)

    @torch.no_grad()
    def _measured(self, match: SpectrumMatch, batch: Callable[[int], Tensor]) -> Distance:
        """Return the distance of all batches, rounded to 8 bits as the camera's pictures are."""
        found: list[float] = []
        for step in range(BATCHES):
            levels = (batch(step).clamp(0, 1) * 255).round()
            found.append(float(match(levels.to(self._numerics.device) / 255)))
        return Distance(tuple(found))

    def _noise(self, source: BlurSource) -> float:
        made = (
            source.blur(self._clean.batch(step, 1).to(self._numerics.device), step)
            for step in range(_NOISE_CROPS)
        )
        known = [blurred[0].float().clamp(0, 1).cpu() for blurred in made]
        return missing_noise(self._noisy.batch(0, _NOISE_CROPS), known)


def _smallest(pictures: PictureSet) -> int:
    """Return the shortest side of a set in pixels; refuse pictures that are too small."""
    small = [picture for picture in pictures if min(picture.pixels.shape[1:]) < LEAST]
    if small:
        raise UsageError(
            f"{len(small)} {pictures.role} picture(s) smaller than the {LEAST} pixels that tell "
            f"blurs apart, the first is {small[0].path.name}",
            where=small[0].path.parent,
            mend="remove them",
        )
    return pictures.shortest_side

"""Where a known domain's blur comes from: codes of its pairs, or kernels measured on them.

Both give every picture the blur of a random place in a random pair, never one tied to it.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from b2b_core.contracts import KernelExtractor
from b2b_core.data.pairs import PairSet
from b2b_core.data.seeding import torch_rng
from b2b_core.images.sizes import crop_to, pad_to
from b2b_core.specs import SizeRule
from b2b_core.synthesis.kernels import kernel_bank


class BlurSource(Protocol):
    """Puts a known domain's blur on pictures."""

    def blur(self, sharp: Tensor, step: int) -> Tensor:
        """Return `sharp` `(B, 3, H, W)` blurred, same shape, not clamped.

        A pure function of the source's seed, the step and the pictures.
        """
        ...


class CodeBlur:
    """Blur codes of a kernel extractor, as in the paper (transfer: Tran et al., CVPR 2021).

    Args:
        extractor: frozen, on the device of the pictures that it will get.
        pairs: the domain's pairs, from which the codes come.
        seed: the run's seed.
        crop: side of the pairs' crops that codes are taken from, in pixels; the side of the
            pictures that they are applied to.
        size: what sizes the extractor takes.
    """

    def __init__(
        self, extractor: KernelExtractor, pairs: PairSet, seed: int, crop: int, size: SizeRule
    ) -> None:
        self._extractor = extractor
        self._pairs = pairs
        self._seed = seed
        self._crop = crop
        self._size = size

    @torch.no_grad()
    def blur(self, sharp: Tensor, step: int) -> Tensor:
        """Return the pictures under the codes of random crops of random pairs."""
        references = self._pairs.batch(self._crop, len(sharp), self._seed, "known-blur", step)
        reference, blurry = (
            pad_to(side.to(sharp.device, sharp.dtype), self._size)[0] for side in references
        )
        padded, shape = pad_to(sharp, self._size)
        code = self._extractor.extract(reference, blurry)
        drawn = code.mean
        if code.sigma is not None:
            # Drawn on the CPU, so that a device does not change what is drawn.
            draw = torch_rng(self._seed, "known-code", step)
            drawn = drawn + code.sigma * torch.randn(drawn.shape, generator=draw).to(drawn)
        return crop_to(self._extractor.reblur(padded, drawn), shape)


class KernelBlur:
    """Kernels measured on patches of the pairs; needs no trained network.

    One kernel per picture: blur that varies within it is left out.

    Args:
        pairs: the domain's pairs.
        seed: the run's seed.
        size: side of the kernels in pixels, odd.
        count: how many kernels are measured.

    Raises:
        B2bError: if no patch of the pairs is explained by a kernel.
    """

    def __init__(self, pairs: PairSet, seed: int, size: int = 17, count: int = 128) -> None:
        self._seed = seed
        self._kernels = kernel_bank(pairs, size, count, seed)

    @torch.no_grad()
    def blur(self, sharp: Tensor, step: int) -> Tensor:
        """Return each picture under a random kernel, mirrored left to right half of the time."""
        draw = torch_rng(self._seed, "known-kernel", step)
        chosen = torch.randint(len(self._kernels), (len(sharp),), generator=draw)
        kernels = self._kernels[chosen]
        mirrored = torch.rand(len(sharp), generator=draw) < 0.5
        kernels = torch.where(mirrored[:, None, None], kernels.flip(-1), kernels)
        return blur_each(sharp, kernels.to(sharp))


def blur_each(image: Tensor, kernels: Tensor) -> Tensor:
    """Return each picture of `(B, C, H, W)` under its own kernel of `(B, k, k)`, k odd.

    The order is that of `fit_kernel`; the border is mirrored.
    """
    count, channels = image.shape[:2]
    half = kernels.shape[-1] // 2
    padded = F.pad(image, (half, half, half, half), mode="reflect")
    weights = kernels.repeat_interleave(channels, dim=0)[:, None]
    flat = padded.reshape(1, count * channels, *padded.shape[-2:])
    return F.conv2d(flat, weights, groups=count * channels).reshape(image.shape)

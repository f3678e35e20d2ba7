"""Blur kernels of aligned blurry-sharp patches, by constrained least squares.

The model: over a small patch, blurry = sharp correlated with one kernel that is non-negative and
sums to one. It is fitted to gradients, which flat areas and offsets leave alone, and solved on the
simplex by accelerated projected gradients (Beck and Teboulle 2009; projection: Duchi et al. 2008).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from attrs import frozen
from torch import Tensor
from torch.nn import functional as F

from b2b_core.data.pairs import LoadedPair, PairSet
from b2b_core.data.seeding import numpy_rng
from b2b_core.errors import B2bError
from b2b_core.typed_torch import linalg

#: Patches whose gradients a kernel explains worse than this (share left over) are dropped.
WORST_RESIDUAL = 0.15
#: Smallest mean squared gradient, in the direction that has least, of a textured patch.
LEAST_TEXTURE = 2e-4
_LUMINANCE = (0.299, 0.587, 0.114)
_ITERATIONS = 300
#: Patches tried for every kernel that is wanted.
_TRIES = 12
#: Pairs that are decoded together: in vain at the end of the search, but in parallel.
_AT_ONCE = 8


@frozen(eq=False)
class KernelFit:
    """A fitted kernel and what it leaves unexplained."""

    #: `(size, size)`, non-negative, sum 1; `blurry[p] = sum_i kernel[i] sharp[p + i - size // 2]`.
    kernel: Tensor
    #: Energy of the gradients left over, as a share of all: 0 = explained, 1 = not at all.
    residual: float


def fit_kernel(
    sharp: Tensor, blurry: Tensor, size: int, *, exponent: float = 1.0, ridge: float = 1e-3
) -> Tensor:
    """Return the kernel `(size, size)` that blurs `sharp` to `blurry`: non-negative, sum 1.

    The order is that of a convolution layer (correlation): a kernel whose weight lies to the
    right of the middle takes from the right.

    Args:
        sharp: textured patch `(3, H, W)` in [0, 1], at least three kernels wide.
        blurry: the aligned blurry patch, same shape.
        size: side of the kernel in pixels, odd.
        exponent: response of the camera; 2.2 fits in linear light, 1 to the stored values.
        ridge: pull to an even kernel, as a share of the patch's mean gradient energy.

    Raises:
        ValueError: for an even size, unequal shapes, or a patch that is too small.
    """
    return fit(sharp, blurry, size, exponent=exponent, ridge=ridge).kernel


def fit(
    sharp: Tensor, blurry: Tensor, size: int, *, exponent: float = 1.0, ridge: float = 1e-3
) -> KernelFit:
    """Return the kernel of `fit_kernel` with its residual; arguments and errors as there."""
    if size % 2 == 0 or size < 1:
        raise ValueError(f"a kernel's side is odd, not {size}")
    if sharp.shape != blurry.shape or min(sharp.shape[-2:]) < 3 * size:
        raise ValueError(
            f"patches of {tuple(sharp.shape)} and {tuple(blurry.shape)} do not fit a kernel of "
            f"{size}: they must be alike and at least {3 * size} pixels wide"
        )
    gram = torch.zeros(size * size, size * size, dtype=torch.float64)
    moment = torch.zeros(size * size, dtype=torch.float64)
    energy = 0.0
    pairs = zip(_gradients(sharp, exponent), _gradients(blurry, exponent), strict=True)
    for source, target in pairs:
        shifts = F.unfold(source[None, None], size)[0]
        border = size // 2
        wanted = target[border : -border or None, border : -border or None].flatten()
        gram += (shifts @ shifts.T).double()
        moment += (shifts @ wanted).double()
        energy += float(wanted.square().sum())
    damped = gram + ridge * gram.diagonal().mean() * torch.eye(size * size, dtype=torch.float64)
    kernel = _on_simplex(damped, moment)
    left = energy - 2 * float(kernel @ moment) + float(kernel @ gram @ kernel)
    residual = max(0.0, left) / energy if energy > 0 else 1.0
    return KernelFit(kernel.float().reshape(size, size), residual)


def kernel_bank(
    pairs: PairSet, size: int, count: int, seed: int, *, exponent: float = 1.0
) -> Tensor:
    """Return kernels `(N, size, size)`, N <= `count`, of textured patches of a domain's pairs.

    Patches are drawn at random, as a pure function of the seed. Those without texture in two
    directions are passed over, and those that one kernel does not explain (a moving edge, an
    occlusion, a highlight) are dropped, so that fewer than `count` kernels may come back.

    Args:
        pairs: the domain's pairs; those narrower than `3 * size` pixels are passed over.
        size: side of the kernels in pixels, odd.
        count: how many kernels are wanted.
        seed: the run's seed.
        exponent: as in `fit_kernel`.

    Raises:
        B2bError: if no patch will do.
    """
    side = max(64, 4 * size)
    kernels: list[Tensor] = []
    for sharp, blurry in _windows(pairs, side, seed, _TRIES * count):
        if min(sharp.shape[1:]) < 3 * size or texture(sharp) < LEAST_TEXTURE:
            continue
        found = fit(sharp, blurry, size, exponent=exponent)
        if found.residual <= WORST_RESIDUAL:
            kernels.append(found.kernel)
        if len(kernels) == count:
            break
    if not kernels:
        raise B2bError(
            f"no patch of the pairs of '{pairs.domain}' is explained by one blur kernel of "
            f"{size} pixels",
            mend="check that blurry and sharp pictures belong together, or use larger kernels",
        )
    return torch.stack(kernels)


def texture(image: Tensor) -> float:
    """Return the mean squared gradient of `(3, H, W)` in the direction that has least of it."""
    across, down = _gradients(image, 1.0)
    mixed = (across * down).mean()
    tensor = torch.stack([across.square().mean(), mixed, mixed, down.square().mean()])
    return float(linalg.eigvalsh(tensor.reshape(2, 2))[0])


def _windows(pairs: PairSet, side: int, seed: int, tries: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield random windows (sharp, blurry), each a function of the seed and its number."""
    for first in range(0, tries, _AT_ONCE):
        numbers = range(first, min(first + _AT_ONCE, tries))
        rngs = [numpy_rng(seed, "kernel-bank", number) for number in numbers]
        drawn = pairs.load([int(rng.integers(len(pairs))) for rng in rngs])
        yield from (_window(pair, side, rng) for pair, rng in zip(drawn, rngs, strict=True))


def _window(pair: LoadedPair, side: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    height, width = (min(side, length) for length in pair.sharp.shape[1:])
    top = int(rng.integers(pair.sharp.shape[1] - height + 1))
    left = int(rng.integers(pair.sharp.shape[2] - width + 1))
    window = (slice(None), slice(top, top + height), slice(left, left + width))
    return pair.sharp[window].float() / 255, pair.blurry[window].float() / 255


def _gradients(image: Tensor, exponent: float) -> tuple[Tensor, Tensor]:
    """Return the differences `(H-1, W-1)` of luminance to the right and downwards."""
    light = image.float().clamp(0, 1) ** exponent
    weights = torch.tensor(_LUMINANCE, device=light.device)[:, None, None]
    luminance = (light * weights).sum(0)
    corner = luminance[:-1, :-1]
    return luminance[:-1, 1:] - corner, luminance[1:, :-1] - corner


def _on_simplex(gram: Tensor, moment: Tensor) -> Tensor:
    """Minimise `k' gram k / 2 - moment' k` over non-negative k of sum one."""
    step = 1 / float(linalg.eigvalsh(gram)[-1].clamp_min(1e-30))
    kernel = torch.full_like(moment, 1 / len(moment))
    ahead, inertia = kernel, 1.0
    for _ in range(_ITERATIONS):
        new = _projected(ahead - step * (gram @ ahead - moment))
        grown = (1 + (1 + 4 * inertia**2) ** 0.5) / 2
        ahead = new + (inertia - 1) / grown * (new - kernel)
        kernel, inertia = new, grown
    return kernel


def _projected(vector: Tensor) -> Tensor:
    """Return the point of the simplex that is nearest to `vector`."""
    ordered = vector.sort(descending=True).values
    excess = (ordered.cumsum(0) - 1) / torch.arange(1, len(vector) + 1, dtype=vector.dtype)
    last = int((ordered > excess).sum()) - 1
    return (vector - excess[last]).clamp_min(0)

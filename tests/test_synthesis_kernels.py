"""Kernels are recovered from patches that were blurred with known ones."""

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import correlate

from b2b_core.data.pairs import LoadedPair, PairSet
from b2b_core.errors import B2bError
from b2b_core.synthesis.kernels import fit, fit_kernel, kernel_bank, texture


def motion(length: float, angle: float, size: int) -> np.ndarray:
    """Return the kernel of straight motion, drawn with bilinear weights."""
    kernel = np.zeros((size + 1, size + 1))
    for place in np.linspace(-length / 2, length / 2, 201):
        y, x = size // 2 + place * math.sin(angle), size // 2 + place * math.cos(angle)
        top, left = int(y), int(x)
        for dy, dx in ((0, 0), (0, 1), (1, 0), (1, 1)):
            kernel[top + dy, left + dx] += (1 - abs(y - top - dy)) * (1 - abs(x - left - dx))
    return kernel[:size, :size] / kernel[:size, :size].sum()


def textured(side: int, seed: int) -> np.ndarray:
    """Return a random picture `(3, side, side)` in [0, 1] with texture at several scales."""
    rng = np.random.default_rng(seed)
    coarse = np.kron(rng.random((3, side // 8, side // 8)), np.ones((8, 8)))
    return 0.5 * coarse + 0.5 * rng.random((3, side, side))


def photographed(
    sharp: np.ndarray, kernel: np.ndarray, *, exponent: float = 1.0, noise: float = 0.003
) -> np.ndarray:
    """Blur in light of the given exponent, add noise, round to 8 bits."""
    light = sharp**exponent
    blurred = np.stack([correlate(plane, kernel, mode="mirror") for plane in light])
    stored = blurred ** (1 / exponent)
    stored += np.random.default_rng(5).normal(0, noise, sharp.shape)
    return (stored.clip(0, 1) * 255).round() / 255


def tensor(array: np.ndarray) -> torch.Tensor:
    """Return float32."""
    return torch.from_numpy(array).float()


def as_pair(sharp: np.ndarray, blurry: np.ndarray, scene: str = "a") -> LoadedPair:
    """Return 8-bit pictures as a pair."""
    sides = [torch.from_numpy((side * 255).round().astype(np.uint8)) for side in (blurry, sharp)]
    return LoadedPair(*sides, scene)


@pytest.mark.parametrize(("length", "angle", "size"), [(4, 0.3, 9), (9, 2.0, 15), (11, 1.1, 15)])
@pytest.mark.parametrize("exponent", [1.0, 2.2])
def test_kernel_is_recovered(length: float, angle: float, size: int, exponent: float) -> None:
    """The kernel that was applied comes back within 0.1 in L1, in stored values and in light."""
    kernel, sharp = motion(length, angle, size), textured(96, seed=size)
    blurry = photographed(sharp, kernel, exponent=exponent)
    found = fit_kernel(tensor(sharp), tensor(blurry), size, exponent=exponent)
    assert np.abs(found.numpy() - kernel).sum() < 0.1


def test_orientation_and_offset() -> None:
    """A kernel with its weight right of the middle takes from the right, as a convolution layer."""
    sharp = tensor(textured(64, seed=1))
    blurry = torch.roll(sharp, -2, dims=-1)
    kernel = fit_kernel(sharp, blurry, 9, ridge=0)
    assert kernel[4, 6] > 0.98


def test_kernel_is_on_the_simplex() -> None:
    """Whatever the patches show, the kernel is non-negative and sums to one."""
    rng = np.random.default_rng(0)
    sharp, blurry = (tensor(rng.random((3, 40, 50))) for _ in range(2))
    kernel = fit_kernel(sharp, blurry, 7)
    assert kernel.min() >= 0
    assert kernel.sum().item() == pytest.approx(1, abs=1e-5)


def test_solution_is_optimal() -> None:
    """No small step on the simplex from the solution explains the patch better."""
    sharp = textured(40, seed=2)
    blurry = photographed(sharp, motion(4, 0.5, 7), noise=0.02)
    found = fit(tensor(sharp), tensor(blurry), 7, ridge=0).kernel.double().numpy()
    weights = np.array([0.299, 0.587, 0.114])
    luminance = [np.tensordot(weights, side, 1) for side in (sharp, blurry)]
    pairs = [
        (np.diff(luminance[0], axis=axis), np.diff(luminance[1], axis=axis)) for axis in (0, 1)
    ]

    def error(kernel: np.ndarray) -> float:
        total = 0.0
        for source, target in pairs:
            source, target = source[:39, :39], target[:39, :39]
            made = correlate(source, kernel, mode="mirror")[3:-3, 3:-3]
            total += ((made - target[3:-3, 3:-3]) ** 2).sum()
        return total

    best = error(found)
    rng = np.random.default_rng(3)
    for _ in range(20):
        other = rng.dirichlet(np.ones(49)).reshape(7, 7)
        assert error(found + 0.01 * (other - found)) > best


def test_residual_tells_wrong_pairs() -> None:
    """A kernel explains its own patch, and next to nothing of unrelated ones."""
    sharp = textured(64, seed=3)
    blurry = photographed(sharp, motion(5, 0.2, 9), noise=0.001)
    assert fit(tensor(sharp), tensor(blurry), 9).residual < 0.05
    assert fit(tensor(textured(64, seed=4)), tensor(blurry), 9).residual > 0.8


@pytest.mark.parametrize(
    ("size", "shape", "other"),
    [(8, (3, 64, 64), (3, 64, 64)), (9, (3, 64, 64), (3, 64, 60)), (9, (3, 26, 64), (3, 26, 64))],
)
def test_unfit_arguments_are_refused(
    size: int, shape: tuple[int, ...], other: tuple[int, ...]
) -> None:
    """Even kernels, unequal patches and patches under three kernels wide are errors."""
    with pytest.raises(ValueError, match="kernel"):
        fit_kernel(torch.rand(shape), torch.rand(other), size)


def test_flat_patch_has_no_texture_and_no_kernel() -> None:
    """A flat patch says nothing: texture 0, residual 1."""
    flat = torch.full((3, 40, 40), 0.5)
    assert texture(flat) == 0
    assert fit(flat, flat, 5).residual == 1


def test_stripes_are_not_texture() -> None:
    """Texture in one direction only leaves the kernel open in the other."""
    stripes = torch.rand(3, 1, 40).expand(3, 40, 40)
    assert texture(stripes) == pytest.approx(0, abs=1e-7)
    assert texture(torch.rand(3, 40, 40)) > 0.01


def test_bank_has_the_kernels_of_the_pairs() -> None:
    """Each kernel of the bank is one of those that the pairs were blurred with."""
    kernels = [motion(6, angle, 11) for angle in (0.0, 0.8, 1.6)]
    sharp = [textured(104, seed=10 + n) for n in range(3)]
    pairs = [as_pair(s, photographed(s, k, noise=0)) for s, k in zip(sharp, kernels, strict=True)]
    bank = kernel_bank(PairSet(pairs, "toy"), 11, 12, seed=0).numpy()
    assert bank.shape == (12, 11, 11)
    nearest = [min(np.abs(found - kernel).sum() for kernel in kernels) for found in bank]
    assert max(nearest) < 0.15
    chosen = {int(np.argmin([np.abs(f - k).sum() for k in kernels])) for f in bank}
    assert chosen == {0, 1, 2}


def test_bank_is_a_function_of_the_seed() -> None:
    """One seed gives one bank, another seed another."""
    sharp = textured(104, seed=1)
    pairs = PairSet([as_pair(sharp, photographed(sharp, motion(5, 0.4, 9)))], "toy")
    banks = [kernel_bank(pairs, 9, 3, seed) for seed in (0, 0, 1)]
    assert torch.equal(banks[0], banks[1])
    assert not torch.equal(banks[0], banks[2])


def test_bank_drops_what_is_not_blur() -> None:
    """Badly explained patches never get into the bank; with nothing else there it says so."""
    good = textured(104, seed=1)
    pairs = [
        as_pair(good, photographed(good, motion(5, 0.4, 9), noise=0.001), "good"),
        as_pair(textured(104, seed=2), textured(104, seed=3), "bad"),
        as_pair(np.full((3, 104, 104), 0.5), np.full((3, 104, 104), 0.5), "flat"),
    ]
    bank = kernel_bank(PairSet(pairs, "toy"), 9, 6, seed=0).numpy()
    assert np.abs(bank - motion(5, 0.4, 9)).sum((1, 2)).max() < 0.15
    with pytest.raises(B2bError, match="no patch of the pairs of 'toy'"):
        kernel_bank(PairSet(pairs[1:], "toy"), 9, 4, seed=0)


def test_bank_takes_small_pairs_and_passes_over_tiny_ones() -> None:
    """Pairs narrower than the usual patch still give kernels; those under three kernels do not."""
    small, kernel = textured(48, seed=1), motion(5, 0.4, 9)
    tiny = textured(24, seed=2)
    pairs = [
        as_pair(small, photographed(small, kernel, noise=0.001)),
        as_pair(tiny, photographed(tiny, motion(5, 2.0, 9), noise=0.001)),
    ]
    bank = kernel_bank(PairSet(pairs, "toy"), 9, 4, seed=0).numpy()
    assert np.abs(bank - kernel).sum((1, 2)).max() < 0.2
    with pytest.raises(B2bError, match="no patch"):
        kernel_bank(PairSet(pairs[1:], "toy"), 9, 4, seed=0)

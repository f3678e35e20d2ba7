"""The known-blur set K: random codes, no gradients, and nothing but blur to tell it by."""

import numpy as np
import pytest
import torch
from scipy.ndimage import correlate
from torch import Tensor, nn
from torch.nn import functional as F

from b2b_core.contracts import BlurCode
from b2b_core.data.pairs import LoadedPair, PairSet
from b2b_core.images.jpeg import JpegCoding
from b2b_core.specs import SizeRule
from b2b_core.synthesis.kernels import kernel_bank
from b2b_core.synthesis.known import KnownBlur
from b2b_core.synthesis.levels import stored
from b2b_core.synthesis.noise import missing_noise, noise_level
from b2b_core.synthesis.sources import CodeBlur, KernelBlur, blur_each

CODING = JpegCoding(tables=((16,) * 64, (16,) * 64), sampling=2)


class Shade(nn.Module):
    """An extractor whose code is how much darker the blurry picture of a pair is."""

    def __init__(self, sigma: float | None = None) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(()))
        self.sigma = sigma
        self.sizes: list[tuple[int, ...]] = []

    def extract(self, sharp: Tensor, blurry: Tensor) -> BlurCode:
        """Return one number per pair."""
        self.sizes.append(tuple(sharp.shape[-2:]))
        mean = (sharp - blurry).mean((1, 2, 3), keepdim=True) * self.gain
        return BlurCode(mean, None if self.sigma is None else torch.full_like(mean, self.sigma))

    def reblur(self, sharp: Tensor, code: Tensor) -> Tensor:
        """Darken by the code."""
        self.sizes.append(tuple(sharp.shape[-2:]))
        return sharp - code


def pairs(count: int = 12, side: int = 40) -> PairSet:
    """Pairs that are darker by 2, 4, 6, ... levels."""
    return PairSet(
        [
            LoadedPair(
                torch.full((3, side, side), 200 - 2 * n, dtype=torch.uint8),
                torch.full((3, side, side), 200, dtype=torch.uint8),
                str(n),
            )
            for n in range(count)
        ],
        "toy",
    )


def known(**options: object) -> KnownBlur:
    """Return K's maker over the toy extractor."""
    extractor, size = options.pop("extractor", Shade()), options.pop("size", SizeRule())
    source = CodeBlur(extractor, pairs(), 7, 32, size)  # type: ignore[arg-type]
    return KnownBlur(source, 7, **options)  # type: ignore[arg-type]


SHARP = torch.full((6, 3, 32, 32), 150 / 255)


def test_every_picture_gets_a_random_code() -> None:
    """Codes differ within a batch, and one picture meets another code at another step."""
    made = [known().batch(SHARP, step).mean((1, 2, 3)) for step in range(12)]
    darker = torch.stack([150 - 255 * means for means in made])
    assert len({round(float(value) / 2) for value in darker.flatten()}) > 8
    assert all(len({round(float(v) / 2) for v in column}) > 3 for column in darker.T)


def test_pure_function_of_seed_and_step() -> None:
    """Two makers with one seed agree bit for bit, in any order of steps; other steps differ."""
    options = {"noise": 0.01, "codings": [CODING], "extractor": Shade(sigma=0.1)}
    first, second = known(**options), known(**options)
    late, early = first.batch(SHARP, 9), first.batch(SHARP, 2)
    assert torch.equal(second.batch(SHARP, 2), early)
    assert torch.equal(second.batch(SHARP, 9), late)
    assert not torch.equal(early, late)


def test_no_gradients() -> None:
    """K is data: nothing of the extractor learns through it."""
    extractor = Shade()
    made = known(extractor=extractor).batch(SHARP.clone().requires_grad_(), 0)
    assert not made.requires_grad
    assert extractor.gain.grad is None


def test_codes_of_a_distribution_are_sampled() -> None:
    """With a deviation, two pictures under one pair's code differ."""
    source = CodeBlur(Shade(sigma=0.2), PairSet(pairs()[:1], "toy"), 0, 32, SizeRule())
    single = KnownBlur(source, 0)
    means = single.batch(SHARP, 0).mean((1, 2, 3))
    assert len({round(float(value), 3) for value in means}) > 3


def test_clamped() -> None:
    """Whatever the extractor returns, K lies in [0, 1]."""
    made = known(extractor=Shade(sigma=20.0), noise=0.1).batch(SHARP, 0)
    assert made.min() >= 0
    assert made.max() <= 1


def test_noise_is_added() -> None:
    """The added noise has the deviation that was asked for."""
    quiet, noisy = known().batch(SHARP, 0), known(noise=0.03).batch(SHARP, 0)
    assert (noisy - quiet).std().item() == pytest.approx(0.03, rel=0.05)


def test_sizes_follow_the_rule() -> None:
    """The extractor only sees sizes that its rule admits, and K has the size of S."""
    extractor = Shade()
    made = known(extractor=extractor, size=SizeRule(multiple_of=24, minimum=40)).batch(SHARP, 0)
    assert made.shape == SHARP.shape
    assert set(extractor.sizes) == {(48, 48)}


def test_each_picture_gets_its_own_kernel() -> None:
    """Blurring a batch is blurring each picture with its kernel, as scipy does it."""
    rng = np.random.default_rng(0)
    image, kernels = rng.random((2, 3, 20, 24)), rng.random((2, 5, 5))
    made = blur_each(torch.from_numpy(image), torch.from_numpy(kernels))
    for n in range(2):
        for channel in range(3):
            expected = correlate(image[n, channel], kernels[n], mode="mirror")
            assert np.allclose(made[n, channel].numpy(), expected)


def test_kernels_of_the_pairs_need_no_network() -> None:
    """K's blur is that of the pairs, mirrored at random, by another kernel at every step."""
    rng = np.random.default_rng(1)
    sharp = rng.random((3, 104, 104))
    wide = np.zeros((7, 7))
    wide[3, 1:6] = 0.2
    blurry = np.stack([correlate(plane, wide, mode="mirror") for plane in sharp])
    sides = [torch.from_numpy((s * 255).round().astype(np.uint8)) for s in (blurry, sharp)]
    toy = PairSet([LoadedPair(*sides, "a")], "toy")
    bank = kernel_bank(toy, 7, 4, seed=3)
    assert np.abs(bank.numpy() - wide).sum((1, 2)).max() < 0.1
    source = KernelBlur(toy, 3, size=7, count=4)
    pictures = torch.rand(5, 3, 32, 32)
    made = source.blur(pictures, 2)
    expected = blur_each(pictures, torch.from_numpy(wide).float().expand(5, 7, 7))
    assert (made - expected).abs().max() < 0.05
    assert torch.equal(source.blur(pictures, 2), made)
    assert not torch.equal(source.blur(pictures, 3), made)


def test_compression_begins_at_a_random_phase() -> None:
    """The grid of 8x8 blocks does not always begin at the crop's corner."""
    maker = known(codings=[CODING], noise=0.05)
    edges = []
    for step in range(12):
        picture = maker.batch(SHARP, step)[:, 1]
        jumps = (picture[..., 1:] - picture[..., :-1]).abs().mean((0, 1))
        edges.append([float(jumps[phase::8].mean()) for phase in range(8)])
    assert len({int(np.argmax(row)) for row in edges}) > 1
    plain = known(noise=0.05).batch(SHARP, 0)
    assert not torch.equal(plain, maker.batch(SHARP, 0))


def test_levels_cannot_be_told_by() -> None:
    """Exact levels and values between them become alike: evenly spread, the same on average."""
    draw = torch.Generator().manual_seed(0)
    exact = torch.full((1, 1, 200, 200), 100 / 255)
    between = exact + torch.rand(exact.shape, generator=draw) * 0.8 / 255 - 0.4 / 255
    for image in (exact, between):
        made = stored(image, draw) * 255
        assert made.mean().item() == pytest.approx(100, abs=0.01)
        counts = np.histogram(made.numpy(), bins=10, range=(99.5, 100.5))[0]
        assert counts.sum() == 40000
        assert np.abs(counts - 4000).max() < 300


def test_levels_are_clamped_and_without_gradient() -> None:
    """Black and white stay in range; no gradient passes."""
    image = torch.tensor([-1.0, 0.0, 1.0, 2.0], requires_grad=True)
    made = stored(image, torch.Generator().manual_seed(1))
    assert not made.requires_grad
    assert made.min() >= 0
    assert made.max() <= 1


@pytest.mark.parametrize("sigma", [0.005, 0.02])
def test_noise_of_a_picture_is_measured(sigma: float) -> None:
    """Noise on a picture with edges and flat areas is found within a fifth, shading and all."""
    rng = np.random.default_rng(0)
    blocks = np.kron(rng.random((3, 8, 8)) * 0.6 + 0.2, np.ones((40, 40)))
    shaded = blocks + np.linspace(0, 0.1, 320)
    picture = torch.from_numpy(shaded + rng.normal(0, sigma, shaded.shape))
    assert noise_level(picture) == pytest.approx(sigma, rel=0.2)


def test_noise_of_clipped_and_tiny_pictures_is_zero() -> None:
    """Where nothing can be measured the answer is zero."""
    assert noise_level(torch.ones(3, 64, 64)) == 0
    assert noise_level(torch.rand(3, 16, 16)) == 0


def test_missing_noise_is_the_difference_of_variances() -> None:
    """What is to be added makes up the difference, and is never negative."""
    rng = np.random.default_rng(1)
    flat = F.avg_pool2d(torch.rand(1, 3, 96, 96), 33, 1, 16)[0]
    noisy = [flat + torch.from_numpy(rng.normal(0, 0.03, flat.shape)) for _ in range(3)]
    calm = [flat + torch.from_numpy(rng.normal(0, 0.01, flat.shape)) for _ in range(3)]
    assert missing_noise(noisy, calm) == pytest.approx((0.03**2 - 0.01**2) ** 0.5, rel=0.2)
    assert missing_noise(calm, noisy) == 0

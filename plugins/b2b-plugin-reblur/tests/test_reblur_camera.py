"""The camera's blur model against independent numerics."""

import numpy as np
import pytest
import torch
from scipy.signal import correlate2d

from b2b_core.images.jpeg import JpegCoding
from b2b_plugin_reblur.camera import JPEG_BLOCK, CameraModel
from b2b_plugin_reblur.config import CameraConfig
from b2b_plugin_reblur.kernels import (
    LATENT,
    KernelDistribution,
    blur_field,
    corner_weights,
    fast_length,
)
from b2b_plugin_reblur.nearest import NearestKnownBlur


def generator(seed=0):
    """Return a seeded CPU generator."""
    return torch.Generator().manual_seed(seed)


def test_kernels_are_blurs():
    """Every kernel is non-negative and sums to one, whatever the noise."""
    kernels = KernelDistribution(9)(3 * torch.randn(5, 4, LATENT, generator=generator()))
    assert kernels.shape == (5, 4, 9, 9)
    assert (kernels >= 0).all()
    torch.testing.assert_close(kernels.sum((-1, -2)), torch.ones(5, 4))


def fixed(size, *, length=0.01, radius=0.5, bend=0.0, softness=0.0):
    """Return a distribution with one size and one shape only."""
    distribution = KernelDistribution(size)
    with torch.no_grad():
        distribution.log_length.fill_(np.log(length))
        distribution.log_radius.fill_(np.log(radius))
        distribution.log_bend.fill_(np.log(bend + 1e-9))
        distribution.softness.fill_(np.log((softness + 1e-9) / (1 - softness)))
        for spread in (distribution.length_spread, distribution.radius_spread):
            spread.fill_(-20)
    return distribution


def moments(kernel):
    """Return the larger and the smaller variance of a kernel along its axes, by numpy."""
    weights = kernel.double().numpy().ravel()
    y, x = np.mgrid[: kernel.shape[0], : kernel.shape[1]]
    covariance = np.cov(np.stack([y.ravel(), x.ravel()]), aweights=weights, ddof=0)
    return np.sort(np.linalg.eigvalsh(covariance))[::-1]


def test_a_lens_without_motion_is_a_disk():
    """A uniform disk of radius r has the variance r^2 / 4 along each axis."""
    with torch.no_grad():
        kernel = fixed(17, radius=5.0)(torch.zeros(LATENT))
    assert moments(kernel) == pytest.approx([6.25, 6.25], rel=0.05)


def test_a_soft_lens_is_a_cone():
    """At softness one light falls off evenly: a cone of radius 2 r has variance 3 (2 r)^2 / 20."""
    with torch.no_grad():
        kernel = fixed(33, radius=5.0, softness=0.999)(torch.zeros(LATENT))
    assert moments(kernel) == pytest.approx([15.0, 15.0], rel=0.05)


def test_motion_without_bend_is_a_line_of_its_length():
    """A line of length l has the variance l^2 / 12 along it, a pixel's width across."""
    diagonal = torch.zeros(LATENT)
    diagonal[3] = 1.0
    with torch.no_grad():
        kernel = fixed(31, length=12.0)(diagonal)
    along, across = moments(kernel)
    assert along == pytest.approx(12 + 1 / 6, rel=0.08)
    assert across == pytest.approx(1 / 6, rel=0.2)


def test_a_bent_path_spreads_less_along_and_more_across():
    """A path that turns by half a circle is wider and shorter than a straight one."""
    noise = torch.zeros(LATENT)
    noise[4] = 1.0
    with torch.no_grad():
        straight = moments(fixed(31, length=16.0)(noise))
        bent = moments(fixed(31, length=16.0, bend=np.pi)(noise))
    assert bent[0] < 0.7 * straight[0]
    assert bent[1] > 4 * straight[1]


def test_sizes_vary_by_the_learned_spread_and_no_more():
    """The logarithm of the radius is uniform: its deviation is the spread, its range bounded."""
    distribution = fixed(25)
    with torch.no_grad():
        distribution.log_radius.fill_(np.log(4.0))
        distribution.radius_spread.fill_(np.log(0.2))
        kernels = distribution.sample(400, generator())
        sizes = distribution.second_moment(kernels).sqrt().log()
    assert float(sizes.std()) == pytest.approx(0.2, rel=0.1)
    assert float(sizes.max() - sizes.min()) < 2 * 3**0.5 * 0.2 * 1.05


def test_kernels_are_centred():
    """Whatever the path, the centre of mass lies in the middle."""
    kernels = KernelDistribution(31).sample_field(64, generator())
    assert float(KernelDistribution(31).off_centre(kernels).detach()) < 1e-3


def test_gradients_reach_every_size():
    """Each parameter of the distribution changes the kernels."""
    distribution = KernelDistribution(21)
    kernels = distribution.sample_field(32, generator())
    (kernels**2).sum().backward()
    for parameter in distribution.sizes():
        assert float(parameter.grad.abs()) > 1e-4


def test_moments_of_a_known_kernel():
    """One pixel of light 2 right and 1 down of the middle: both moments by hand."""
    distribution = KernelDistribution(7)
    kernel = torch.zeros(1, 7, 7)
    kernel[0, 3 + 1, 3 + 2] = 1
    assert float(distribution.off_centre(kernel)) == pytest.approx(5)
    assert float(distribution.second_moment(kernel)) == pytest.approx(5)


def test_likeness_one_means_one_kernel_for_the_whole_crop():
    """The corners agree where they are alike, and differ where they are not."""
    distribution = KernelDistribution(9)
    with torch.no_grad():
        distribution.likeness.fill_(40)
        same = distribution.sample_field(3, generator())
        torch.testing.assert_close(same, same[:, :1].expand_as(same))
        distribution.likeness.fill_(-40)
        other = distribution.sample_field(3, generator())
    assert (other[:, 0] - other[:, 1]).abs().max() > 0.01


def test_corner_weights_are_bilinear():
    """They sum to one everywhere and are one at their own corner."""
    weights = corner_weights(5, 7, torch.device("cpu"))
    torch.testing.assert_close(weights.sum(0), torch.ones(5, 7))
    assert weights[0, 0, 0] == weights[1, 0, -1] == weights[2, -1, 0] == weights[3, -1, -1] == 1
    assert float(weights[0, 2, 3]) == pytest.approx(0.25)


def test_blur_field_equals_direct_correlation():
    """The FFT gives what scipy's direct sum and a blend by hand give."""
    image = torch.rand(2, 3, 21, 18, generator=generator(), dtype=torch.float64)
    kernels = torch.rand(2, 4, 5, 5, generator=generator(1), dtype=torch.float64)
    blurred = blur_field(image, kernels).numpy()
    weights = corner_weights(17, 14, torch.device("cpu")).numpy()
    for b in range(2):
        for c in range(3):
            expected = sum(
                weights[k] * correlate2d(image[b, c].numpy(), kernels[b, k].numpy(), "valid")
                for k in range(4)
            )
            np.testing.assert_allclose(blurred[b, c], expected, rtol=1e-5)


def test_fast_lengths_are_products_of_small_primes():
    """By hand: 142 = 2 * 71 becomes 144, 150 = 2 * 3 * 5^2 stays, 97 becomes 100."""
    assert [fast_length(n) for n in (142, 150, 97, 1)] == [144, 150, 100, 2]


def test_blur_field_gradient_by_finite_differences():
    """The gradient towards kernels is right in float64."""
    image = torch.rand(1, 3, 8, 9, generator=generator(), dtype=torch.float64)
    kernels = torch.rand(1, 4, 3, 3, generator=generator(), dtype=torch.float64)
    kernels.requires_grad_()
    assert torch.autograd.gradcheck(lambda k: blur_field(image, k), (kernels,), atol=1e-6)


def plain(**options):
    """Return a camera with every part of the chain off but those asked for."""
    chain = {"response": False, "highlights": False, "noise": False, "compression": False}
    return CameraModel(CameraConfig(kernel=5, **{**chain, **options}))


def shrink(camera):
    """Make every kernel of a camera a point."""
    kernels = camera.kernels
    kernels.log_length.fill_(-20)
    kernels.log_radius.fill_(-20)
    kernels.softness.fill_(-20)


def test_without_blur_and_noise_the_camera_only_quantises():
    """With a point kernel, R(S) is S on 8-bit levels."""
    camera = plain()
    with torch.no_grad():
        shrink(camera)
    sharp = torch.rand(2, 3, 20, 20, generator=generator())
    blurry, target, _ = camera(sharp, generator())
    assert camera.margin == 4
    assert torch.equal(target, sharp[..., 2:-2, 2:-2])
    torch.testing.assert_close(blurry, (target * 255).round() / 255, atol=2e-6, rtol=0)


def test_noise_has_the_stated_strength():
    """On flat light v, the deviation is sqrt(read^2 + shot^2 v)."""
    camera = plain(noise=True)
    with torch.no_grad():
        camera.log_read_noise.fill_(np.log(0.02))
        camera.log_shot_noise.fill_(np.log(0.05))
    blurry, _, _ = camera(torch.full((4, 3, 100, 100), 0.5), generator())
    assert float(blurry.std()) == pytest.approx((0.02**2 + 0.05**2 * 0.5) ** 0.5, rel=0.03)


def test_blur_happens_in_light():
    """Where half the light of an edge arrives, sRGB stores 0.7354 (IEC 61966-2-1, by hand)."""
    camera = plain(response=True)
    halves = torch.zeros(1, 4, 5, 5)
    halves[..., 2, 1] = halves[..., 2, 2] = 0.5
    camera.kernels.sample_field = lambda *_: halves
    sharp = torch.zeros(1, 3, 12, 12)
    sharp[..., 6:] = 1
    blurry, _, _ = camera(sharp, generator())
    edge = blurry[0, 0, 4]
    assert float(edge.detach()[4]) == pytest.approx(1.055 * 0.5 ** (1 / 2.4) - 0.055, abs=0.003)


def test_lights_beyond_white_spread_and_clip():
    """A highlight gain makes what surrounds a light brighter, never more than white."""
    dim, bright = plain(highlights=True), plain(highlights=True)
    bright.load_state_dict(dim.state_dict())
    with torch.no_grad():
        dim.highlight.fill_(-20)
        bright.highlight.fill_(3)
    sharp = torch.zeros(1, 3, 16, 16)
    sharp[..., 8, 8] = 1
    without, _, _ = dim(sharp, generator())
    spread, _, _ = bright(sharp, generator())
    assert float(spread.sum()) > 2 * float(without.sum())
    assert float(spread.max()) <= 1


def coding():
    """Return strong 4:2:0 compression."""
    return JpegCoding((tuple([40] * 64), tuple([60] * 64)), 2)


def test_compression_passes_gradients_straight_through():
    """R(S) is what the codec gives; its gradient is that of the picture before it."""
    torch.manual_seed(0)
    camera = CameraModel(CameraConfig(kernel=5, noise=False), [coding()])
    sharp = torch.rand(1, 3, 48, 48, generator=generator())
    blurry, target, _ = camera(sharp, generator())
    assert blurry.shape == target.shape == (1, 3, 48 - camera.margin, 48 - camera.margin)
    levels = blurry.detach() * 255
    torch.testing.assert_close(levels, levels.round(), atol=1e-3, rtol=0)
    blurry.mean().backward()
    assert camera.log_exponent.grad is not None
    assert float(camera.kernels.log_radius.grad.abs()) > 0


def test_the_jpeg_grid_starts_anywhere():
    """Over draws, crops begin at different phases of the grid: D cannot find its corner."""
    camera = CameraModel(CameraConfig(kernel=3, noise=False), [coding()])
    sharp = torch.rand(1, 3, 64, 64, generator=generator())
    corners = {camera(sharp, generator(seed))[1][0, 0, 0, 0].item() for seed in range(12)}
    assert len(corners) > 6
    assert JPEG_BLOCK == 16


def test_one_draw_is_one_picture():
    """The same generator state gives the same R(S)."""
    camera = CameraModel(CameraConfig(kernel=5), [coding()])
    sharp = torch.rand(2, 3, 40, 40, generator=generator())
    first, second = (camera(sharp, generator(3))[0] for _ in range(2))
    assert torch.equal(first, second)


def test_known_kernels_are_measured_small_and_stay_in_the_middle(monkeypatch):
    """Kernels of 31 pixels: the bank is measured at 17 and padded; the nearest one is found."""
    sides = []

    def bank(_, size, count, seed):  # noqa: ARG001 - as in core
        sides.append(size)
        points = torch.zeros(2, size, size)
        points[0, size // 2, size // 2] = 1
        points[1, size // 2, size // 2 - 4 : size // 2 + 5] = 1 / 9
        return points

    monkeypatch.setattr("b2b_plugin_reblur.nearest.kernel_bank", bank)
    known = NearestKnownBlur(None, 31, 0)
    assert sides == [17]
    line = torch.zeros(1, 31, 31)
    line[0, 15, 12:19] = 1 / 7
    chosen = known.kernels(line)[0]
    assert chosen.shape == (31, 31)
    torch.testing.assert_close(chosen[15, 11:20], torch.full((9,), 1 / 9), atol=0.02, rtol=0)

"""The camera's blur model against independent numerics."""

import numpy as np
import pytest
import torch
from scipy.signal import correlate2d

from b2b_core.images.jpeg import JpegCoding
from b2b_plugin_reblur.camera import JPEG_BLOCK, CameraModel
from b2b_plugin_reblur.config import CameraConfig
from b2b_plugin_reblur.kernels import KernelDistribution, blur_field, corner_weights


def generator(seed=0):
    """Return a seeded CPU generator."""
    return torch.Generator().manual_seed(seed)


def test_kernels_are_blurs():
    """Every kernel is non-negative and sums to one, whatever the noise."""
    kernels = KernelDistribution(9, 4)(10 * torch.randn(5, 4, 4, generator=generator()))
    assert kernels.shape == (5, 4, 9, 9)
    assert (kernels >= 0).all()
    torch.testing.assert_close(kernels.sum((-1, -2)), torch.ones(5, 4))


def test_the_first_kernels_are_centred_ellipses_of_the_stated_size():
    """Before training: centred, and a steep round kernel of half-width a spreads a^2 / 2."""
    distribution = KernelDistribution(17, 8)
    kernels = distribution.sample_field(64, 0.5, generator())
    assert float(distribution.off_centre(kernels).detach()) < 1e-6
    with torch.no_grad():
        distribution.log_shape.fill_(np.log(40.0))  # a disk with a hard edge
        distribution.log_width.fill_(np.log(5.0))
        distribution.log_width_spread.fill_(-20)
        distribution.narrowing.fill_(-20)
        distribution.narrowing_spread.zero_()
        disks = distribution.sample_field(4, 0.5, generator())
    assert float(distribution.second_moment(disks).mean()) == pytest.approx(12.5, rel=0.05)


def test_moments_of_a_known_kernel():
    """One pixel of light 2 right and 1 down of the middle: both moments by hand."""
    distribution = KernelDistribution(7, 4)
    kernel = torch.zeros(1, 7, 7)
    kernel[0, 3 + 1, 3 + 2] = 1
    assert float(distribution.off_centre(kernel)) == pytest.approx(5)
    assert float(distribution.second_moment(kernel)) == pytest.approx(5)


def test_correlation_one_means_one_kernel_for_the_whole_crop():
    """The corners agree at correlation 1 and differ at 0."""
    distribution = KernelDistribution(5, 4)
    same = distribution.sample_field(3, 1.0, generator())
    torch.testing.assert_close(same, same[:, :1].expand_as(same))
    other = distribution.sample_field(3, 0.0, generator())
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


def test_blur_field_gradient_by_finite_differences():
    """The gradient towards kernels is right in float64."""
    image = torch.rand(1, 3, 8, 9, generator=generator(), dtype=torch.float64)
    kernels = torch.rand(1, 4, 3, 3, generator=generator(), dtype=torch.float64)
    kernels.requires_grad_()
    assert torch.autograd.gradcheck(lambda k: blur_field(image, k), (kernels,), atol=1e-6)


def plain(**options):
    """Return a camera with every part of the chain off but those asked for."""
    chain = {"response": False, "highlights": False, "noise": False, "compression": False}
    return CameraModel(CameraConfig(kernel=5, latent=4, **{**chain, **options}))


def test_without_blur_and_noise_the_camera_only_quantises():
    """With a point kernel, R(S) is S on 8-bit levels."""
    camera = plain()
    with torch.no_grad():
        camera.kernels.correction[-1].bias.fill_(-500).view(5, 5)[2, 2] = 500
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
    """An edge between black and white becomes (1/2)^(1/exponent) where half the light arrives."""
    camera = plain(response=True)
    with torch.no_grad():
        camera.log_exponent.fill_(np.log(2.2))
        camera.kernels.log_width.fill_(10)  # an ellipse as wide as can be: the same everywhere
        camera.kernels.log_width_spread.fill_(-20)
        camera.kernels.narrowing.fill_(-20)
        camera.kernels.narrowing_spread.zero_()
        bias = camera.kernels.correction[-1].bias.fill_(-500).view(5, 5)
        bias[2, 1] = bias[2, 2] = 500
    sharp = torch.zeros(1, 3, 12, 12)
    sharp[..., 6:] = 1
    blurry, _, _ = camera(sharp, generator())
    edge = blurry[0, 0, 4]
    assert float(edge.detach()[4]) == pytest.approx(0.5 ** (1 / 2.2), abs=0.003)


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
    camera = CameraModel(CameraConfig(kernel=5, latent=4, noise=False), [coding()])
    sharp = torch.rand(1, 3, 48, 48, generator=generator())
    blurry, target, _ = camera(sharp, generator())
    assert blurry.shape == target.shape == (1, 3, 48 - camera.margin, 48 - camera.margin)
    levels = blurry.detach() * 255
    torch.testing.assert_close(levels, levels.round(), atol=1e-3, rtol=0)
    blurry.mean().backward()
    assert camera.log_exponent.grad is not None
    assert float(camera.kernels.correction[-1].weight.grad.abs().sum()) > 0


def test_the_jpeg_grid_starts_anywhere():
    """Over draws, crops begin at different phases of the grid: D cannot find its corner."""
    camera = CameraModel(CameraConfig(kernel=3, latent=4, noise=False), [coding()])
    sharp = torch.rand(1, 3, 64, 64, generator=generator())
    corners = {camera(sharp, generator(seed))[1][0, 0, 0, 0].item() for seed in range(12)}
    assert len(corners) > 6
    assert JPEG_BLOCK == 16


def test_one_draw_is_one_picture():
    """The same generator state gives the same R(S)."""
    camera = CameraModel(CameraConfig(kernel=5, latent=4), [coding()])
    sharp = torch.rand(2, 3, 40, 40, generator=generator())
    first, second = (camera(sharp, generator(3))[0] for _ in range(2))
    assert torch.equal(first, second)

"""A distribution of blur kernels that varies over the picture, and its application."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from b2b_core.bench.cameras.convolution import fast_length as smooth_length
from b2b_core.typed_torch import fft

#: What is plausible before anything is seen: parameter -> (value, tolerance). Sizes may be
#: anything; how much they vary, how far a path turns, how soft a lens is, spectra tell less well.
PLAUSIBLE = {
    "length_spread": (-1.05, 0.5),  # a factor of 1.8 either way
    "radius_spread": (-1.2, 0.5),
    "log_bend": (0.4, 0.5),  # 1.5 radians
    "softness": (-1.4, 1.0),
}
#: Points in which a path is drawn: closer than a pixel up to paths of a kernel's side.
POINTS = 32
#: Random numbers behind one kernel: length, radius, direction (2), bend (2), pace.
LATENT = 7


class KernelDistribution(nn.Module):
    """Noise to kernels: non-negative, sum one, `size` x `size`.

    What makes nearly all blur of real cameras: a lens out of focus, drawn along the path of a
    hand. The lens is a disk whose edge is soft by a learned share of its radius; the path is
    smooth, bends by a learned angle and changes its pace. The logarithms of radius and length are
    uniform. So the few numbers that are learned say how large the blur is *and how it varies*
    from picture to picture.

    Args:
        size: side of a kernel in pixels, odd.
    """

    offset: Tensor
    time: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        #: Mean and spread of the logarithm of the path's length and of the lens' radius in pixels.
        self.log_length = nn.Parameter(torch.tensor(3.0).log())
        self.length_spread = nn.Parameter(torch.tensor(0.5).log())
        self.log_radius = nn.Parameter(torch.tensor(1.2).log())
        self.radius_spread = nn.Parameter(torch.tensor(0.3).log())
        #: Standard deviation of the path's bend: radians from one end to the other, logarithm.
        self.log_bend = nn.Parameter(torch.tensor(1.0).log())
        #: How much of the radius the lens' edge takes, through a sigmoid: 0 a disk, 1 a cone.
        self.softness = nn.Parameter(torch.tensor(-1.0))
        #: How alike the kernels at the corners of a crop are, through a sigmoid: 1 = the same.
        self.likeness = nn.Parameter(torch.tensor(2.0))
        offset = torch.arange(size).float() - size // 2
        self.register_buffer("offset", offset, persistent=False)
        self.register_buffer("time", torch.linspace(-1, 1, POINTS), persistent=False)

    def forward(self, noise: Tensor) -> Tensor:
        """Map `(..., LATENT)` noise to `(..., size, size)` kernels."""
        with torch.autocast(noise.device.type, enabled=False):
            return self._lens(noise, self._path(noise))

    def sizes(self) -> list[nn.Parameter]:
        """Return the parameters of the distribution of sizes and shapes."""
        return [
            self.log_length, self.length_spread, self.log_radius, self.radius_spread,
            self.log_bend, self.softness, self.likeness,
        ]  # fmt: skip

    def implausibility(self) -> Tensor:
        """Return the mean squared deviation from `PLAUSIBLE`, in tolerances."""
        deviations = [
            (self.get_parameter(name) - value) / tolerance
            for name, (value, tolerance) in PLAUSIBLE.items()
        ]
        return torch.stack(deviations).square().mean()

    def _path(self, noise: Tensor) -> Tensor:
        """Return points `(..., POINTS, 2)` about their mean."""
        length = _log_uniform(self.log_length, self.length_spread, noise[..., 0])
        time, bend = self.time, self.log_bend.exp()
        # Half the angle: a direction and its opposite are the same blur.
        start = torch.atan2(noise[..., 3], noise[..., 2]) / 2
        turn = noise[..., 4, None] * time / 2 + noise[..., 5, None] * (time**2 - 1 / 3)
        angle = start[..., None] + bend * turn
        pace = (0.4 * noise[..., 6, None] * time).exp()
        step = pace / pace.sum(-1, keepdim=True) * length[..., None]
        points = torch.stack([step * angle.cos(), step * angle.sin()], -1).cumsum(-2)
        return points - points.mean(-2, keepdim=True)

    def _lens(self, noise: Tensor, points: Tensor) -> Tensor:
        """Return the light of a lens that follows the points, over all of a kernel's pixels."""
        radius = _log_uniform(self.log_radius, self.radius_spread, noise[..., 1]).clamp_min(0.5)
        # A pixel is as wide as an edge can be sharp.
        edge = (2 * radius * self.softness.sigmoid()).clamp_min(1.0)
        x = (self.offset - points[..., :1]) ** 2  # (..., POINTS, size)
        y = (self.offset - points[..., 1:]) ** 2
        distance = (y[..., :, None] + x[..., None, :] + 1e-8).sqrt()
        radius, edge = radius[..., None, None, None], edge[..., None, None, None]
        light = ((radius - distance) / edge + 0.5).clamp(0, 1).sum(-3)
        return light / light.sum((-1, -2), keepdim=True).clamp_min(1e-8)

    def sample_field(self, count: int, generator: torch.Generator) -> Tensor:
        """Draw `(count, 4, size, size)`: correlated kernels for the corners of `count` crops."""
        device = self.offset.device
        shared = torch.randn(count, 1, LATENT, generator=generator).to(device)
        own = torch.randn(count, 4, LATENT, generator=generator).to(device)
        common = self.likeness.sigmoid()
        kernels: Tensor = self(common.sqrt() * shared + (1 - common).sqrt() * own)
        return kernels

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        """Draw `(count, size, size)`: kernels of so many places far from each other."""
        noise = torch.randn(count, LATENT, generator=generator).to(self.offset.device)
        kernels: Tensor = self(noise)
        return kernels

    def off_centre(self, kernels: Tensor) -> Tensor:
        """Return the mean squared distance of the kernels' centres of mass from the middle."""
        rows = (kernels.sum(-1) * self.offset).sum(-1)
        columns = (kernels.sum(-2) * self.offset).sum(-1)
        return (rows**2 + columns**2).mean()

    def second_moment(self, kernels: Tensor) -> Tensor:
        """Return each kernel's spread `E[r^2]` in square pixels."""
        squares = self.offset[:, None] ** 2 + self.offset[None] ** 2
        return (kernels * squares).sum((-1, -2))


def _log_uniform(middle: Tensor, spread: Tensor, noise: Tensor) -> Tensor:
    """Map Gaussian noise to sizes whose logarithm is uniform: no tail of unseen sizes."""
    uniform = torch.erf(noise / 2**0.5)
    return (middle + 3**0.5 * spread.exp() * uniform).exp()


def blur_field(image: Tensor, kernels: Tensor) -> Tensor:
    """Blur with kernels at the four corners, blended bilinearly over the picture.

    Args:
        image: `(B, 3, H, W)`.
        kernels: `(B, 4, k, k)`: top left, top right, bottom left, bottom right.

    Returns:
        `(B, 3, H-k+1, W-k+1)`: only what the kernels fully cover. Computed by FFT, which for
        these sizes is several times faster than a grouped convolution and its gradient.
    """
    size = kernels.shape[-1]
    height, width = image.shape[-2:]
    # What the kernels fully cover does not meet the zeros that lengthen the sides.
    sides = fast_length(height), fast_length(width)
    spectrum = fft.rfft2(image, s=sides)[:, None]
    # Correlation, as in a convolution layer: the conjugate of the kernel's spectrum.
    response = fft.rfft2(kernels, s=sides).conj()[:, :, None]
    blurred = fft.irfft2(spectrum * response, s=sides)
    blurred = blurred[..., : height - size + 1, : width - size + 1]
    weights = corner_weights(blurred.shape[-2], blurred.shape[-1], image.device)
    return (blurred * weights[None, :, None]).sum(1)


def fast_length(least: int) -> int:
    """Return the smallest even length of at least `least` without prime factors above 5."""
    return 2 * smooth_length((least + 1) // 2)


def corner_weights(height: int, width: int, device: torch.device) -> Tensor:
    """Return `(4, height, width)` bilinear weights of the corners; they sum to one."""
    eye = torch.eye(4, device=device).reshape(4, 1, 2, 2)
    return F.interpolate(eye, (height, width), mode="bilinear", align_corners=True)[:, 0]

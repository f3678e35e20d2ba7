"""A distribution of blur kernels that varies over the picture, and its application."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from b2b_core.typed_torch import fft


class KernelDistribution(nn.Module):
    """Noise to kernels: non-negative, sum one, `size` x `size`.

    A soft ellipse whose two widths and direction follow the noise, plus a correction of any shape
    by a small network that starts at zero: blurs of plausible size, direction and variety from
    the first step, with nothing that they cannot become. The ellipse's edge has a learned
    steepness: 2 is a Gaussian, more is nearer to a lens' disk or a steady motion's line.

    Args:
        size: side of a kernel in pixels, odd.
        latent: length of the noise vector, at least 4.
        width: hidden units of the correction.
    """

    offset: Tensor

    def __init__(self, size: int, latent: int, width: int = 96) -> None:
        super().__init__()
        self.size, self.latent = size, latent
        last = nn.Linear(width, size * size)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.correction = nn.Sequential(
            nn.Linear(latent, width), nn.LeakyReLU(0.2), nn.Linear(width, width),
            nn.LeakyReLU(0.2), last,
        )  # fmt: skip
        #: Mean and spread of the logarithm of the larger width in pixels.
        self.log_width = nn.Parameter(torch.tensor(2.0).log())
        self.log_width_spread = nn.Parameter(torch.tensor(0.22).log())
        #: Mean and spread of how much narrower the other width is (through a softplus).
        self.narrowing = nn.Parameter(torch.tensor(0.0))
        self.narrowing_spread = nn.Parameter(torch.tensor(1.0))
        #: Logarithm of the steepness of the edge.
        self.log_shape = nn.Parameter(torch.tensor(4.0).log())
        offset = torch.arange(size).float() - size // 2
        self.register_buffer("offset", offset, persistent=False)

    def forward(self, noise: Tensor) -> Tensor:
        """Map `(..., latent)` noise to `(..., size, size)` kernels."""
        with torch.autocast(noise.device.type, enabled=False):
            logits = self._ellipse(noise) + self.correction(noise)
        kernels: Tensor = logits.softmax(-1)
        return kernels.reshape(*noise.shape[:-1], self.size, self.size)

    def sizes(self) -> list[nn.Parameter]:
        """Return the parameters that mean spectra determine; how sizes vary is not among them."""
        return [self.log_width, self.narrowing, self.log_shape]

    def _ellipse(self, noise: Tensor) -> Tensor:
        """Return the logarithms of soft ellipses, flat: `-(distance ** shape)`."""
        large = self.log_width + self.log_width_spread.exp() * noise[..., 0]
        small = large - F.softplus(self.narrowing + self.narrowing_spread * noise[..., 1])
        # Half the angle: a direction and its opposite are the same blur.
        angle = torch.atan2(noise[..., 3], noise[..., 2]) / 2
        cosine, sine = angle.cos()[..., None, None], angle.sin()[..., None, None]
        y, x = self.offset[:, None], self.offset[None]
        along, across = cosine * x + sine * y, cosine * y - sine * x
        # A width below half a pixel is a point already.
        wide, slim = (w.exp().clamp_min(0.5)[..., None, None] for w in (large, small))
        squared = (along / wide) ** 2 + (across / slim) ** 2 + 1e-6
        return -(squared ** (self.log_shape.exp() / 2)).clamp_max(60).flatten(-2)

    def sample_field(self, count: int, correlation: float, generator: torch.Generator) -> Tensor:
        """Draw `(count, 4, size, size)`: correlated kernels for the corners of `count` crops."""
        device = self.offset.device
        shared = torch.randn(count, 1, self.latent, generator=generator).to(device)
        own = torch.randn(count, 4, self.latent, generator=generator).to(device)
        noise = correlation**0.5 * shared + (1 - correlation) ** 0.5 * own
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
    spectrum = fft.rfft2(image)[:, None]
    # Correlation, as in a convolution layer: the conjugate of the kernel's spectrum.
    response = fft.rfft2(kernels, s=(height, width)).conj()[:, :, None]
    blurred = fft.irfft2(spectrum * response, s=(height, width))
    blurred = blurred[..., : height - size + 1, : width - size + 1]
    weights = corner_weights(blurred.shape[-2], blurred.shape[-1], image.device)
    return (blurred * weights[None, :, None]).sum(1)


def corner_weights(height: int, width: int, device: torch.device) -> Tensor:
    """Return `(4, height, width)` bilinear weights of the corners; they sum to one."""
    eye = torch.eye(4, device=device).reshape(4, 1, 2, 2)
    return F.interpolate(eye, (height, width), mode="bilinear", align_corners=True)[:, 0]

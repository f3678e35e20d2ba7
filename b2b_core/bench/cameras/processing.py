"""What a camera does to a picture after the sensor: denoising, sharpening."""

from __future__ import annotations

import numpy as np

from b2b_core.bench.cameras.base import Array
from b2b_core.bench.cameras.convolution import Blurrer


def gaussian(sigma: float, size: int) -> Array:
    """Return a `(size, size)` Gaussian of sum 1; size is odd."""
    along = np.exp(-((np.arange(size) - size // 2) ** 2) / (2 * sigma**2))
    kernel = np.outer(along, along)
    return np.asarray(kernel / kernel.sum(), np.float64)


def denoised(value: Array, strength: float, radius: int = 2) -> Array:
    """Smooth what varies less than `strength`, keep what varies more (self-guided filter).

    K. He et al., "Guided image filtering", ECCV 2010, the picture being its own guide.

    Args:
        value: `(H, W, C)` in [0, 1].
        strength: standard deviation below which a window counts as noise.
        radius: of the square window, in pixels.
    """
    size = 2 * radius + 1
    box = np.full((size, size), 1 / size**2)
    mean = Blurrer(value, size).blur(box)
    variance = (Blurrer(value**2, size).blur(box) - mean**2).clip(0)
    slope = variance / (variance + strength**2)
    offset = Blurrer((1 - slope) * mean, size).blur(box)
    return np.asarray(Blurrer(slope, size).blur(box) * value + offset, np.float64)


def sharpened(value: Array, amount: float, sigma: float = 1.0) -> Array:
    """Add `amount` times what a Gaussian takes away (unsharp mask); edges get halos.

    Args:
        value: `(H, W, C)` in [0, 1]; the result may leave it.
        amount: 0 changes nothing.
        sigma: of the Gaussian, in pixels.
    """
    smooth = Blurrer(value, 9).blur(gaussian(sigma, 9))
    return np.asarray(value + amount * (value - smooth), np.float64)

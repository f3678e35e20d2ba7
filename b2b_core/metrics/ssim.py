"""Structural similarity, in the two forms that deblurring papers report.

Z. Wang et al., "Image quality assessment: from error visibility to structural similarity", IEEE
TIP 13(4), 2004: Gaussian window of 11 pixels, sigma 1.5, K1 = 0.01, K2 = 0.03.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from b2b_core.errors import UsageError
from b2b_core.metrics.levels import check_pair, levels

#: Per channel, windows inside the picture only; BasicSR, scikit-image with Gaussian weights.
SSIM2D_PROTOCOL = "ssim2d-valid"
#: The picture as a volume (H, W, C) with its border repeated; NAFNet, MATLAB's `ssim` on RGB.
SSIM3D_PROTOCOL = "ssim3d-nafnet"

WINDOW, _SIGMA = 11, 1.5
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def ssim(image: Tensor, reference: Tensor) -> Tensor:
    """Return the SSIM, `(B,)`, under the protocol `ssim2d-valid`.

    Both pictures `(B, 3, H, W)` in [0, 1] are rounded to 8 bits; the mean over channels and over
    all windows that lie inside the picture; population covariance; float64.

    Raises:
        UsageError: if a side is shorter than 11 pixels.
        ValueError: if the shapes differ.
    """
    check_pair(image, reference)
    if min(image.shape[-2:]) < WINDOW:
        size = "x".join(map(str, image.shape[-2:]))
        raise UsageError(
            f"{SSIM2D_PROTOCOL} is not defined for pictures of {size}: the window has {WINDOW}",
            mend="compare larger pictures",
        )
    return _ssim(image, reference, lambda x: _along(_along(x, 2), 3)).mean(dim=(1, 2, 3))


def ssim3d(image: Tensor, reference: Tensor) -> Tensor:
    """Return the SSIM, `(B,)`, under the protocol `ssim3d-nafnet`.

    Both pictures `(B, 3, H, W)` in [0, 1] are rounded to 8 bits; the window has 11 entries along
    the colour channels too, and the border is repeated along all three axes; float64.

    Raises:
        ValueError: if the shapes differ.
    """
    check_pair(image, reference)

    def smooth(x: Tensor) -> Tensor:
        for dim in (1, 2, 3):
            x = _along(_with_border(x, dim), dim)
        return x

    return _ssim(image, reference, smooth).mean(dim=(1, 2, 3))


def _ssim(image: Tensor, reference: Tensor, smooth: Callable[[Tensor], Tensor]) -> Tensor:
    """Return the map of SSIM under a smoothing."""
    x, y = levels(image), levels(reference)
    mean_x, mean_y = smooth(x), smooth(y)
    variances = smooth(x * x) - mean_x**2 + smooth(y * y) - mean_y**2
    covariance = smooth(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + _C1) / (mean_x**2 + mean_y**2 + _C1)
    return luminance * (2 * covariance + _C2) / (variances + _C2)


def _along(x: Tensor, dim: int) -> Tensor:
    """Smooth `(B, C, H, W)` along one axis, where the window fits."""
    # sums of shifted views: six times as fast as a float64 convolution on a CPU
    inner = x.shape[dim] - WINDOW + 1
    smoothed = torch.zeros_like(x.narrow(dim, 0, inner))
    for place, weight in enumerate(_taps()):
        smoothed.add_(x.narrow(dim, place, inner), alpha=weight)
    return smoothed


def _taps() -> list[float]:
    """Return the window's weights along one axis."""
    middle = WINDOW // 2
    weights = [math.exp(-((i - middle) ** 2) / (2 * _SIGMA**2)) for i in range(WINDOW)]
    return [weight / sum(weights) for weight in weights]


def _with_border(x: Tensor, dim: int) -> Tensor:
    size, margin = x.shape[dim], WINDOW // 2
    place = torch.arange(-margin, size + margin, device=x.device).clamp(0, size - 1)
    return x.index_select(dim, place)

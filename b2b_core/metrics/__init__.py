"""Metrics: numbers per picture, each under a named protocol.

Every function takes tensors `(B, 3, H, W)`, RGB in [0, 1], and returns `(B,)` float64. The mean
over a data set is the mean of these.
"""

from b2b_core.metrics.blur import blur_effect
from b2b_core.metrics.drift import brightness_drift, colour_drift
from b2b_core.metrics.psnr import psnr
from b2b_core.metrics.ssim import ssim, ssim3d

__all__ = ["blur_effect", "brightness_drift", "colour_drift", "psnr", "ssim", "ssim3d"]

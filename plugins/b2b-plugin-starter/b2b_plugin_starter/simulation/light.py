"""From stored levels to light and back (sRGB, IEC 61966-2-1)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def to_light(levels: NDArray[np.uint8]) -> Array:
    """Return linear intensities in [0, 1] of 8-bit sRGB levels."""
    value = levels.astype(np.float64) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def to_levels(light: Array) -> NDArray[np.uint8]:
    """Return 8-bit sRGB levels of linear intensities; what exceeds white is clipped."""
    light = light.clip(0, 1)
    value = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return (value * 255).round().astype(np.uint8)

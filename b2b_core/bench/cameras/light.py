"""From stored levels to light and back, by sRGB or by another response; noise of a sensor."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from b2b_core.bench.cameras.base import Array, Levels

#: Points of a response that is inverted by interpolation.
_POINTS = 4096


def srgb_to_light(levels: Levels) -> Array:
    """Return linear intensities in [0, 1] of sRGB levels (IEC 61966-2-1)."""
    value = levels.astype(np.float64) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def light_to_srgb(light: Array) -> Levels:
    """Return sRGB levels of linear intensities; what leaves [0, 1] is clipped."""
    light = light.clip(0, 1)
    value = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return to_levels(value)


@frozen
class Tone:
    """A response with a toe and a shoulder: a power, then a mix with the curve 3x^2 - 2x^3."""

    gamma: float = 2.2
    #: 0 = the power alone; towards 1 the contrast of the middle rises.
    contrast: float = 0.35

    def to_light(self, levels: Levels) -> Array:
        """Return linear intensities in [0, 1] of the levels that the response stores."""
        light, stored = self._curve()
        table = np.interp(np.arange(256) / 255, stored, light)
        return np.asarray(table[levels], np.float64)

    def to_levels(self, light: Array) -> Levels:
        """Return the levels that the response stores; what leaves [0, 1] is clipped."""
        known, stored = self._curve()
        return to_levels(np.interp(light.clip(0, 1), known, stored))

    def _curve(self) -> tuple[Array, Array]:
        """Return points of light and their stored values, both rising from 0 to 1."""
        even = np.linspace(0, 1, _POINTS)
        curved = (1 - self.contrast) * even + self.contrast * (3 - 2 * even) * even**2
        return even**self.gamma, curved


def to_levels(value: Array) -> Levels:
    """Return stored values in [0, 1] as 8-bit levels."""
    return np.asarray((value.clip(0, 1) * 255).round(), np.uint8)


def with_noise(light: Array, rng: np.random.Generator, read: float, shot: float) -> Array:
    """Return light with a sensor's noise: variance read^2 + shot^2 * light."""
    deviation = np.sqrt(read**2 + shot**2 * light.clip(0))
    return light + deviation * rng.standard_normal(light.shape)

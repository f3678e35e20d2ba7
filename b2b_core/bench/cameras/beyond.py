"""Camera (e): outside the form of `reblur`'s blur model on purpose.

Objects move at a blur of their own, the camera denoises and sharpens, and its files were encoded
twice, both times with chroma at half the size.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from attrs import frozen

from b2b_core.bench.cameras.base import Array, Levels
from b2b_core.bench.cameras.convolution import Blurrer
from b2b_core.bench.cameras.encode import decoded, jpeg, webp, whole_number
from b2b_core.bench.cameras.kernels import disk, hand_path, joined, splat
from b2b_core.bench.cameras.light import (
    light_to_srgb,
    srgb_to_light,
    to_levels,
    with_noise,
)
from b2b_core.bench.cameras.processing import denoised, sharpened

_SIZE = 31
#: Waves in the outline of an object.
_WAVES = 4


@frozen
class Beyond:
    """One kernel for the background and one for each moving object."""

    defocus: tuple[float, float] = (0.8, 2.0)
    motion: tuple[float, float] = (0.5, 4.0)
    #: How many objects move, and along how many pixels.
    objects: tuple[int, int] = (1, 3)
    object_motion: tuple[float, float] = (4.0, 12.0)
    #: Radius of an object relative to the shorter side.
    object_radius: tuple[float, float] = (0.12, 0.3)
    read_noise: float = 0.003
    shot_noise: float = 0.010
    denoising: tuple[float, float] = (0.015, 0.03)
    sharpening: tuple[float, float] = (0.3, 0.7)
    #: JPEG quality inside the camera, then that of the file.
    first_quality: tuple[int, int] = (88, 95)
    second_quality: tuple[int, int] = (78, 90)
    encoder: Literal["jpeg", "webp"] = "jpeg"

    @property
    def suffix(self) -> str:
        """JPEG or WebP."""
        return ".jpg" if self.encoder == "jpeg" else ".webp"

    def expose(self, scene: Levels, rng: np.random.Generator, *, blur: bool) -> Levels:
        """Take one picture `(H, W, 3)`."""
        light = srgb_to_light(scene)
        if blur:
            light = self._blur(light, rng)
        noisy = light_to_srgb(with_noise(light, rng, self.read_noise, self.shot_noise))
        return _processed(noisy, rng.uniform(*self.denoising), rng.uniform(*self.sharpening))

    def encode(self, picture: Levels, rng: np.random.Generator) -> bytes:
        """Return a file whose pixels were compressed before."""
        first = decoded(jpeg(picture, whole_number(rng, self.first_quality)))
        quality = whole_number(rng, self.second_quality)
        return jpeg(first, quality) if self.encoder == "jpeg" else webp(first, quality)

    def reference(self, scene: Levels) -> Levels:
        """Return the scene as this camera's processing shows it, at its mean strengths."""
        return _processed(scene, sum(self.denoising) / 2, sum(self.sharpening) / 2)

    def _blur(self, light: Array, rng: np.random.Generator) -> Array:
        """Blur the background, then lay moving objects over it, their edges blurred with them."""
        lens = disk(rng.uniform(*self.defocus), 9)
        shake = splat(hand_path(rng, rng.uniform(*self.motion)), _SIZE)
        blurrer = Blurrer(light, _SIZE)
        result = blurrer.blur(joined(shake, lens))
        for _ in range(whole_number(rng, self.objects)):
            path = splat(hand_path(rng, rng.uniform(*self.object_motion)), _SIZE)
            kernel = joined(path, lens)
            mask = self._object(rng, *light.shape[:2])
            seen = Blurrer(mask, _SIZE).blur(kernel)
            result = (1 - seen) * result + Blurrer(mask * light, _SIZE).blur(kernel)
        return result

    def _object(self, rng: np.random.Generator, height: int, width: int) -> Array:
        """Return the `(H, W, 1)` mask of an object with a wavy outline."""
        y, x = np.mgrid[:height, :width].astype(np.float64)
        radius = rng.uniform(*self.object_radius) * min(height, width)
        centre = rng.uniform(0.2, 0.8, 2) * (height, width)
        angle = np.arctan2(y - centre[0], x - centre[1])
        phases, heights = rng.uniform(0, 2 * np.pi, _WAVES), rng.uniform(0, 0.15, _WAVES)
        outline = np.full_like(angle, radius)
        for wave in range(_WAVES):
            outline += radius * heights[wave] * np.cos((wave + 2) * angle + phases[wave])
        distance = np.hypot(y - centre[0], x - centre[1])
        return np.asarray((outline - distance + 0.5).clip(0, 1)[..., None], np.float64)


def _processed(stored: Levels, denoising: float, sharpening: float) -> Levels:
    value = stored.astype(np.float64) / 255
    return to_levels(sharpened(denoised(value, denoising), sharpening))

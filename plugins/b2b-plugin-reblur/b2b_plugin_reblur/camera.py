"""R, the camera's blur model: sharp pictures in, out as the camera would have blurred them.

light -> highlights beyond white -> blur (a field of kernels) -> noise -> clipping -> response
-> compression. Everything it learns is physical and small; it cannot change content.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from kornia.color import linear_rgb_to_rgb, rgb_to_linear_rgb
from torch import Tensor, nn
from torch.nn import functional as F

from b2b_core.images.jpeg import JpegCoding, recompress
from b2b_plugin_reblur.config import CameraConfig
from b2b_plugin_reblur.kernels import KernelDistribution, blur_field

#: JPEG's largest block with halved chroma: the grid may begin at any of this many pixels.
JPEG_BLOCK = 16
#: Above this linear intensity a pixel may have been brighter than white.
NEAR_WHITE = 0.9
#: The parts of the chain, and whether nearly all cameras have them.
USUAL = {"response": True, "highlights": False, "noise": True, "compression": True}


class CameraModel(nn.Module):
    """R, with learned kernels, response exponent, highlight gain and noise.

    Args:
        config: sizes, and which parts of the chain are on; those that are to be measured begin as
            most cameras have them, without lights brighter than white.
        codings: JPEG codings of the camera's own files; one is drawn for every picture.
    """

    def __init__(self, config: CameraConfig, codings: Sequence[JpegCoding] = ()) -> None:
        super().__init__()
        self.config = config
        self.codings = list(codings) if config.compression else []
        #: Which parts of the chain are on.
        self.parts = {part: _begins(getattr(config, part), part) for part in USUAL}
        self.kernels = KernelDistribution(config.kernel)
        #: What the camera's response adds to that of sRGB, which nearly every camera writes.
        self.log_exponent = nn.Parameter(torch.tensor(0.0))
        self.highlight = nn.Parameter(torch.tensor(-2.0))
        self.log_read_noise = nn.Parameter(torch.tensor(0.003).log())
        self.log_shot_noise = nn.Parameter(torch.tensor(0.005).log())

    @property
    def margin(self) -> int:
        """How much smaller R(S) is than S, in pixels."""
        return self.config.kernel - 1 + (JPEG_BLOCK if self.codings else 0)

    def to_light(self, stored: Tensor) -> Tensor:
        """Return the light behind stored values in [0, 1]: sRGB's, to a learned exponent."""
        if not self.parts["response"]:
            return stored
        light: Tensor = rgb_to_linear_rgb(stored).clamp_min(1e-6) ** self.log_exponent.exp()
        return light

    def to_stored(self, light: Tensor) -> Tensor:
        """Return what is stored of light, clipped to [0, 1]; the inverse of `to_light`."""
        clipped = light.clamp(1e-6, 1)
        if not self.parts["response"]:
            return clipped
        stored: Tensor = linear_rgb_to_rgb(clipped ** (-self.log_exponent).exp())
        return stored

    def forward(self, sharp: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Blur sharp crops as the camera would.

        Args:
            sharp: `(B, 3, H, W)` in [0, 1].
            generator: CPU generator of kernels, noise and compression.

        Returns:
            R(S) `(B, 3, H-margin, W-margin)` in [0, 1], on 8-bit levels with straight-through
            gradients; S cut to the same window; the kernels `(B, 4, k, k)`.
        """
        field = self.kernels.sample_field(sharp.shape[0], generator)
        light = self._light(sharp)
        light = blur_field(light, field)
        if self.parts["noise"]:
            light = self._noisy(light, generator)
        picture = self.to_stored(light)
        border = self.config.kernel // 2
        target = sharp[..., border:-border, border:-border]
        return *self._stored(picture, target, generator), field

    def _light(self, sharp: Tensor) -> Tensor:
        light = self.to_light(sharp)
        if self.parts["highlights"]:
            beyond = F.relu(light - NEAR_WHITE) / (1 - NEAR_WHITE)
            light = light + F.softplus(self.highlight) * beyond
        return light

    def _noisy(self, light: Tensor, generator: torch.Generator) -> Tensor:
        draw = torch.randn(light.shape, generator=generator).to(light.device)
        read, shot = self.log_read_noise.exp(), self.log_shot_noise.exp()
        return light + draw * (read**2 + shot**2 * light.clamp_min(0)).sqrt()

    def _stored(
        self, picture: Tensor, target: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Quantise or compress, and cut at a random phase of the JPEG grid."""
        with torch.no_grad():
            levels = (picture.detach() * 255).round().to(torch.uint8).cpu()
            if self.codings and self.parts["compression"]:
                levels = torch.stack([recompress(p, self._coding(generator)) for p in levels])
            stored = levels.to(picture.device).float() / 255
        picture = picture + (stored - picture).detach()
        if not self.codings:
            return picture, target
        height, width = (side - JPEG_BLOCK for side in picture.shape[-2:])
        top, left = map(int, torch.randint(JPEG_BLOCK, (2,), generator=generator))
        window = (..., slice(top, top + height), slice(left, left + width))
        return picture[window], target[window]

    def _coding(self, generator: torch.Generator) -> JpegCoding:
        return self.codings[int(torch.randint(len(self.codings), (1,), generator=generator))]

    @torch.no_grad()
    def brighten(self, gain: float) -> None:
        """Let what is white have been `gain` times white brighter, above 0."""
        self.highlight.fill_(math.log(math.expm1(gain)))

    def get_extra_state(self) -> dict[str, bool]:
        """Return which parts are on, for checkpoints."""
        return dict(self.parts)

    def set_extra_state(self, state: Mapping[str, bool]) -> None:
        """Take over which parts are on."""
        self.parts = {part: bool(on) for part, on in state.items()}

    def facts(self) -> dict[str, float]:
        """Return what was learned, in physical units, for logs and the profile.

        A part that is off is zero.
        """
        with torch.no_grad():
            draw = torch.Generator().manual_seed(0)
            spread = self.kernels.second_moment(self.kernels.sample(256, draw))
        lights, noise = float(self.parts["highlights"]), float(self.parts["noise"])
        return {
            "spread_px2": float(spread.mean()),
            "spread_sd": float(spread.std()),
            "exponent": float(self.log_exponent.detach().exp()),
            "blur_in_light": float(self.parts["response"]),
            "highlight_gain": lights * float(F.softplus(self.highlight.detach())),
            "read_noise": noise * float(self.log_read_noise.detach().exp()),
            "shot_noise": noise * float(self.log_shot_noise.detach().exp()),
            "compression": float(bool(self.codings) and self.parts["compression"]),
        }


def _begins(setting: object, part: str) -> bool:
    return USUAL[part] if setting == "auto" else bool(setting)

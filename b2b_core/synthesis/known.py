"""The known-blur set K: sharp pictures of the camera under the blur of a domain's pairs.

Source: Pham et al., Blur2Blur, CVPR 2024, section 3.3. Unlike the published code, no gradient is
kept, every picture gets a random blur at every step, and what would tell K from the camera's own
pictures besides blur (levels, noise, compression) is put back.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from b2b_core.data.seeding import torch_rng
from b2b_core.images.jpeg import JpegCoding, recompress
from b2b_core.synthesis.levels import stored
from b2b_core.synthesis.sources import BlurSource

#: JPEG's largest block with halved chroma: the grid may begin at any of this many pixels.
_JPEG_BLOCK = 16


class KnownBlur:
    """Makes K from sharp pictures.

    Args:
        source: of the blur.
        seed: the run's seed.
        noise: standard deviation of noise to add, on the scale of [0, 1]; blurring takes noise
            away that the camera's blurry pictures have (`b2b_core.synthesis.noise`).
        codings: JPEG codings of the camera; one is drawn for every picture. Without any, K is
            not compressed.
    """

    def __init__(
        self,
        source: BlurSource,
        seed: int,
        noise: float = 0.0,
        codings: Sequence[JpegCoding] = (),
    ) -> None:
        self._source = source
        self._seed = seed
        self._noise = noise
        self._codings = list(codings)

    @torch.no_grad()
    def batch(self, sharp: Tensor, step: int) -> Tensor:
        """Return K `(B, 3, H, W)` float32 in [0, 1] of `sharp`, the same shape; see `stored`.

        Args:
            sharp: `(B, 3, H, W)` in [0, 1].
            step: training step; K is a pure function of the seed, the step and the pictures.
        """
        draw = torch_rng(self._seed, "known-blur-camera", step)
        blurred = self._source.blur(sharp, step).float()
        if self._noise:
            grain = torch.randn(blurred.shape, generator=draw)
            blurred = blurred + self._noise * grain.to(blurred.device)
        return stored(self._compressed(blurred.clamp(0, 1), draw), draw)

    def _compressed(self, image: Tensor, draw: torch.Generator) -> Tensor:
        """Compress each picture with one of the camera's codings, at a random phase of the grid."""
        if not self._codings:
            return image
        made: list[Tensor] = []
        for picture in image:
            which = int(torch.randint(len(self._codings), (1,), generator=draw))
            top, left = map(int, torch.randint(_JPEG_BLOCK, (2,), generator=draw))
            shifted = F.pad(picture[None], (left, 0, top, 0), mode="reflect")[0]
            levels = (shifted * 255).round().to(torch.uint8).cpu()
            made.append(recompress(levels, self._codings[which])[:, top:, left:])
        return torch.stack(made).to(image.device).float() / 255

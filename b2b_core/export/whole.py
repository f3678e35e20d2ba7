"""A pipeline, or a part of it, as one network from picture to picture."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

Part = Literal["all", "translator", "deblurrer"]


class Whole(nn.Module):
    """`deblurrer(G(y))` as one module; every size must be one that the networks take.

    Args:
        translator: image to pyramid, coarse to fine; None to go without one.
        deblurrer: image to image of the same size; None to stop after the translator.
    """

    def __init__(self, translator: nn.Module | None, deblurrer: nn.Module | None) -> None:
        super().__init__()
        self.translator, self.deblurrer = translator, deblurrer

    def forward(self, image: Tensor) -> Tensor:
        """Map `(1, 3, H, W)`, RGB in [0, 1], to a picture of the same size in [0, 1]."""
        if self.translator is not None:
            image = self.translator(image)[-1]
        if self.deblurrer is not None:
            image = self.deblurrer(image)
        return image.clamp(0, 1)

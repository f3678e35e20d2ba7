"""Peak signal-to-noise ratio."""

from __future__ import annotations

from torch import Tensor

from b2b_core.metrics.levels import check_pair, levels

#: Both pictures rounded to 8 bits, the three channels jointly, whole frame, float64.
PSNR_PROTOCOL = "rgb-uint8"


def psnr(image: Tensor, reference: Tensor) -> Tensor:
    """Return the PSNR in dB, `(B,)`, of pictures `(B, 3, H, W)` in [0, 1]; infinite if equal.

    Protocol `rgb-uint8`, that of the published GoPro figures of NAFNet and Restormer.

    Raises:
        ValueError: if the shapes differ.
    """
    check_pair(image, reference)
    error = (levels(image) - levels(reference)).square().mean(dim=(1, 2, 3))
    return 10 * (255**2 / error).log10()

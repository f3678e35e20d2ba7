"""How noisy a picture is, measured where it is flat.

Method: the diagonal Haar detail of white noise has the noise's own standard deviation (Donoho and
Johnstone 1994), and in the flattest blocks of a photograph there is little else in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

from torch import Tensor
from torch.nn import functional as F

#: Side of a block in Haar coefficients, each of 2x2 pixels.
_BLOCK = 16
#: Share of the blocks, the flattest, that count.
_FLATTEST = 0.1
#: Blocks whose mean is closer than this to black or white are clipped and say nothing.
_CLIPPED = 0.04


def noise_level(image: Tensor) -> float:
    """Return the standard deviation of the noise of one picture, rounding included.

    Args:
        image: `(3, H, W)` in [0, 1]; only green is looked at, the channel cameras treat least.

    Returns:
        The level on the scale of [0, 1]; 0 for a picture smaller than 32x32 or clipped throughout.
    """
    green = image[1, : image.shape[1] // 2 * 2, : image.shape[2] // 2 * 2].float()
    if min(green.shape) < 2 * _BLOCK:
        return 0.0
    topleft, topright = green[::2, ::2], green[::2, 1::2]
    lowleft, lowright = green[1::2, ::2], green[1::2, 1::2]
    detail = (topleft - topright - lowleft + lowright) / 2
    spread = F.avg_pool2d(detail[None, None].square(), _BLOCK).flatten()
    mean = F.avg_pool2d(green[None, None], 2 * _BLOCK).flatten()
    usable = spread[(mean > _CLIPPED) & (mean < 1 - _CLIPPED)]
    if not len(usable):
        return 0.0
    return float(usable.quantile(_FLATTEST).sqrt())


def missing_noise(wanted: Iterable[Tensor], present: Iterable[Tensor]) -> float:
    """Return the noise to add to pictures `present` to make them as noisy as pictures `wanted`.

    Both are pictures `(3, H, W)` in [0, 1]; medians are compared. 0 if they are noisy enough.
    """
    goal = median(noise_level(image) for image in wanted)
    have = median(noise_level(image) for image in present)
    return float(max(0.0, goal**2 - have**2) ** 0.5)

"""Options of the residual U-Net, with one scale and with three."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen
from attrs.validators import and_, ge, in_, le

#: Deepest network that the specs' size rule (multiples of 8) allows.
MAX_LEVELS = 4
#: Scales of the multi-scale network: 1/4, 1/2 and 1.
SCALES = 3


@frozen
class UNetConfig:
    """Size of a U-Net; level `i` works at 1/2^i of the picture with `width * 2^i` channels."""

    #: Channels at full resolution.
    width: int = field(default=32, validator=ge(1))
    #: Number of resolutions, the full one included.
    levels: int = field(default=3, validator=and_(ge(1), le(MAX_LEVELS)))
    #: Residual blocks per level, on the way down and again on the way up.
    blocks: int = field(default=2, validator=ge(1))


@frozen
class MultiscaleUNetConfig(UNetConfig):
    """A U-Net that takes and gives the picture at scales 1/4, 1/2 and 1."""

    #: Number of resolutions, the full one included; those of the three scales at least.
    levels: int = field(default=3, validator=and_(ge(SCALES), le(MAX_LEVELS)))
    #: How the smaller pictures are made, which the outputs add to: means over areas, or bilinear
    #: without smoothing first. What D compares has to be made the same way.
    resample: Literal["area", "bilinear"] = field(
        default="area", validator=in_(("area", "bilinear"))
    )

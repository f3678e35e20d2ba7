"""Options of the residual U-Net."""

from __future__ import annotations

from attrs import field, frozen
from attrs.validators import and_, ge, le

#: Deepest network that the specs' size rule (multiples of 8) allows.
MAX_LEVELS = 4


@frozen
class UNetConfig:
    """Size of a U-Net; level `i` works at 1/2^i of the picture with `width * 2^i` channels."""

    #: Channels at full resolution.
    width: int = field(default=32, validator=ge(1))
    #: Number of resolutions, the full one included.
    levels: int = field(default=3, validator=and_(ge(1), le(MAX_LEVELS)))
    #: Residual blocks per level, on the way down and again on the way up.
    blocks: int = field(default=2, validator=ge(1))

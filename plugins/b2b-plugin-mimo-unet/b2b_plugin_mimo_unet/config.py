"""Options of MIMO-UNet."""

from __future__ import annotations

from typing import Literal

from attrs import Attribute, field, frozen
from attrs.validators import ge, in_, optional


def _is_even(_: object, attribute: Attribute[int], value: int) -> None:
    if value < 2 or value % 2:
        raise ValueError(f"{attribute.name} must be even and at least 2, not {value}")


@frozen
class MimoUNetConfig:
    """Size and start of a MIMO-UNet; the defaults are the published network."""

    #: Channels at full resolution; 2x and 4x as many below.
    width: int = field(default=32, validator=_is_even)
    #: Residual blocks per encoder and decoder level; None: 8, or 20 for the plus variant.
    blocks: int | None = field(default=None, validator=optional(ge(1)))
    #: MIMO-UNet+: more blocks, and dropout (0.1, whole channels) behind the feature fusion.
    plus: bool = False
    #: "published": weights N(0, 0.02), biases 0, as Blur2Blur; "default": torch's own.
    init: Literal["published", "default"] = field(
        default="published", validator=in_(("published", "default"))
    )
    #: How the input pyramid is made: "nearest" suits published weights, "area" does not alias.
    resample: Literal["nearest", "area"] = field(
        default="nearest", validator=in_(("nearest", "area"))
    )
    #: Start every output convolution at zero, so that a fresh network is the identity.
    zero_init_residual: bool = False

    @property
    def depth(self) -> int:
        """Residual blocks per level, with the variant's default filled in."""
        if self.blocks is not None:
            return self.blocks
        return 20 if self.plus else 8

"""Options of NAFNet."""

from __future__ import annotations

from typing import cast

from attrs import Attribute, field, frozen
from attrs.validators import deep_iterable, ge, optional

#: Most halvings that the specs' size rule (multiples of 16) allows.
MAX_LEVELS = 4


def _fits_size_rule(_: object, attribute: Attribute[tuple[int, ...]], value: object) -> None:
    levels = cast("tuple[object, ...]", value) if isinstance(value, tuple) else ()
    if not 1 <= len(levels) <= MAX_LEVELS:
        raise ValueError(f"{attribute.name} must list 1 to {MAX_LEVELS} levels, not {value!r}")


@frozen
class NafNetConfig:
    """Size of a NAFNet; the defaults are the published width-32 network for GoPro."""

    #: Channels at full resolution; doubled at each level.
    width: int = field(default=32, validator=ge(1))
    #: Blocks at the coarsest level.
    middle: int = field(default=1, validator=ge(0))
    #: Blocks per encoder level, fine to coarse; each level halves the size.
    encoders: tuple[int, ...] = field(
        default=(1, 1, 1, 28), validator=[_fits_size_rule, deep_iterable(ge(0))]
    )
    #: Blocks per decoder level, coarse to fine; as many levels as encoders.
    decoders: tuple[int, ...] = field(
        default=(1, 1, 1, 1), validator=[_fits_size_rule, deep_iterable(ge(0))]
    )
    #: Side in pixels of the window over which channel attention averages (TLC, Chu et al. 2022);
    #: the published GoPro scores use 384. None averages over the whole picture.
    tlc_window: int | None = field(default=None, validator=optional(ge(1)))
    #: Start the last convolution at zero, so that a fresh network is the identity.
    zero_init_residual: bool = False

    def __attrs_post_init__(self) -> None:
        """Refuse encoders and decoders that do not match."""
        if len(self.encoders) != len(self.decoders):
            raise ValueError(
                f"encoders and decoders must have the same number of levels, "
                f"not {len(self.encoders)} and {len(self.decoders)}"
            )

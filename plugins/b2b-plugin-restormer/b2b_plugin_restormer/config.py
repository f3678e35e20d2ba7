"""Options of Restormer."""

from __future__ import annotations

from typing import Literal

from attrs import Attribute, field, frozen
from attrs.validators import deep_iterable, ge, gt, in_, optional

#: Resolutions: the full one, 1/2, 1/4 and 1/8.
LEVELS = 4


def _one_per_level(
    _: object, attribute: Attribute[tuple[int, ...]], value: tuple[int, ...]
) -> None:
    if len(value) != LEVELS:
        raise ValueError(f"{attribute.name} must list {LEVELS} levels, not {value!r}")


def _is_even(_: object, attribute: Attribute[int], value: int) -> None:
    if value < 2 or value % 2:
        raise ValueError(f"{attribute.name} must be even and at least 2, not {value}")


@frozen
class RestormerConfig:
    """Size of a Restormer; the defaults are the published network for motion deblurring."""

    #: Channels at full resolution; doubled at each level.
    dim: int = field(default=48, validator=_is_even)
    #: Blocks per level, fine to coarse; the same number on the way down and on the way up.
    blocks: tuple[int, ...] = field(
        default=(4, 6, 6, 8), validator=[_one_per_level, deep_iterable(ge(0))]
    )
    #: Blocks at full resolution behind the last decoder.
    refinement: int = field(default=4, validator=ge(0))
    #: Attention heads per level, fine to coarse.
    heads: tuple[int, ...] = field(
        default=(1, 2, 4, 8), validator=[_one_per_level, deep_iterable(ge(1))]
    )
    #: Channels inside the feed-forward part per channel outside, rounded down.
    expansion: float = field(default=2.66, validator=gt(0.0))
    #: Biases in the convolutions of the blocks, of the reductions and of the output.
    bias: bool = False
    #: Layer normalisation with a learned shift, or scaling alone, as in the published denoisers.
    norm: Literal["with-bias", "bias-free"] = field(
        default="with-bias", validator=in_(("with-bias", "bias-free"))
    )
    #: Side in pixels of the windows that attention looks at (TLC, Chu et al. 2022); at least one
    #: pixel of the coarsest level. None looks at the whole picture.
    tlc_window: int | None = field(default=None, validator=optional(ge(2 ** (LEVELS - 1))))
    #: Start the last convolution at zero, so that a fresh network is the identity.
    zero_init_residual: bool = False

    def __attrs_post_init__(self) -> None:
        """Refuse heads that do not divide their channels, and a feed-forward part of nothing."""
        for level, heads in enumerate(self.heads):
            if self.dim * 2**level % heads:
                raise ValueError(
                    f"heads: {heads} do not divide the {self.dim * 2**level} channels "
                    f"of level {level + 1}"
                )
        if int(self.dim * self.expansion) < 1:
            raise ValueError(f"expansion: {self.expansion} leaves none of {self.dim} channels")

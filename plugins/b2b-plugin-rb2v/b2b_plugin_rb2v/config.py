"""Options of the domain."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen
from attrs.validators import ge, le


@frozen
class Rb2vConfig:
    """Which part of RB2V, and which of the sharp frames of each blurry one."""

    #: Part of the data set; what is looked for below a root that is not itself a part.
    part: Literal["Street", "Face", "Hand"] = "Street"
    #: Which of the seven sharp frames is the original; the middle one by default.
    frame: int = field(default=4, validator=[ge(1), le(7)])

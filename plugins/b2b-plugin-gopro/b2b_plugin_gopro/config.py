"""Options of the domain."""

from __future__ import annotations

from typing import Literal

from attrs import frozen


@frozen
class GoproConfig:
    """Which of GoPro's two kinds of blurry pictures to use."""

    #: "blur": averaged as the camera's curve stored them (the usual benchmark); "blur_gamma":
    #: averaged in linear light; "auto": the first of the two that is there.
    blur: Literal["auto", "blur", "blur_gamma"] = "auto"

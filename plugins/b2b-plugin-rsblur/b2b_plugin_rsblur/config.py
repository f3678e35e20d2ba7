"""Options of the domain."""

from __future__ import annotations

from typing import Literal

from attrs import frozen


@frozen
class RsblurConfig:
    """Which of RSBlur's blurry pictures, and which of its lists."""

    #: "real": as the camera took them; "avg65": synthetic ones of interpolated frames, which the
    #: authors' blur synthesis starts from.
    blur: Literal["real", "avg65"] = "real"
    #: Whether RSBlur_additional is trained on, too. Its authors advise against it for real blur.
    additional: bool = False
    #: List of the test split: all 3,360 pairs, the 1,626 with saturated light, the 1,734 without,
    #: or the 1,120 for validation.
    test: Literal["test", "saturation", "non-saturation", "val"] = "test"

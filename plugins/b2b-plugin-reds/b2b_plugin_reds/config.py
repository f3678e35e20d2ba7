"""Options of the domain."""

from __future__ import annotations

from typing import Literal

from attrs import frozen

#: REDS's kinds of blurry frames, the preferred first: NAFNet's published weights are for the first.
TRACKS = ("blur_jpeg", "blur", "blur_comp")


@frozen
class RedsConfig:
    """Which of REDS's blurry frames, and which of its test frames."""

    #: "blur": blurred; "blur_jpeg": also compressed as JPEG; "blur_comp": also compressed as video;
    #: "auto": the first of blur_jpeg, blur, blur_comp that is there, in both splits.
    track: Literal["auto", "blur", "blur_jpeg", "blur_comp"] = "auto"
    #: Frames of the test split: "val" has all 3,000 of the validation clips, as in the Blur2Blur
    #: paper; "val-300" every tenth of them (numbers that end in 9), as in NAFNet's figures.
    test: Literal["val", "val-300"] = "val"

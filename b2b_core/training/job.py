"""What a strategy is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import define, field, frozen
from torch import nn

from b2b_core.data.pairs import PairSet
from b2b_core.data.pictures import PictureSet
from b2b_core.networks import NetworkFile
from b2b_core.training.run import Run


@frozen(eq=False)
class Part:
    """A network that was built for a run, with what is needed to build it again."""

    kind: str
    #: Name of the component, and the options it was built with.
    component: str
    options: Mapping[str, Any]
    module: nn.Module


@frozen(eq=False)
class Job:
    """Everything a strategy may use."""

    #: B and S, disjoint in scenes.
    blurry: PictureSet
    sharp: PictureSet
    #: Scenes that nothing is trained on.
    held_blurry: PictureSet
    held_sharp: PictureSet
    #: The known domain: its name and its training pairs.
    domain: str
    pairs: PairSet
    #: Side of training crops in pixels.
    crop: int
    #: Sides that every network of this run takes are multiples of this.
    multiple: int
    #: The known domain's deblurrer, frozen, on the run's device.
    deblurrer: Part
    deblurrer_file: NetworkFile
    #: Builds the part of a kind ("translator", "discriminator", "kernel-extractor",
    #: "feature-extractor") as the configuration names it, on the run's device.
    build: Callable[[str], Part]
    run: Run


@frozen
class Candidate:
    """One way to deblur the camera, measured on held-out pictures."""

    name: str
    #: PSNR in dB on held-out pictures under the camera's blur model; None where unknown.
    psnr: float | None
    seconds: float
    #: What it is, in words.
    note: str = ""
    #: Gain in dB over the unchanged deblurrer to expect on real pictures; None where unknown.
    expected: float | None = None


@define(eq=False)
class Outcome:
    """What goes into the camera profile."""

    #: Trained translator, or None for a profile without one.
    translator: Part | None
    #: The fine-tuned deblurrer, or None where the domain's own is used unchanged.
    deblurrer: Part | None
    #: What was compared, the chosen one by its name.
    candidates: list[Candidate] = field(factory=list[Candidate])
    chosen: str = ""
    #: Plain data for the profile: validation numbers, what was learned of the camera.
    summary: dict[str, Any] = field(factory=dict[str, Any])
    #: Every finished candidate by name, so that a report can show them side by side.
    alternatives: dict[str, tuple[Part | None, Part | None]] = field(
        factory=dict[str, tuple[Part | None, Part | None]]
    )

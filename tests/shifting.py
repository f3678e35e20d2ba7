"""A catalogue and a camera profile of networks that add a constant, and pictures for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn

from b2b_core.errors import UsageError
from b2b_core.images.write import write_picture
from b2b_core.networks import save_network
from b2b_core.profile import CameraProfile, ProfilePart, save_profile
from b2b_core.specs import DeblurrerSpec, DomainSpec, MetricSpec, SizeRule, TranslatorSpec


class Shift(nn.Module):
    """Adds a constant to every value."""

    def __init__(self, by: float) -> None:
        super().__init__()
        self.by = nn.Parameter(torch.tensor(by))

    def forward(self, image):
        """Return the brighter image."""
        return image + self.by


class ShiftPyramid(Shift):
    """The same as a translator."""

    def forward(self, image):
        """Return a pyramid of one level."""
        return [super().forward(image)]


def minimum(image, reference=None):  # noqa: ARG001 - as the contract has it
    """Return the least value of each picture, a metric of no use."""
    return image.amin(dim=(1, 2, 3)).double()


OFFERS = {
    ("translator", "g"): TranslatorSpec(
        name="g", config=dict, factory=lambda o: ShiftPyramid(**o), summary=""
    ),
    ("deblurrer", "d"): DeblurrerSpec(
        name="d",
        config=dict,
        factory=lambda o: Shift(**o),
        summary="",
        size=SizeRule(multiple_of=4),
    ),
    ("domain", "known"): DomainSpec(
        name="known",
        config=dict,
        factory=dict,
        summary="",
        layout="",
        deblurrer="d.known",
    ),
    ("metric", "minimum"): MetricSpec(
        name="minimum",
        config=dict,
        factory=lambda _: minimum,
        summary="",
        protocol="least",
        higher_is_better=True,
        needs_reference=False,
    ),
}


class FakeCatalogue:
    """What plugins would offer."""

    def __init__(self, weights: Path | None = None) -> None:
        self.weights = weights

    def spec(self, kind, name):
        """Return a spec, or say that it is not there."""
        if (kind, name) not in OFFERS:
            raise UsageError(f"no installed plugin offers the {kind} '{name}'")
        return OFFERS[kind, name]

    def build(self, kind, name, options=()):
        """Build a component."""
        return self.spec(kind, name).factory(dict(options))

    def answers(self, _hook, name):
        """Ship the weights "d.known"."""
        return [("b2b-plugin-d", self.weights)] if self.weights and name == "d.known" else []


def part(component: str, by: float) -> ProfilePart:
    """Describe a shift."""
    return ProfilePart(
        component=component,
        options={"by": by},
        distribution=f"b2b-plugin-{component}",
        version="0.1.0",
    )


PROFILE = CameraProfile(
    translator=part("g", 0.0),
    deblurrer=part("d", 0.0),
    published=None,
    domain="known",
    scales=(1.0,),
    strategy="reblur",
    created="2026-01-02T03:04:05+00:00",
)


def write_known(folder: Path) -> Path:
    """Write the weights of a known deblurrer, which adds 2 steps of 255."""
    path = folder / "known.safetensors"
    save_network(
        path,
        Shift(2 / 255),
        kind="deblurrer",
        component="d",
        options={"by": 0.0},
        facts={},
        distribution="b2b-plugin-d",
        version="0.1.0",
    )
    return path


def write_profile(folder: Path) -> Path:
    """Write a profile whose networks add 3 and 5 steps of 255."""
    path = folder / "camera.safetensors"
    save_profile(path, PROFILE, translator=ShiftPyramid(3 / 255), deblurrer=Shift(5 / 255))
    return path


def picture(seed=0, height=13, width=18, dtype=np.uint8):
    """Make random pixels away from white."""
    high = np.iinfo(dtype).max * 3 // 4
    return np.random.default_rng(seed).integers(0, high, (height, width, 3)).astype(dtype)


def write_pictures(folder: Path) -> Path:
    """Write three pictures below a new folder, in two levels and two depths."""
    folder = folder / "in"
    write_picture(folder / "a.png", picture(1))
    write_picture(folder / "more" / "b.png", picture(2, dtype=np.uint16))
    write_picture(folder / "more" / "c.png", picture(3, 1, 1))
    return folder

"""What a recipe says; importing this module imports neither numpy nor torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen
from attrs.validators import and_, ge, gt, le

_SHARE = and_(gt(0.0), le(1.0))


@frozen(kw_only=True)
class Training:
    """How a deblurrer is trained on pairs; fields as in `b2b train deblurrer`."""

    steps: int = field(default=6000, validator=ge(1))
    batch: int = field(default=8, validator=ge(1))
    crop: int = field(default=128, validator=ge(16))
    lr: float = 1e-3
    ema: float = 0.999
    seed: int = 0


@frozen(kw_only=True)
class Pictures:
    """Pictures of a data root, each with role, scene and SHA-256."""

    #: A CSV file beside the recipe: role, file, scene, sha256.
    list: str
    #: Where anyone gets them.
    source: str = ""
    #: At most so many scenes of a role; 0 takes all.
    limit: int = field(default=0, validator=ge(0))


@frozen(kw_only=True)
class CameraChoice:
    """The unknown camera."""

    #: Of `b2b_core.bench.cameras`, or "frames": pictures that a real camera took.
    name: str
    #: Of the camera's class, or of `frames.Frames`.
    parameters: Mapping[str, Any] = field(factory=dict[str, Any])
    #: Exposures of each of its scenes for the upper bound.
    exposures: int = field(default=3, validator=ge(1))


@frozen(kw_only=True)
class Unknown:
    """A data set with pairs as the unknown camera, split as the paper does."""

    domain: str
    #: Folder below the data root.
    root: str
    options: Mapping[str, Any] = field(factory=dict[str, Any])
    #: Share of the scenes that gives blurry pictures; the other scenes give sharp ones.
    blurry_share: float = field(default=0.6, validator=_SHARE)
    #: Share of the training scenes that is used at all.
    fraction: float = field(default=1.0, validator=_SHARE)
    #: Seed of both splits.
    seed: int = 0


@frozen(kw_only=True)
class Known:
    """The known domain: its pairs, and the deblurrer that is trained on them."""

    #: Name of the domain, for `b2b adapt`; rendered pairs lie as that domain has them.
    domain: str = "starter"
    #: Folder of its pairs below the data root; None renders them from the listed pictures.
    root: str | None = None
    #: Parameters of `known.StraightMotion`.
    motion: Mapping[str, Any] = field(factory=dict[str, Any])
    #: Published weights or a network file; none, or an empty text, trains the component.
    weights: str | None = None
    component: str = "unet"
    options: Mapping[str, Any] = field(factory=dict[str, Any])
    training: Training = Training()


@frozen(kw_only=True)
class Bound:
    """The paired upper bound: the known deblurrer fine-tuned on true pairs of the camera."""

    #: Published weights instead of training; an empty text trains.
    weights: str | None = None
    #: At most so many pairs of a data set, evenly spread over it.
    most_pairs: int = field(default=1000, validator=ge(1))
    training: Training = Training(steps=2400, crop=112, ema=0.995)


@frozen(kw_only=True)
class Checks:
    """Table 6 of the paper: whether converted pictures have the known blur."""

    steps: int = field(default=2000, validator=ge(1))
    batch: int = field(default=16, validator=ge(2))
    lr: float = 1e-4


@frozen(kw_only=True)
class Recipe:
    """One proof: a camera, a known domain, an adaptation and what they are compared with."""

    name: str
    title: str
    #: What is shown, and what about it is small or chosen, for people.
    about: str = ""
    #: Results of recipes of one group are pooled in the table.
    group: str = ""
    pictures: Pictures | None = None
    camera: CameraChoice | None = None
    unknown: Unknown | None = None
    known: Known = Known()
    upper_bound: Bound | None = Bound()
    #: Settings of `b2b adapt`, without pictures, domain and seed.
    adaptation: Mapping[str, Any] = field(factory=dict[str, Any])
    #: Stages of the strategy that learn the camera and not the deblurring: runs with less of S
    #: take them over from the run with all of it.
    camera_stages: tuple[str, ...] = ("spectrum", "camera")
    checks: Checks | None = None
    #: Training time that a run should not exceed; longer ones are marked in the table.
    minutes: float = 20.0
    #: The paper's PSNR: way -> dB, for the table.
    published: Mapping[str, float] = field(factory=dict[str, float])
    #: Where the recipe's file lies; its list of pictures lies there as well.
    folder: Path = field(default=Path(), eq=False)

    @property
    def pooled(self) -> str:
        """The name under which the table shows this recipe."""
        return self.group or self.name

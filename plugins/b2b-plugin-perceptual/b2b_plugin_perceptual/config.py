"""Options of the feature extractors."""

from __future__ import annotations

from typing import Literal, Protocol

from attrs import field, frozen
from attrs.validators import ge, in_

Normalisation = Literal["imagenet", "none"]


class VggConfig(Protocol):
    """What both VGG configurations have in common."""

    @property
    def weights(self) -> str | None:
        """Local file of ImageNet weights."""
        ...

    @property
    def taps(self) -> tuple[str, ...]:
        """Names of the layers to return."""
        ...

    @property
    def layer_weights(self) -> tuple[float, ...]:
        """Factor on each returned map."""
        ...

    @property
    def normalisation(self) -> Normalisation:
        """What happens to pictures before the first layer."""
        ...


@frozen
class Vgg19Config:
    """VGG19, which the paper names; it names no layers: these are pix2pixHD's."""

    #: Published weights (`b2b weights list`), or a local `.pth` or `.safetensors` with
    #: torchvision's names; None or an empty text: random, from a fixed seed.
    weights: str | None = None
    #: Layers by name, such as `relu2_2` or `conv5_1`.
    taps: tuple[str, ...] = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
    #: Factor on each tap's map.
    layer_weights: tuple[float, ...] = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)
    #: "imagenet": subtract ImageNet's mean, divide by its deviation; "none": leave [0, 1].
    normalisation: Normalisation = field(default="imagenet", validator=in_(("imagenet", "none")))


@frozen
class Vgg16Config:
    """VGG16 as in the published code: its layers, its factors, no normalisation."""

    #: Published weights (`b2b weights list`), or a local `.pth` or `.safetensors` with
    #: torchvision's names; None or an empty text: random, from a fixed seed.
    weights: str | None = None
    #: Layers by name, such as `relu2_2` or `conv5_1`.
    taps: tuple[str, ...] = ("relu2_2", "relu3_3", "relu4_1", "relu4_3", "conv5_1")
    #: Factor on each tap's map.
    layer_weights: tuple[float, ...] = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)
    #: "imagenet": subtract ImageNet's mean, divide by its deviation; "none": leave [0, 1].
    normalisation: Normalisation = field(default="none", validator=in_(("imagenet", "none")))


@frozen
class FilterBankConfig:
    """Fixed filters at several scales."""

    #: Scales; each halves the picture of the one before.
    scales: int = field(default=3, validator=ge(1))
    #: Deviation in pixels of the Gaussians under the filters.
    sigma: float = field(default=1.0, validator=ge(0.3))
    #: Directions of the oriented filters.
    orientations: int = field(default=4, validator=ge(1))


@frozen
class PixelPyramidConfig:
    """The picture itself, at several scales."""

    #: Scales; each halves the picture of the one before.
    scales: int = field(default=3, validator=ge(1))

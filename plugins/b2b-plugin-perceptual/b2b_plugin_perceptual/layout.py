"""How torchvision's files of VGG16 and VGG19 are laid out.

A network is built up to its deepest tap; what lies behind it, and the classifier, are left out.
"""

from __future__ import annotations

from b2b_core.layouts import Layout, Shapes
from b2b_plugin_perceptual.config import Vgg16Config, Vgg19Config

#: Places of the convolutions in torchvision's `features`.
VGG16_CONVOLUTIONS = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
VGG19_CONVOLUTIONS = (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34)


def read_vgg16(_shapes: Shapes) -> Vgg16Config:
    """Return the default options: the shapes leave nothing open."""
    return Vgg16Config()


def read_vgg19(_shapes: Shapes) -> Vgg19Config:
    """Return the default options: the shapes leave nothing open."""
    return Vgg19Config()


def _unused(convolutions: tuple[int, ...]) -> tuple[str, ...]:
    layers = [f"features.{place}" for place in convolutions] + ["classifier.[036]"]
    return tuple(f"{layer}.{part}" for layer in layers for part in ("weight", "bias"))


VGG16: Layout[Vgg16Config] = Layout(
    name="torchvision-vgg16",
    keys=("features.0.weight", "features.14.weight", "features.17.weight"),
    read=read_vgg16,
    unused=_unused(VGG16_CONVOLUTIONS),
)
VGG19: Layout[Vgg19Config] = Layout(
    name="torchvision-vgg19",
    keys=("features.0.weight", "features.14.weight", "features.16.weight"),
    read=read_vgg19,
    unused=_unused(VGG19_CONVOLUTIONS),
)

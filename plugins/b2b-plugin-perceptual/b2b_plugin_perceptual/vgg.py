"""VGG up to the deepest layer that is asked for.

Simonyan and Zisserman (ICLR 2015), configurations D (16) and E (19). Parameter names are
torchvision's, `features.N.weight` and `features.N.bias`, so that its ImageNet weights load.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from b2b_core.errors import UsageError
from b2b_plugin_perceptual.frozen import FrozenModule
from b2b_plugin_perceptual.weights import load_vgg_weights

if TYPE_CHECKING:
    from b2b_plugin_perceptual.config import VggConfig

#: Convolutions per stage; a stage ends in a pooling that halves the size.
_STAGES: Final = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
_WIDTHS: Final = (64, 128, 256, 512, 512)
_MEAN: Final = (0.485, 0.456, 0.406)
_DEVIATION: Final = (0.229, 0.224, 0.225)
_SEED: Final = 0


def layer_names(variant: str) -> list[str]:
    """Return the name of each of torchvision's `features.N`: conv1_1, relu1_1, ..., pool5."""
    names: list[str] = []
    for stage, depth in enumerate(_STAGES[variant], start=1):
        for step in range(1, depth + 1):
            names += [f"conv{stage}_{step}", f"relu{stage}_{step}"]
        names.append(f"pool{stage}")
    return names


class Vgg(FrozenModule):
    """The convolutional part of VGG, frozen; without loaded weights random from a fixed seed.

    Args:
        variant: "vgg16" or "vgg19".
        config: taps, their factors, normalisation (`config.weights` is not read here).

    Raises:
        UsageError: for an unknown tap, or another number of factors than of taps.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, variant: str, config: VggConfig) -> None:
        super().__init__()
        names = layer_names(variant)
        _check_taps(variant, names, config)
        self.factors = {
            names.index(tap): (place, factor)
            for place, (tap, factor) in enumerate(
                zip(config.taps, config.layer_weights, strict=True)
            )
        }
        used = names[: max(self.factors) + 1]
        self.features = nn.Sequential(*_layers(used))
        self.minimum = 2 ** sum(name.startswith("pool") for name in used)
        imagenet = config.normalisation == "imagenet"
        for name, values in (
            ("mean", _MEAN if imagenet else (0.0, 0.0, 0.0)),
            ("deviation", _DEVIATION if imagenet else (1.0, 1.0, 1.0)),
        ):
            self.register_buffer(name, torch.tensor(values).view(1, 3, 1, 1), persistent=False)
        _start(self.features)
        self.freeze()

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return the taps' maps in the order of the config, each times its factor.

        Pictures `(B, 3, H, W)` in [0, 1]; one that is too small for the poolings is extended by
        repeating its border.
        """
        height, width = image.shape[-2:]
        missing = (0, max(0, self.minimum - width), 0, max(0, self.minimum - height))
        if any(missing):
            image = F.pad(image, missing, mode="replicate")
        x = (image - self.mean) / self.deviation
        maps: dict[int, Tensor] = {}
        for index, layer in enumerate(self.features):
            x = layer(x)
            if index in self.factors:
                place, factor = self.factors[index]
                maps[place] = factor * x
        return [maps[place] for place in sorted(maps)]


def build_vgg(variant: str, config: VggConfig) -> Vgg:
    """Build VGG and load `config.weights`, if it names a file.

    Raises:
        UsageError: for taps that do not exist, or a file that is not there.
        B2bError: for a file that is not a VGG's.
    """
    network = Vgg(variant, config)
    if config.weights:
        load_vgg_weights(network, config.weights)
    return network


def _check_taps(variant: str, names: list[str], config: VggConfig) -> None:
    unknown = [tap for tap in config.taps if tap not in names]
    if unknown or not config.taps or len(set(config.taps)) != len(config.taps):
        raise UsageError(
            f"the taps {', '.join(config.taps) or '(none)'} are not distinct layers of {variant}",
            mend=f"choose from {', '.join(names)}",
        )
    if len(config.taps) != len(config.layer_weights):
        raise UsageError(
            f"{len(config.taps)} taps but {len(config.layer_weights)} layer weights",
            mend="give one layer weight per tap",
        )


def _layers(names: list[str]) -> list[nn.Module]:
    layers: list[nn.Module] = []
    channels = 3
    for name in names:
        width = _WIDTHS[int(name[4]) - 1]
        if name.startswith("conv"):
            layers.append(nn.Conv2d(channels, width, 3, padding=1))
            channels = width
        else:
            layers.append(nn.ReLU() if name.startswith("relu") else nn.MaxPool2d(2))
    return layers


def _start(features: nn.Sequential) -> None:
    generator = Generator().manual_seed(_SEED)
    for layer in features:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)

"""Feature extractors as a b2b plugin: `vgg19`, `vgg16`, `filter-bank`, `pixel-pyramid`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from b2b_core import hookimpl
from b2b_core.specs import FeatureExtractorSpec
from b2b_plugin_perceptual.config import (
    FilterBankConfig,
    PixelPyramidConfig,
    Vgg16Config,
    Vgg19Config,
)
from b2b_plugin_perceptual.layout import VGG16, VGG19

if TYPE_CHECKING:
    from b2b_core.contracts import FeatureExtractor

_VGG = "Simonyan and Zisserman, Very Deep Convolutional Networks, ICLR 2015"


def build_vgg19(config: Vgg19Config) -> FeatureExtractor:
    """Build VGG19 and, if the config names a file, load its weights."""
    from b2b_plugin_perceptual.vgg import build_vgg

    return build_vgg("vgg19", config)


def build_vgg16(config: Vgg16Config) -> FeatureExtractor:
    """Build VGG16 and, if the config names a file, load its weights."""
    from b2b_plugin_perceptual.vgg import build_vgg

    return build_vgg("vgg16", config)


def build_filter_bank(config: FilterBankConfig) -> FeatureExtractor:
    """Build the fixed filters."""
    from b2b_plugin_perceptual.filters import FilterBank

    return FilterBank(config)


def build_pixel_pyramid(config: PixelPyramidConfig) -> FeatureExtractor:
    """Build the pyramid of pictures."""
    from b2b_plugin_perceptual.pyramid import PixelPyramid

    return PixelPyramid(config)


@hookimpl
def b2b_feature_extractors() -> list[
    FeatureExtractorSpec[Vgg19Config]
    | FeatureExtractorSpec[Vgg16Config]
    | FeatureExtractorSpec[FilterBankConfig]
    | FeatureExtractorSpec[PixelPyramidConfig]
]:
    """Offer the feature extractors."""
    return [
        FeatureExtractorSpec(
            name="vgg19",
            config=Vgg19Config,
            factory=build_vgg19,
            summary="VGG19, relu1_1 to relu5_1; the network the paper names",
            citation=_VGG,
            layouts=(VGG19,),
            normalisation="imagenet",
        ),
        FeatureExtractorSpec(
            name="vgg16",
            config=Vgg16Config,
            factory=build_vgg16,
            summary="VGG16 with the layers of the published code",
            citation=_VGG,
            layouts=(VGG16,),
        ),
        FeatureExtractorSpec(
            name="filter-bank",
            config=FilterBankConfig,
            factory=build_filter_bank,
            summary="Gaussian, Laplacian, derivative, Gabor filters at several scales; no weights",
            citation="Leung and Malik, Representing and Recognizing Textures, IJCV 2001",
        ),
        FeatureExtractorSpec(
            name="pixel-pyramid",
            config=PixelPyramidConfig,
            factory=build_pixel_pyramid,
            summary="the picture at scales 1, 1/2, 1/4 by area; no weights",
        ),
    ]

"""The residual U-Net as a b2b plugin: translators and deblurrer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from b2b_core import hookimpl
from b2b_core.specs import DeblurrerSpec, SizeRule, TranslatorSpec
from b2b_plugin_unet.config import MAX_LEVELS, MultiscaleUNetConfig, UNetConfig
from b2b_plugin_unet.layout import UNET, UNET_MULTISCALE

if TYPE_CHECKING:
    from b2b_core.contracts import Deblurrer, Translator

_SIZE = SizeRule(multiple_of=2 ** (MAX_LEVELS - 1))
_CITATION = "Ronneberger et al., U-Net, MICCAI 2015; residual blocks as in Lim et al., EDSR, 2017"


def build_translator(config: UNetConfig) -> Translator:
    """Build the U-Net as a single-scale translator."""
    from b2b_plugin_unet.network import UNetTranslator

    return UNetTranslator(config)


def build_multiscale_translator(config: MultiscaleUNetConfig) -> Translator:
    """Build the U-Net with three inputs and three outputs."""
    from b2b_plugin_unet.multiscale import MultiscaleUNet

    return MultiscaleUNet(config)


def build_deblurrer(config: UNetConfig) -> Deblurrer:
    """Build the U-Net as a deblurrer."""
    from b2b_plugin_unet.network import UNet

    return UNet(config)


@hookimpl
def b2b_translators() -> list[TranslatorSpec[UNetConfig] | TranslatorSpec[MultiscaleUNetConfig]]:
    """Offer the translators `unet` and `unet-multiscale`."""
    return [
        TranslatorSpec(
            name="unet",
            config=UNetConfig,
            factory=build_translator,
            summary="plain residual U-Net, one scale; quick on a CPU",
            citation=_CITATION,
            layouts=(UNET,),
            scales=(1.0,),
            size=_SIZE,
        ),
        TranslatorSpec(
            name="unet-multiscale",
            config=MultiscaleUNetConfig,
            factory=build_multiscale_translator,
            summary="residual U-Net with three inputs and outputs, scales 1/4, 1/2, 1",
            citation=_CITATION,
            layouts=(UNET_MULTISCALE,),
            scales=(0.25, 0.5, 1.0),
            size=_SIZE,
        ),
    ]


@hookimpl
def b2b_deblurrers() -> list[DeblurrerSpec[UNetConfig]]:
    """Offer the deblurrer `unet`."""
    return [
        DeblurrerSpec(
            name="unet",
            config=UNetConfig,
            factory=build_deblurrer,
            summary="plain residual U-Net; quick to train and to run on a CPU",
            citation=_CITATION,
            layouts=(UNET,),
            size=_SIZE,
        )
    ]

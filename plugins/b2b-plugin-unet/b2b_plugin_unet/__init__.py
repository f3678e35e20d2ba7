"""The residual U-Net as a b2b plugin: translator `unet` and deblurrer `unet`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from b2b_core import hookimpl
from b2b_core.specs import DeblurrerSpec, SizeRule, TranslatorSpec
from b2b_plugin_unet.config import MAX_LEVELS, UNetConfig

if TYPE_CHECKING:
    from b2b_core.contracts import Deblurrer, Translator

_SIZE = SizeRule(multiple_of=2 ** (MAX_LEVELS - 1))
_CITATION = "Ronneberger et al., U-Net, MICCAI 2015; residual blocks as in Lim et al., EDSR, 2017"


def build_translator(config: UNetConfig) -> Translator:
    """Build the U-Net as a single-scale translator."""
    from b2b_plugin_unet.network import UNetTranslator

    return UNetTranslator(config)


def build_deblurrer(config: UNetConfig) -> Deblurrer:
    """Build the U-Net as a deblurrer."""
    from b2b_plugin_unet.network import UNet

    return UNet(config)


@hookimpl
def b2b_translators() -> list[TranslatorSpec[UNetConfig]]:
    """Offer the translator `unet`."""
    return [
        TranslatorSpec(
            name="unet",
            config=UNetConfig,
            factory=build_translator,
            summary="plain residual U-Net, one scale; quick on a CPU",
            citation=_CITATION,
            scales=(1.0,),
            size=_SIZE,
        )
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
            size=_SIZE,
        )
    ]

"""MIMO-UNet as a b2b plugin: translator and deblurrer `mimo-unet`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from b2b_core import hookimpl
from b2b_core.specs import DeblurrerSpec, SizeRule, TranslatorSpec
from b2b_plugin_mimo_unet.config import MimoUNetConfig
from b2b_plugin_mimo_unet.layout import MIMO_UNET, MIMO_UNET_PLUS

if TYPE_CHECKING:
    from b2b_core.contracts import Deblurrer, Translator

_SIZE = SizeRule(multiple_of=4)
_CITATION = "Cho et al., Rethinking Coarse-to-Fine Approach in Single Image Deblurring, ICCV 2021"


def build_translator(config: MimoUNetConfig) -> Translator:
    """Build MIMO-UNet with its three outputs."""
    from b2b_plugin_mimo_unet.network import MimoUNet

    return MimoUNet(config)


def build_deblurrer(config: MimoUNetConfig) -> Deblurrer:
    """Build MIMO-UNet with the finest output only."""
    from b2b_plugin_mimo_unet.network import MimoUNetDeblurrer

    return MimoUNetDeblurrer(config)


@hookimpl
def b2b_translators() -> list[TranslatorSpec[MimoUNetConfig]]:
    """Offer the translator `mimo-unet`."""
    return [
        TranslatorSpec(
            name="mimo-unet",
            config=MimoUNetConfig,
            factory=build_translator,
            summary="MIMO-UNet (or plus), three scales; the translator of the Blur2Blur paper",
            citation=_CITATION,
            layouts=(MIMO_UNET_PLUS, MIMO_UNET),
            scales=(0.25, 0.5, 1.0),
            size=_SIZE,
        )
    ]


@hookimpl
def b2b_deblurrers() -> list[DeblurrerSpec[MimoUNetConfig]]:
    """Offer the deblurrer `mimo-unet`."""
    return [
        DeblurrerSpec(
            name="mimo-unet",
            config=MimoUNetConfig,
            factory=build_deblurrer,
            summary="MIMO-UNet (or plus); takes the published weights",
            citation=_CITATION,
            layouts=(MIMO_UNET_PLUS, MIMO_UNET),
            size=_SIZE,
            expected_failures={
                "gradients": "published weights hold outputs at two smaller scales, unused here"
            },
        )
    ]

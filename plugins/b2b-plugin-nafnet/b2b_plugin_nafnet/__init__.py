"""NAFNet as a b2b plugin: deblurrer and translator `nafnet`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from b2b_core import hookimpl
from b2b_core.specs import DeblurrerSpec, SizeRule, TranslatorSpec
from b2b_plugin_nafnet.config import MAX_LEVELS, NafNetConfig
from b2b_plugin_nafnet.layout import NAFNET

if TYPE_CHECKING:
    from b2b_core.contracts import Deblurrer, Translator

_SIZE = SizeRule(multiple_of=2**MAX_LEVELS)
_CITATION = "Chen et al., Simple Baselines for Image Restoration, ECCV 2022"


def build_translator(config: NafNetConfig) -> Translator:
    """Build NAFNet as a single-scale translator."""
    from b2b_plugin_nafnet.network import NafNetTranslator

    return NafNetTranslator(config)


def build_deblurrer(config: NafNetConfig) -> Deblurrer:
    """Build NAFNet as a deblurrer."""
    from b2b_plugin_nafnet.network import NafNet

    return NafNet(config)


@hookimpl
def b2b_translators() -> list[TranslatorSpec[NafNetConfig]]:
    """Offer the translator `nafnet`."""
    return [
        TranslatorSpec(
            name="nafnet",
            config=NafNetConfig,
            factory=build_translator,
            summary="NAFNet as translator, one scale",
            citation=_CITATION,
            layouts=(NAFNET,),
            scales=(1.0,),
            size=_SIZE,
        )
    ]


@hookimpl
def b2b_deblurrers() -> list[DeblurrerSpec[NafNetConfig]]:
    """Offer the deblurrer `nafnet`."""
    return [
        DeblurrerSpec(
            name="nafnet",
            config=NafNetConfig,
            factory=build_deblurrer,
            summary="NAFNet; takes the published weights, optional test-time window (TLC)",
            citation=_CITATION,
            layouts=(NAFNET,),
            size=_SIZE,
        )
    ]

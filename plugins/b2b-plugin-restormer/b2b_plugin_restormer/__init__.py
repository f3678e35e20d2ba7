"""Restormer as a b2b plugin: deblurrer and translator `restormer`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from b2b_core import hookimpl
from b2b_core.specs import DeblurrerSpec, SizeRule, TranslatorSpec
from b2b_plugin_restormer.config import LEVELS, RestormerConfig
from b2b_plugin_restormer.layout import RESTORMER

if TYPE_CHECKING:
    from b2b_core.contracts import Deblurrer, Translator

_SIZE = SizeRule(multiple_of=2 ** (LEVELS - 1), whole=True)
_CITATION = (
    "Zamir et al., Restormer: Efficient Transformer for High-Resolution Image Restoration, "
    "CVPR 2022"
)


def build_translator(config: RestormerConfig) -> Translator:
    """Build Restormer as a single-scale translator."""
    from b2b_plugin_restormer.network import RestormerTranslator

    return RestormerTranslator(config)


def build_deblurrer(config: RestormerConfig) -> Deblurrer:
    """Build Restormer as a deblurrer."""
    from b2b_plugin_restormer.network import Restormer

    return Restormer(config)


@hookimpl
def b2b_translators() -> list[TranslatorSpec[RestormerConfig]]:
    """Offer the translator `restormer`."""
    return [
        TranslatorSpec(
            name="restormer",
            config=RestormerConfig,
            factory=build_translator,
            summary="Restormer as translator, one scale",
            citation=_CITATION,
            layouts=(RESTORMER,),
            scales=(1.0,),
            size=_SIZE,
        )
    ]


@hookimpl
def b2b_deblurrers() -> list[DeblurrerSpec[RestormerConfig]]:
    """Offer the deblurrer `restormer`."""
    return [
        DeblurrerSpec(
            name="restormer",
            config=RestormerConfig,
            factory=build_deblurrer,
            summary="Restormer; takes the published weights, optional test-time window (TLC)",
            citation=_CITATION,
            layouts=(RESTORMER,),
            size=_SIZE,
        )
    ]

"""A plugin that is right: config class, factory, product, spec, hook. No checker says a word."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from attrs import field, frozen
from attrs.validators import ge

from b2b_core import hookimpl
from b2b_core.specs import SizeRule, TranslatorSpec

if TYPE_CHECKING:
    from b2b_core.contracts import Translator


@frozen
class Config:
    """Options of the translator."""

    width: int = field(default=16, validator=ge(1))


def build(config: Config) -> Translator:
    """Build a network; only now is torch imported."""
    from products import Same, Twice

    return Twice() if config.width > 1 else Same()


@hookimpl
def b2b_translators() -> Iterable[TranslatorSpec[Any]]:
    """Offer the translator, annotated as the hook is."""
    return [offered()]


def offered() -> TranslatorSpec[Config]:
    """Return the spec with the type that a plugin's own code works with."""
    return TranslatorSpec(
        name="twice",
        config=Config,
        factory=build,
        summary="a translator with one level",
        scales=(1.0,),
        size=SizeRule(multiple_of=8),
    )


@frozen
class DeepConfig:
    """Options of another translator of the same plugin."""

    depth: int = 3


def build_deep(config: DeepConfig) -> Translator:  # noqa: ARG001 - a signature
    """Build the other translator."""
    from products import Same

    return Same()


def several() -> list[TranslatorSpec[Config] | TranslatorSpec[DeepConfig]]:
    """Return specs of several configs; `Any` in their place would hide a factory that misfits."""
    return [
        TranslatorSpec(name="twice", config=Config, factory=build, summary="one"),
        TranslatorSpec(name="deep", config=DeepConfig, factory=build_deep, summary="another"),
    ]


def product() -> Translator:
    """Build from the spec: the config's and the product's type are known."""
    spec = offered()
    return spec.factory(spec.config(width=2))

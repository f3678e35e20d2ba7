"""Plugins that are wrong. Both checkers report each line that is marked, and no other line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from attrs import frozen
from products import Flat, Judge, Same

from b2b_core import hookimpl
from b2b_core.specs import DiscriminatorSpec, TranslatorSpec

if TYPE_CHECKING:
    from b2b_core.contracts import Discriminator, Translator


@frozen
class Config:
    """Options of the components below."""

    width: int = 16


@frozen
class OtherConfig:
    """Options of something else."""

    depth: int = 4


def right(config: Config) -> Translator:  # noqa: ARG001 - a signature
    """Build a translator."""
    return Same()


def judging(config: Config) -> Discriminator:  # noqa: ARG001 - a signature
    """Build a discriminator."""
    return Judge()


def of_other_config(config: OtherConfig) -> Translator:  # noqa: ARG001 - a signature
    """Build a translator from other options."""
    return Same()


def body_of_another_kind(config: Config) -> Translator:  # noqa: ARG001 - a signature
    """Promise a translator and return a discriminator."""
    return Judge()  # error


def body_of_another_shape(config: Config) -> Translator:  # noqa: ARG001 - a signature
    """Promise a pyramid and return what gives an image."""
    return Flat()  # error


def product_of_another_kind() -> TranslatorSpec[Config]:
    """Offer a discriminator as a translator."""
    return TranslatorSpec(
        name="wrong",
        config=Config,
        factory=judging,  # error
        summary="its factory returns a discriminator",
    )


def another_config() -> TranslatorSpec[Config]:
    """Offer a factory that takes other options than the spec names."""
    return TranslatorSpec(
        name="wrong",
        config=Config,
        factory=of_other_config,  # error
        summary="its factory takes other options",
    )


def another_config_among_several() -> list[TranslatorSpec[Config] | TranslatorSpec[OtherConfig]]:
    """Offer two translators, the factory of one with the config of the other."""
    return [
        TranslatorSpec(
            name="wrong",
            config=Config,
            factory=of_other_config,  # error
            summary="its factory takes other options",
        ),
        TranslatorSpec(
            name="right", config=OtherConfig, factory=of_other_config, summary="it is right"
        ),
    ]


def wrong_fact() -> TranslatorSpec[Config]:
    """State scales that are text."""
    return TranslatorSpec(
        name="wrong",
        config=Config,
        factory=right,
        summary="its scales are text",
        scales="x",  # error
    )


def unknown_fact() -> None:
    """State what specs of this kind do not state."""
    _ = TranslatorSpec(name="wrong", config=Config, factory=right, summary="", role="x")  # error


@hookimpl
def b2b_translators() -> Iterable[TranslatorSpec[Any]]:
    """Offer specs of another kind than the hook is for."""
    spec = DiscriminatorSpec(name="wrong", config=Config, factory=judging, summary="no translator")
    return [spec]  # error

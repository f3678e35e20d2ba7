"""What the catalogue's `spec` and `build` give for each kind, as the checkers see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_type

from b2b_core import contracts, specs

if TYPE_CHECKING:
    from b2b_core.catalogue import Catalogue


def specs_of_each_kind(catalogue: Catalogue) -> None:
    """Give the spec of a kind that is written out."""
    assert_type(catalogue.spec("translator", "x"), specs.TranslatorSpec[Any])
    assert_type(catalogue.spec("discriminator", "x"), specs.DiscriminatorSpec[Any])
    assert_type(catalogue.spec("deblurrer", "x"), specs.DeblurrerSpec[Any])
    assert_type(catalogue.spec("kernel-extractor", "x"), specs.KernelExtractorSpec[Any])
    assert_type(catalogue.spec("domain", "x"), specs.DomainSpec[Any])
    assert_type(catalogue.spec("loss", "x"), specs.LossSpec[Any])
    assert_type(catalogue.spec("feature-extractor", "x"), specs.FeatureExtractorSpec[Any])
    assert_type(catalogue.spec("metric", "x"), specs.MetricSpec[Any])
    assert_type(catalogue.spec("strategy", "x"), specs.StrategySpec[Any])
    assert_type(catalogue.spec("demo", "x"), specs.DemoSpec[Any])


def products_of_each_kind(catalogue: Catalogue) -> None:
    """Give the contract of a kind that is written out."""
    assert_type(catalogue.build("translator", "x"), contracts.Translator)
    assert_type(catalogue.build("discriminator", "x"), contracts.Discriminator)
    assert_type(catalogue.build("deblurrer", "x"), contracts.Deblurrer)
    assert_type(catalogue.build("kernel-extractor", "x"), contracts.KernelExtractor)
    assert_type(catalogue.build("domain", "x"), contracts.Domain)
    assert_type(catalogue.build("loss", "x"), contracts.Loss)
    assert_type(catalogue.build("feature-extractor", "x"), contracts.FeatureExtractor)
    assert_type(catalogue.build("metric", "x"), contracts.Metric)
    assert_type(catalogue.build("strategy", "x"), contracts.Strategy)
    assert_type(catalogue.build("demo", "x"), contracts.Demo)


def kinds_that_are_not_written_out(catalogue: Catalogue, kind: str) -> None:
    """Give what all kinds have in common where the kind is only known at run time."""
    assert_type(catalogue.spec(kind, "x"), specs.Spec[Any, Any])
    assert_type(catalogue.build(kind, "x"), object)


def other_kinds(catalogue: Catalogue) -> None:
    """Give no other types than those: assertions that are wrong are reported."""
    assert_type(catalogue.spec("translator", "x"), specs.DiscriminatorSpec[Any])  # error
    assert_type(catalogue.build("translator", "x"), contracts.Discriminator)  # error
    assert_type(catalogue.spec("translator", "x").factory, contracts.Translator)  # error
    _ = catalogue.spec("deblurrer", "x").scales  # error

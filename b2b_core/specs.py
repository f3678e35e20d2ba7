"""Specs: the light descriptions by which components are listed, checked and built.

Importing a spec never imports torch. A spec joins a config class (attrs) with a factory whose body
imports the heavy code, so that a type checker sees both and a listing pays for neither.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from attrs import field, frozen

from b2b_core.layouts import Layout

if TYPE_CHECKING:
    # ruff does not see that the strings in the base classes below are types
    from b2b_core.contracts import (  # noqa: F401
        Deblurrer,
        Demo,
        Discriminator,
        Domain,
        FeatureExtractor,
        KernelExtractor,
        Loss,
        Metric,
        Strategy,
        Translator,
    )

# Specs are compared by identity and print their name: attrs' own methods would cost a listing 3 ms.
ConfigT = TypeVar("ConfigT")
ProductT = TypeVar("ProductT", covariant=True)


@frozen
class SizeRule:
    """Which picture sizes a network takes, in pixels; the core pads to it and crops back."""

    #: Height and width must be divisible by this.
    multiple_of: int = 1
    #: Smallest height and width.
    minimum: int = 1
    #: Whether the network compares or averages over its whole input, so that tiles change its
    #: result: they are made as large as memory allows.
    whole: bool = False

    def fit(self, size: int) -> int:
        """Return the smallest admissible length that is at least `size`."""
        wanted = max(size, self.minimum)
        return -(-wanted // self.multiple_of) * self.multiple_of


@frozen(kw_only=True, eq=False, repr=False)
class Spec(Generic[ConfigT, ProductT]):
    """What every component declares about itself."""

    kind: ClassVar[str] = "component"

    #: Lower-case words joined by hyphens; unique within a kind.
    name: str
    #: The attrs class of its options; every field has a default.
    config: type[ConfigT]
    #: Builds the component; heavy imports belong into its body.
    factory: Callable[[ConfigT], ProductT]
    #: One line for listings.
    summary: str
    #: SPDX expression of the component's code.
    licence: str = "Apache-2.0"
    #: The publication that the component implements.
    citation: str = ""
    #: Of a network: the published files of weights that it takes.
    layouts: tuple[Layout[ConfigT], ...] = ()
    #: Check of the conformance kit -> why the component cannot pass it. Strict: a check that is
    #: named here and passes is an error too.
    expected_failures: Mapping[str, str] = field(factory=dict[str, str])

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"


@frozen(kw_only=True, eq=False, repr=False)
class TranslatorSpec(Spec[ConfigT, "Translator"]):
    """G: `(B, 3, H, W)` in [0, 1] to a pyramid, coarse to fine."""

    kind: ClassVar[str] = "translator"
    scales: tuple[float, ...] = (0.25, 0.5, 1.0)
    size: SizeRule = SizeRule()


@frozen(kw_only=True, eq=False, repr=False)
class DiscriminatorSpec(Spec[ConfigT, "Discriminator"]):
    """D: a pyramid, coarse to fine, to logits per scale."""

    kind: ClassVar[str] = "discriminator"
    scales: tuple[float, ...] = (0.25, 0.5, 1.0)


@frozen(kw_only=True, eq=False, repr=False)
class DeblurrerSpec(Spec[ConfigT, "Deblurrer"]):
    """A deblurring network; its weights come from a network file."""

    kind: ClassVar[str] = "deblurrer"
    size: SizeRule = SizeRule()


@frozen(kw_only=True, eq=False, repr=False)
class KernelExtractorSpec(Spec[ConfigT, "KernelExtractor"]):
    """Takes a blur code from a pair and applies it to another picture."""

    kind: ClassVar[str] = "kernel-extractor"
    size: SizeRule = SizeRule()


@frozen(kw_only=True, eq=False, repr=False)
class DomainSpec(Spec[ConfigT, "Domain"]):
    """A known blur: a data set with pairs, and what is trained on it."""

    kind: ClassVar[str] = "domain"
    #: Tree below the root, for people.
    layout: str
    #: Published number of pairs by split; a smaller tree works and is reported.
    counts: Mapping[str, int] = field(factory=dict[str, int])
    #: Name of published weights (see `registry.toml`) of the domain's deblurrer.
    deblurrer: str | None = None
    #: Name of published weights of the kernel extractor for this domain.
    extractor: str | None = None
    data_licence: str = "unknown"


@frozen(kw_only=True, eq=False, repr=False)
class LossSpec(Spec[ConfigT, "Loss"]):
    """Named tensors to named scalar terms."""

    kind: ClassVar[str] = "loss"
    #: Names of the tensors it is called with.
    needs: tuple[str, ...] = ()
    #: "adversarial", "reconstruction", "penalty" or "fidelity". An adversarial loss gives the term
    #: `generator` from `fake` alone, and `discriminator` from `fake` and `real`.
    role: str = "reconstruction"


@frozen(kw_only=True, eq=False, repr=False)
class FeatureExtractorSpec(Spec[ConfigT, "FeatureExtractor"]):
    """Image to list of feature maps, for the reconstruction loss."""

    kind: ClassVar[str] = "feature-extractor"
    #: What it does to pictures in [0, 1] before the first layer.
    normalisation: str = "none"


@frozen(kw_only=True, eq=False, repr=False)
class MetricSpec(Spec[ConfigT, "Metric"]):
    """A number per picture, with a named protocol."""

    kind: ClassVar[str] = "metric"
    protocol: str
    higher_is_better: bool
    needs_reference: bool = True


@frozen(kw_only=True, eq=False, repr=False)
class StrategySpec(Spec[ConfigT, "Strategy"]):
    """How the pictures of a camera become a camera profile."""

    kind: ClassVar[str] = "strategy"
    #: Kinds of component that it needs beside the deblurrer.
    needs: tuple[str, ...] = ()
    #: Kind -> component that it works best with, where the user names none.
    defaults: Mapping[str, str] = field(factory=dict[str, str])
    #: Pixels that it needs around a crop of a sharp picture, both sides together.
    margin: int = 0
    #: Named presets of its options.
    presets: Mapping[str, Mapping[str, object]] = field(factory=dict[str, Mapping[str, object]])


@frozen(kw_only=True, eq=False, repr=False)
class DemoSpec(Spec[ConfigT, "Demo"]):
    """Pictures and settings that show the main job from end to end."""

    kind: ClassVar[str] = "demo"


#: Kind of component -> the hook that offers it, in the order of listings.
HOOK_OF_KIND: Mapping[str, str] = {
    "strategy": "b2b_strategies",
    "domain": "b2b_domains",
    "translator": "b2b_translators",
    "deblurrer": "b2b_deblurrers",
    "discriminator": "b2b_discriminators",
    "kernel-extractor": "b2b_kernel_extractors",
    "loss": "b2b_losses",
    "feature-extractor": "b2b_feature_extractors",
    "metric": "b2b_metrics",
    "demo": "b2b_demos",
}

"""What is installed: listed, looked up by name, built, and told what happens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, overload

from attrs import field, frozen

from b2b_core.catalogue.offers import Names, Offer, choose, of_kind
from b2b_core.catalogue.plugin import Plugin
from b2b_core.errors import B2bError

if TYPE_CHECKING:
    from pluggy import PluginManager

    from b2b_core import contracts
    from b2b_core import specs as specs_

    AnySpec = specs_.Spec[Any, Any]
    Options = Mapping[str, object]


@frozen(kw_only=True)
class Catalogue:
    """The plugins and their components; made by `discover`."""

    plugins: tuple[Plugin, ...]
    offers: tuple[Offer, ...]
    #: The behaviour hooks of all plugins that work; call them through `notify`.
    hooks: PluginManager
    #: Whom a contested name means.
    names: Names = field(factory=Names)

    def specs(self, kind: str) -> list[AnySpec]:
        """Return all specs of a kind, by name; a name that two plugins claim is there twice."""
        return [offer.spec for offer in of_kind(self.offers, kind)]

    def owner(self, kind: str, name: str) -> Plugin:
        """Return the plugin that offers a component; errors as in `spec`."""
        offer = choose(self.offers, self.plugins, self.names, kind, name)
        return next(p for p in self.plugins if p.distribution == offer.distribution)

    @overload
    def spec(self, kind: Literal["translator"], name: str) -> specs_.TranslatorSpec[Any]: ...
    @overload
    def spec(self, kind: Literal["discriminator"], name: str) -> specs_.DiscriminatorSpec[Any]: ...
    @overload
    def spec(self, kind: Literal["deblurrer"], name: str) -> specs_.DeblurrerSpec[Any]: ...
    @overload
    def spec(
        self, kind: Literal["kernel-extractor"], name: str
    ) -> specs_.KernelExtractorSpec[Any]: ...
    @overload
    def spec(self, kind: Literal["domain"], name: str) -> specs_.DomainSpec[Any]: ...
    @overload
    def spec(self, kind: Literal["loss"], name: str) -> specs_.LossSpec[Any]: ...
    @overload
    def spec(
        self, kind: Literal["feature-extractor"], name: str
    ) -> specs_.FeatureExtractorSpec[Any]: ...
    @overload
    def spec(self, kind: Literal["metric"], name: str) -> specs_.MetricSpec[Any]: ...
    @overload
    def spec(self, kind: Literal["strategy"], name: str) -> specs_.StrategySpec[Any]: ...
    @overload
    def spec(self, kind: Literal["demo"], name: str) -> specs_.DemoSpec[Any]: ...
    @overload
    def spec(self, kind: str, name: str) -> AnySpec: ...
    def spec(self, kind: str, name: str) -> AnySpec:
        """Return the spec that `name`, or `distribution:name`, means.

        Raises:
            UsageError: if no plugin offers it (with the closest name), or if several do.
        """
        return choose(self.offers, self.plugins, self.names, kind, name).spec

    @overload
    def build(
        self, kind: Literal["translator"], name: str, options: Options = ...
    ) -> contracts.Translator: ...
    @overload
    def build(
        self, kind: Literal["discriminator"], name: str, options: Options = ...
    ) -> contracts.Discriminator: ...
    @overload
    def build(
        self, kind: Literal["deblurrer"], name: str, options: Options = ...
    ) -> contracts.Deblurrer: ...
    @overload
    def build(
        self, kind: Literal["kernel-extractor"], name: str, options: Options = ...
    ) -> contracts.KernelExtractor: ...
    @overload
    def build(
        self, kind: Literal["domain"], name: str, options: Options = ...
    ) -> contracts.Domain: ...
    @overload
    def build(self, kind: Literal["loss"], name: str, options: Options = ...) -> contracts.Loss: ...
    @overload
    def build(
        self, kind: Literal["feature-extractor"], name: str, options: Options = ...
    ) -> contracts.FeatureExtractor: ...
    @overload
    def build(
        self, kind: Literal["metric"], name: str, options: Options = ...
    ) -> contracts.Metric: ...
    @overload
    def build(
        self, kind: Literal["strategy"], name: str, options: Options = ...
    ) -> contracts.Strategy: ...
    @overload
    def build(self, kind: Literal["demo"], name: str, options: Options = ...) -> contracts.Demo: ...
    @overload
    def build(self, kind: str, name: str, options: Options = ...) -> object: ...
    def build(self, kind: str, name: str, options: Options | None = None) -> object:
        """Return the component, built with `options` (the rest of its config are defaults).

        Raises:
            UsageError: if the name or an option is wrong.
            B2bError: if the factory fails; names the plugin.
        """
        from b2b_core.config import structure

        offer = choose(self.offers, self.plugins, self.names, kind, name)
        config = structure(offer.spec.config, options or {}, where=f"{kind} {name}")
        try:
            return offer.spec.factory(config)
        except B2bError:
            raise
        except (Exception, SystemExit) as error:
            what = f"cannot build the {kind} '{name}': {type(error).__name__}: {error}"
            mend = f"reinstall it: pip install --force-reinstall {offer.distribution}"
            raise B2bError(
                what,
                where=offer.distribution,
                mend=mend if isinstance(error, ImportError) else "check its options",
            ) from error

    def notify(self, hook_name: str, **arguments: object) -> list[Any]:
        """Call a behaviour hook of every plugin, each on its own; return the results.

        A plugin that fails is logged and left out; it stops neither the others nor the run.
        Results that are None are left out. Order: by name of the plugin.
        """
        return [result for _, result in self.answers(hook_name, **arguments)]

    def answers(self, hook_name: str, **arguments: object) -> list[tuple[str, Any]]:
        """Do as `notify`, and return each result with the distribution that gave it."""
        results: list[tuple[str, Any]] = []
        impls = getattr(self.hooks.hook, hook_name).get_hookimpls()
        for impl in sorted(impls, key=lambda impl: impl.plugin_name):
            distribution = impl.plugin_name.partition(":")[0]
            try:
                result = impl.function(*(arguments[name] for name in impl.argnames))
            except (Exception, SystemExit) as error:
                _report(distribution, hook_name, error)
            else:
                results += [] if result is None else [(distribution, result)]
        return results


def _report(distribution: str, hook: str, error: BaseException) -> None:
    from b2b_core.log import get_logger

    get_logger("plugins").warning(
        "a plugin's hook failed",
        plugin=distribution,
        hook=hook,
        error=f"{type(error).__name__}: {error}",
    )

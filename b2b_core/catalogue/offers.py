"""Choose one offer by kind and name; order of installation never decides."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from attrs import frozen

from b2b_core.catalogue.plugin import Plugin
from b2b_core.errors import UsageError
from b2b_core.names import means, suggestion
from b2b_core.specs import HOOK_OF_KIND, Spec

if TYPE_CHECKING:
    from b2b_core.registry import ComponentRow


@frozen(kw_only=True)
class Offer:
    """A component and the distribution that offers it."""

    distribution: str
    spec: Spec[Any, Any]


def known_kind(kind: str) -> str:
    """Return `kind`, or say which kinds there are."""
    if kind not in HOOK_OF_KIND:
        raise UsageError(f"there is no kind '{kind}'", mend=suggestion(kind, HOOK_OF_KIND))
    return kind


def of_kind(offers: Iterable[Offer], kind: str) -> list[Offer]:
    """Return the offers of a kind, in the order of the listing."""
    known_kind(kind)
    return [offer for offer in offers if offer.spec.kind == kind]


def choose(offers: Collection[Offer], plugins: Collection[Plugin], kind: str, name: str) -> Offer:
    """Return the one offer that `name` or `distribution:name` means; former names count.

    Raises:
        UsageError: if no plugin that works offers it, or if several do; says what to do.
    """
    distribution, _, bare = name.rpartition(":")
    candidates = of_kind(offers, kind)
    if distribution:
        candidates = [offer for offer in candidates if means(distribution, offer.distribution)]
    matching = [offer for offer in candidates if offer.spec.name == bare]
    if not matching:
        from b2b_core.registry import load_registry

        row = load_registry().component_named(kind, bare)
        matching = [offer for offer in candidates if row and offer.spec.name == row.name]
        if not matching:
            mend = _remedy(bare, candidates, plugins, row)
            raise UsageError(f"no installed plugin offers the {kind} '{name}'", mend=mend)
    if len(matching) > 1:
        claims = " or ".join(f"'{offer.distribution}:{bare}'" for offer in matching)
        raise UsageError(f"{len(matching)} plugins offer a {kind} '{bare}'", mend=f"say {claims}")
    return matching[0]


def _remedy(
    name: str,
    candidates: Collection[Offer],
    plugins: Collection[Plugin],
    row: ComponentRow | None,
) -> str:
    """Say how to get a component that no working plugin offers."""
    if row is None:
        known = [offer.spec.name for offer in candidates]
        return suggestion(name, known, none="see b2b list-plugins")
    for plugin in plugins:
        if plugin.distribution == row.distribution:
            return f"{plugin.distribution} is {plugin.state}: {plugin.cause}"
    return f"pip install {row.distribution}"

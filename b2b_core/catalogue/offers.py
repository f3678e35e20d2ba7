"""Choose one offer by kind and name; order of installation never decides."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

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


@frozen
class Names:
    """Whom a bare name means where several offer it, or one that should not."""

    #: "kind.name" -> distribution, as the user decided.
    resolve: Mapping[str, str] = field(factory=dict[str, str])
    #: (kind, name) -> distribution, as the index says.
    claims: Mapping[tuple[str, str], str] = field(factory=dict[tuple[str, str], str])

    def chosen(self, kind: str, name: str) -> str | None:
        """Return the distribution that the user chose for a name, or None."""
        return self.resolve.get(f"{kind}.{name}")

    def owner(self, kind: str, name: str) -> str | None:
        """Return the distribution to which the index gives a name, or None."""
        return self.claims.get((kind, name))


def known_kind(kind: str) -> str:
    """Return `kind`, or say which kinds there are."""
    if kind not in HOOK_OF_KIND:
        raise UsageError(f"there is no kind '{kind}'", mend=suggestion(kind, HOOK_OF_KIND))
    return kind


def of_kind(offers: Iterable[Offer], kind: str) -> list[Offer]:
    """Return the offers of a kind, in the order of the listing."""
    known_kind(kind)
    return [offer for offer in offers if offer.spec.kind == kind]


def choose(
    offers: Iterable[Offer], plugins: Collection[Plugin], names: Names, kind: str, name: str
) -> Offer:
    """Return the one offer that `name` or `distribution:name` means; former names count.

    Raises:
        UsageError: if no plugin that works offers it, if several do, or if the only one that does
            is not the one to which the index gives the name; says what to do.
    """
    distribution, _, bare = name.rpartition(":")
    candidates = of_kind(offers, kind)
    if distribution:
        candidates = [offer for offer in candidates if means(distribution, offer.distribution)]
    bare, matching = _matching(candidates, kind, bare)
    if not matching:
        raise _missing(name, bare, kind, candidates, plugins)
    return matching[0] if distribution else _decided(matching, plugins, names, kind, bare)


def _matching(candidates: list[Offer], kind: str, name: str) -> tuple[str, list[Offer]]:
    """Return the name that is offered now, and who offers it."""
    matching = [offer for offer in candidates if offer.spec.name == name]
    if matching or not (row := _row(kind, name)):
        return name, matching
    return row.name, [offer for offer in candidates if offer.spec.name == row.name]


def _decided(
    matching: list[Offer], plugins: Collection[Plugin], names: Names, kind: str, name: str
) -> Offer:
    """Return whom a bare name means: the user's choice, the index's, or the only one."""
    if chosen := names.chosen(kind, name):
        for offer in matching:
            if means(chosen, offer.distribution):
                return offer
        raise UsageError(
            f"[resolve] says that {kind}.{name} is that of '{chosen}', which does not offer it",
            mend=suggestion(chosen, [offer.distribution for offer in matching]),
        )
    owner = names.owner(kind, name)
    for offer in matching:
        if owner in (None, offer.distribution) and (owner or len(matching) == 1):
            return offer
    claims = " or ".join(f"'{offer.distribution}:{name}'" for offer in matching)
    if owner:
        raise UsageError(
            f"the {kind} '{name}' is that of {owner}, which is {_state(owner, plugins)}",
            mend=f"pip install {owner}, or say {claims}",
        )
    mend = f'say {claims}, or write [resolve] {kind}.{name} = "DISTRIBUTION" in b2b.toml'
    raise UsageError(f"{len(matching)} plugins offer a {kind} '{name}'", mend=mend)


def _state(distribution: str, plugins: Collection[Plugin]) -> str:
    states = [plugin.state for plugin in plugins if plugin.distribution == distribution]
    return states[0] if states else "not installed"


def _missing(
    said: str, name: str, kind: str, candidates: Collection[Offer], plugins: Collection[Plugin]
) -> UsageError:
    """Say how to get a component that no working plugin offers."""
    mend = _remedy(name, kind, [offer.spec.name for offer in candidates], plugins)
    return UsageError(f"no installed plugin offers the {kind} '{said}'", mend=mend)


def _remedy(name: str, kind: str, known: list[str], plugins: Collection[Plugin]) -> str:
    row = _row(kind, name)
    if row is None:
        return _closest(name, kind, known)
    for plugin in plugins:
        if plugin.distribution == row.distribution:
            return f"{plugin.distribution} is {plugin.state}: {plugin.cause}"
    return f"pip install '{row.requirement}'"


def _closest(name: str, kind: str, known: list[str]) -> str:
    """Return the closest installed name, and the closest that could be installed."""
    from b2b_core.names import closest
    from b2b_core.registry import load_registry

    rows = {row.name: row for row in load_registry().component if row.kind == kind}
    best = closest(name, {*known, *rows})
    if best is None or best in known:
        return suggestion(name, known, none="see b2b list-plugins")
    return f"did you mean '{best}'? pip install '{rows[best].requirement}'"


def _row(kind: str, name: str) -> ComponentRow | None:
    from b2b_core.registry import load_registry

    return load_registry().component_named(kind, name)

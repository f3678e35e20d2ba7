"""What the others and the index make of a plugin that loads: ok, unlisted, conflict, mismatch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import evolve

from b2b_core.catalogue.metadata import CORE
from b2b_core.catalogue.offers import Names, Offer
from b2b_core.catalogue.plugin import Plugin, State
from b2b_core.names import means, normalised
from b2b_core.registry_file import listed_distributions
from b2b_core.specs import HOOK_OF_KIND


def with_standing(
    plugins: Iterable[Plugin], offers: Sequence[Offer], names: Names
) -> tuple[Plugin, ...]:
    """Return the plugins with their components, and with what stands against them."""
    known = {CORE, *map(normalised, listed_distributions())}
    by_name: dict[tuple[str, str], list[Offer]] = {}
    for offer in offers:
        by_name.setdefault((offer.spec.kind, offer.spec.name), []).append(offer)
    made: list[Plugin] = []
    for plugin in plugins:
        mine = [offer for offer in offers if offer.distribution == plugin.distribution]
        rivals = [by_name[offer.spec.kind, offer.spec.name] for offer in mine]
        plugin = evolve(plugin, components=_components(mine))
        made.append(_judged(plugin, mine, rivals, names, plugin.distribution in known))
    return tuple(made)


def _components(mine: Sequence[Offer]) -> dict[str, tuple[str, ...]]:
    kinds = {
        kind: tuple(offer.spec.name for offer in mine if offer.spec.kind == kind)
        for kind in HOOK_OF_KIND
    }
    return {kind: names for kind, names in kinds.items() if names}


def _judged(
    plugin: Plugin, mine: Sequence[Offer], rivals: Sequence[list[Offer]], names: Names, known: bool
) -> Plugin:
    """Return the plugin in the worst of the states that hold, with the cause and the mend."""
    if plugin.state not in ("ok", "local"):
        return plugin
    for offer, claimants in zip(mine, rivals, strict=True):
        kind, name = offer.spec.kind, offer.spec.name
        chosen, owner = names.chosen(kind, name), names.owner(kind, name)
        if chosen and means(chosen, plugin.distribution):
            continue
        if owner and owner != plugin.distribution:
            cause = f"it claims the {kind} '{name}', which the index gives to {owner}"
            return _against(plugin, "name-mismatch", cause, name)
        if not owner and not chosen and len(claimants) > 1:
            others = ", ".join(r.distribution for r in claimants if r is not offer)
            cause = f"the {kind} '{name}' is also offered by {others}"
            return _against(plugin, "conflict", cause, name)
    if plugin.state == "ok" and not known:
        cause = plugin.cause or "the index of this release does not list it"
        return evolve(plugin, state="unlisted", cause=cause)
    return plugin


def _against(plugin: Plugin, state: State, cause: str, name: str) -> Plugin:
    mend = (
        f"say '{plugin.distribution}:{name}' to mean this one, "
        f"or switch it off: b2b plugins disable {plugin.distribution}"
    )
    # a file stays "local": that it is no installed plugin matters more
    if plugin.state == "local":
        return evolve(plugin, cause=cause, mend=mend)
    return evolve(plugin, state=state, cause=cause, mend=mend)

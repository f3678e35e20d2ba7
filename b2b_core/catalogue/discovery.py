"""Find the installed plugins, decide which may load, load each on its own."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable

from attrs import evolve

from b2b_core.catalogue.catalogue import Catalogue
from b2b_core.catalogue.compatibility import incompatibility
from b2b_core.catalogue.loading import load, new_manager
from b2b_core.catalogue.metadata import CORE, Found, installed
from b2b_core.catalogue.offers import Offer
from b2b_core.catalogue.plugin import Plugin, State
from b2b_core.errors import B2bError, UsageError
from b2b_core.names import PREFIX, means, normalised, suggestion
from b2b_core.registry_file import listed_distributions
from b2b_core.specs import HOOK_OF_KIND

#: Comma-separated list of the only plugins to load, or "none"; unset or empty means all.
ENVIRONMENT = "B2B_PLUGINS"


def discover(disabled: Collection[str] = ()) -> Catalogue:
    """Return the catalogue of what is installed; one bad plugin is one plugin's state.

    Args:
        disabled: distributions that are not to be imported, with or without `b2b-plugin-`. The
            environment variable `B2B_PLUGINS` (a comma list of the only plugins to load, or
            "none") disables further ones, except the core's own components.

    Raises:
        UsageError: if a plugin that is not installed is named.
    """
    everything = installed()
    known = {CORE, *map(normalised, listed_distributions())}
    off = _switched_off(everything, disabled)
    manager = new_manager()
    plugins: list[Plugin] = []
    offers: list[Offer] = []
    for found in everything:
        plugin = _plugin(found)
        if found.name in off:
            plugin = evolve(plugin, state="disabled", cause=off[found.name])
        elif reason := incompatibility(found.core_requirements):
            mend = f"update one of them: pip install -U {found.name} {CORE}"
            plugin = evolve(plugin, state="incompatible", cause=reason, mend=mend)
        else:
            try:
                specs = load(found, manager)
            except B2bError as error:
                plugin = _broken(plugin, error)
            else:
                offers += [Offer(distribution=found.name, spec=spec) for spec in specs]
        plugins.append(plugin)
    offers.sort(key=lambda offer: (offer.spec.kind, offer.spec.name, offer.distribution))
    return Catalogue(
        plugins=tuple(_described(_listed(plugin, known), offers) for plugin in plugins),
        offers=tuple(offers),
        hooks=manager,
    )


def _plugin(found: Found) -> Plugin:
    return Plugin(
        distribution=found.name,
        version=found.version,
        state="ok",
        licence=found.licence,
        origin=found.origin,
    )


def _broken(plugin: Plugin, error: B2bError) -> Plugin:
    remedy = f"update or uninstall it, or switch it off with -p no:{plugin.distribution}"
    return evolve(
        plugin, state="broken", cause=" ".join(error.what.split()), mend=error.mend or remedy
    )


def _listed(plugin: Plugin, known: Collection[str]) -> Plugin:
    """Return the plugin, unlisted if it works and the index does not know it."""
    if plugin.state != "ok" or plugin.distribution in known:
        return plugin
    cause = "the index of this release does not list it"
    return evolve(plugin, state="unlisted", cause=cause)


def _switched_off(everything: Iterable[Found], disabled: Collection[str]) -> dict[str, str]:
    """Return name -> cause of the plugins that are not to be imported."""
    names = [found.name for found in everything]
    chosen = os.environ.get(ENVIRONMENT, "")
    off: dict[str, str] = {}
    if chosen.strip():
        wanted = [] if chosen.strip() == "none" else [n for n in chosen.split(",") if n.strip()]
        kept = {match for said in wanted for match in _matches(said, names, ENVIRONMENT)} | {CORE}
        off = {name: f"not in {ENVIRONMENT}" for name in names if name not in kept}
    for said in filter(str.strip, disabled):
        off |= dict.fromkeys(_matches(said, names), f"switched off by no:{said}")
    return off


def _matches(said: str, names: Collection[str], where: str | None = None) -> list[str]:
    matches = [name for name in names if means(said, name)]
    if not matches:
        short = [name.removeprefix(PREFIX) for name in names]
        mend = suggestion(said, [*short, *names], none="no plugin is installed")
        raise UsageError(f"there is no plugin '{said.strip()}'", where=where, mend=mend)
    return matches


def _described(plugin: Plugin, offers: Collection[Offer]) -> Plugin:
    """Return the plugin with its components, and in conflict if another claims one of them."""
    mine = [offer for offer in offers if offer.distribution == plugin.distribution]
    components = {
        kind: tuple(offer.spec.name for offer in mine if offer.spec.kind == kind)
        for kind in HOOK_OF_KIND
    }
    plugin = evolve(plugin, components={kind: names for kind, names in components.items() if names})
    claims = Counter((offer.spec.kind, offer.spec.name) for offer in offers)
    for offer in mine:
        kind, name = offer.spec.kind, offer.spec.name
        if claims[kind, name] > 1:
            others = [
                other.distribution
                for other in offers
                if (other.spec.kind, other.spec.name) == (kind, name) and other is not offer
            ]
            state: State = "conflict"
            return evolve(
                plugin,
                state=state,
                cause=f"{kind} '{name}' is also offered by {', '.join(others)}",
                mend=f"say '{plugin.distribution}:{name}', or switch one off with -p no:NAME",
            )
    return plugin

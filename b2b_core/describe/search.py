"""Everything that one name means: components, distributions, weights, what could be installed."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

from b2b_core.catalogue import Catalogue, Plugin
from b2b_core.catalogue.offers import Offer
from b2b_core.errors import UsageError
from b2b_core.names import PREFIX, means, normalised, suggestion
from b2b_core.registry import ComponentRow, Registry, WeightsRow, load_registry
from b2b_core.specs import HOOK_OF_KIND


@frozen
class Matches:
    """What a name means; at least one of these is not empty."""

    components: tuple[Offer, ...] = ()
    plugins: tuple[Plugin, ...] = ()
    weights: tuple[WeightsRow, ...] = ()
    #: Known components that no plugin that works offers.
    missing: tuple[ComponentRow, ...] = ()


def find(said: str, kind: str | None, catalogue: Catalogue) -> Matches:
    """Return what `said` means.

    Args:
        said: a component, `distribution:component`, a distribution (`b2b-plugin-` may be left out
            where no component has that name) or published weights.
        kind: the only kind of component to look among, or None for all.
        catalogue: the installed components.

    Raises:
        UsageError: if it means nothing; with the closest name.
    """
    registry = load_registry()
    wanted = said.strip()
    components, missing = _components(wanted, kind, catalogue, registry)
    found = Matches(
        components=components,
        plugins=_plugins(wanted, kind, catalogue, exact=bool(components or missing)),
        weights=tuple(r for r in registry.weights if r.name == wanted and kind in (None, r.kind)),
        missing=missing,
    )
    if found == Matches():
        what = f"nothing is called '{said}'" + (f" among the kind {kind}" if kind else "")
        raise UsageError(what, mend=suggestion(wanted, _known(kind, catalogue, registry)))
    return found


def _components(
    said: str, kind: str | None, catalogue: Catalogue, registry: Registry
) -> tuple[tuple[Offer, ...], tuple[ComponentRow, ...]]:
    """Return who offers a name, kind by kind, and the rows of kinds where nobody does."""
    distribution, _, name = said.rpartition(":")
    offers: list[Offer] = []
    missing: list[ComponentRow] = []
    for one in [kind] if kind else HOOK_OF_KIND:
        row = registry.component_named(one, name)
        names = {name, row.name} if row else {name}
        here = [o for o in catalogue.offers if o.spec.kind == one and o.spec.name in names]
        offers += [o for o in here if not distribution or means(distribution, o.distribution)]
        absent = row if row and not here else None
        if absent and (not distribution or means(distribution, absent.distribution)):
            missing.append(absent)
    return tuple(offers), tuple(missing)


def _plugins(
    said: str, kind: str | None, catalogue: Catalogue, *, exact: bool
) -> tuple[Plugin, ...]:
    if kind:
        return ()
    name = normalised(said)
    return tuple(
        plugin
        for plugin in catalogue.plugins
        if plugin.distribution == name or (not exact and means(said, plugin.distribution))
    )


def _known(kind: str | None, catalogue: Catalogue, registry: Registry) -> Iterable[str]:
    yield from (o.spec.name for o in catalogue.offers if kind in (None, o.spec.kind))
    yield from (r.name for r in registry.component if kind in (None, r.kind))
    yield from (r.name for r in registry.weights if kind in (None, r.kind))
    if not kind:
        for plugin in catalogue.plugins:
            yield from (plugin.distribution, plugin.distribution.removeprefix(PREFIX))

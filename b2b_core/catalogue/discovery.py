"""Find the installed plugins, decide which may load, load each on its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import evolve

from b2b_core.catalogue.catalogue import Catalogue
from b2b_core.catalogue.compatibility import core_range, incompatibility
from b2b_core.catalogue.guard import Watched
from b2b_core.catalogue.loading import Point, load, new_manager
from b2b_core.catalogue.local import LocalFile, local_file
from b2b_core.catalogue.metadata import CORE, Found, installed
from b2b_core.catalogue.offers import Names, Offer
from b2b_core.catalogue.plugin import Plugin
from b2b_core.catalogue.standing import with_standing
from b2b_core.catalogue.switches import Switches, switches_of_environment
from b2b_core.errors import B2bError
from b2b_core.registry_file import claims

if TYPE_CHECKING:
    from pluggy import PluginManager


def discover(switches: Switches | None = None) -> Catalogue:
    """Return the catalogue of what is installed; one bad plugin is one plugin's state.

    Args:
        switches: which plugins may load, and whom a contested name means; None for what the
            environment says.

    Raises:
        UsageError: if a plugin that is not installed is named.
    """
    said = switches_of_environment() if switches is None else switches
    found = installed()
    off = said.off([one.name for one in found])
    loader = _Loader(said)
    plugins = [loader.installed(one, off) for one in found]
    plugins += [loader.local(local_file(path)) for path in said.files]
    names = Names(said.resolve, claims())
    offers = sorted(loader.offers, key=lambda o: (o.spec.kind, o.spec.name, o.distribution))
    return Catalogue(
        plugins=with_standing(plugins, offers, names),
        offers=tuple(offers),
        hooks=loader.manager,
        names=names,
    )


class _Loader:
    """Loads plugins one after the other and collects what they offer."""

    def __init__(self, switches: Switches) -> None:
        self.manager: PluginManager = new_manager()
        self.offers: list[Offer] = []
        self._switches = switches

    def installed(self, found: Found, off: dict[str, str]) -> Plugin:
        plugin = _plugin(found)
        if found.name in off:
            return evolve(plugin, state="disabled", cause=off[found.name], mend=_enable(plugin))
        if reason := incompatibility(found.core_requirements):
            mend = f"update one of them: pip install -U {found.name} {CORE}"
            return evolve(plugin, state="incompatible", cause=reason, mend=mend)
        return self._loaded(plugin, found.entry_points)

    def local(self, file: LocalFile) -> Plugin:
        plugin = Plugin(
            distribution=file.distribution,
            version="",
            state="local",
            origin="file",
            url=file.path.as_uri(),
            sha256=file.sha256,
        )
        return self._loaded(plugin, (file,))

    def _loaded(self, plugin: Plugin, points: Sequence[Point]) -> Plugin:
        name = plugin.distribution
        try:
            specs, watched = load(name, points, self.manager, self._switches.seconds)
        except B2bError as error:
            if self._switches.strict:
                raise error.__cause__ or error from None
            remedy = f"update or uninstall it, or switch it off: b2b plugins disable {name}"
            cause = " ".join(error.what.split())
            return evolve(plugin, state="broken", cause=cause, mend=error.mend or remedy)
        self.offers += [Offer(distribution=name, spec=spec) for spec in specs]
        return _reproached(plugin, watched)


def _plugin(found: Found) -> Plugin:
    cause = mend = ""
    if found.hidden:
        cause = f"{found.version} hides {', '.join(found.hidden)}, installed under the same name"
        mend = f"pip uninstall {found.name} until none is left, then install one"
    return Plugin(
        distribution=found.name,
        version=found.version,
        state="ok",
        cause=cause,
        mend=mend,
        summary=found.summary,
        licence=found.licence,
        origin=found.origin.kind,
        url=found.origin.url,
        requirement=found.origin.requirement,
        core_range=core_range(found.core_requirements),
    )


def _enable(plugin: Plugin) -> str:
    return f"b2b plugins enable {plugin.distribution}"


def _reproached(plugin: Plugin, watched: Watched) -> Plugin:
    """Return the plugin with what it did and should not have done, though it works."""
    mend = f"report it to its author, or b2b plugins disable {plugin.distribution}"
    if watched.heavy:
        what = f"its light module imports {', '.join(watched.heavy)}, which slows every command"
        return evolve(plugin, cause=what, mend=mend)
    if watched.printed:
        return evolve(plugin, cause=f"it prints when imported: {watched.printed[:60]}", mend=mend)
    return plugin

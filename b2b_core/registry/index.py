"""The index as one: the core's file and what users and projects add, looked up by name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from attrs import field, frozen

from b2b_core.registry.rows import ComponentRow, DomainRow, WeightsRow


@frozen(kw_only=True)
class Registry:
    """What is known; made by `load_registry`."""

    #: Kind of component -> name of the one that is used if nothing is said.
    defaults: Mapping[str, str] = field(factory=dict[str, str])
    #: Kind of component -> the file that says so.
    default_sources: Mapping[str, str] = field(factory=dict[str, str])
    #: All components by kind and name, the domains among them, without former names.
    component: tuple[ComponentRow, ...] = ()
    #: Former names.
    renamed: tuple[ComponentRow, ...] = ()
    #: All weights by name.
    weights: tuple[WeightsRow, ...] = ()

    @property
    def domain(self) -> tuple[DomainRow, ...]:
        """The known domains by name."""
        return tuple(row for row in self.component if isinstance(row, DomainRow))

    def weights_named(self, name: str) -> WeightsRow | None:
        """Return the published weights of that name, or None."""
        return next((row for row in self.weights if row.name == name), None)

    def component_named(self, kind: str, name: str) -> ComponentRow | None:
        """Return the known component of that name, or None.

        Other names of a component are understood, former ones with a warning on the log.
        """
        rows = [row for row in self.component if row.kind == kind]
        for former in self.renamed:
            if (former.kind, former.name) == (kind, name):
                _warn(kind, name, former.renamed_to or "", former.removed_in or "")
                name = former.renamed_to or ""
        named = [row for row in rows if row.name == name]
        return next(iter(named + [row for row in rows if name in row.aliases]), None)


@cache
def _warn(kind: str, old: str, new: str, removed_in: str) -> None:
    """Say once in a process that a name has changed."""
    from b2b_core.log import get_logger

    get_logger("index").warning(
        f"the {kind} '{old}' is now called '{new}'; b2b {removed_in} will not know the old name"
    )

"""What the index knows and is not installed, with the line that installs it."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable
from typing import TypeVar

from attrs import frozen

from b2b_core.names import normalised
from b2b_core.registry import ComponentRow, Registry, WeightsRow

RowT = TypeVar("RowT", bound=ComponentRow | WeightsRow)


@frozen
class Available:
    """A distribution that could be installed."""

    distribution: str
    components: tuple[ComponentRow, ...]
    weights: tuple[WeightsRow, ...]

    @property
    def install(self) -> str:
        """The command that installs it, in a version that offers all of it."""
        ranges = {row.requires for row in self.components} - {""}
        return f"pip install {shlex.quote(self.distribution + ','.join(sorted(ranges)))}"

    @property
    def licences(self) -> tuple[str, ...]:
        """The licences of its components, or of its weights if it has only these."""
        return tuple(sorted({row.licence for row in self.components or self.weights}))


def available(
    registry: Registry, installed: Collection[str], kind: str | None = None
) -> list[Available]:
    """Return what could be installed, by name; with `kind`, only what offers that kind.

    Args:
        registry: the index.
        installed: names of the distributions that are here.
        kind: of component; weights count with the kind of their component.
    """
    here = {normalised(name) for name in installed}
    components = _of(registry.component, kind)
    weights = _of(registry.weights, kind)
    names = {row.distribution for row in components}
    names |= {row.distribution for row in weights if row.distribution}
    return [
        Available(
            name,
            tuple(row for row in components if row.distribution == name),
            tuple(row for row in weights if row.distribution == name),
        )
        for name in sorted(names)
        if normalised(name) not in here
    ]


def available_document(one: Available) -> dict[str, object]:
    """Return it as plain data."""
    return {
        "name": one.distribution,
        "components": [
            {"kind": row.kind, "name": row.name, "summary": row.summary, "licence": row.licence}
            for row in one.components
        ],
        "weights": [row.name for row in one.weights],
        "install": one.install,
    }


def _of(rows: Iterable[RowT], kind: str | None) -> list[RowT]:
    return [row for row in rows if kind in (None, row.kind)]

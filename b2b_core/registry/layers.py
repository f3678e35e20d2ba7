"""Read the index: `registry.toml` first, then what the user's and the project's `b2b.toml` say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Literal

from attrs import field, frozen

from b2b_core.config import read_toml, structure
from b2b_core.errors import UsageError
from b2b_core.preferences import Place, places, read_layer, user_file
from b2b_core.registry.index import Registry
from b2b_core.registry.rows import CORE, ComponentRow, DomainRow, WeightsRow, said_by
from b2b_core.registry_file import registry_path
from b2b_core.specs import HOOK_OF_KIND

#: Tables that a `b2b.toml` shares with the index.
TABLES = ("defaults", "component", "weights", "domain")
#: Where a file is, and what changes when its content does.
Stamp = tuple[Path, int, int, int]


@frozen(kw_only=True)
class IndexFile:
    """The content of one file, checked by itself."""

    schema: Literal[1]
    defaults: Mapping[str, str] = field(factory=dict[str, str])
    component: tuple[ComponentRow, ...] = ()
    weights: tuple[WeightsRow, ...] = ()
    domain: tuple[DomainRow, ...] = ()

    def __attrs_post_init__(self) -> None:
        for kind in self.defaults:
            if kind not in HOOK_OF_KIND:
                raise ValueError(f"'defaults.{kind}' names no kind of component")
        for row in self.component:
            if row.kind == "domain":
                raise ValueError(f"{row.title} is a [[component]]; write it as a [[domain]]")
        _refuse_twice(row.title for row in self.rows())

    def rows(self) -> tuple[ComponentRow | WeightsRow, ...]:
        """Return all rows."""
        return (*self.component, *self.domain, *self.weights)


def load_registry() -> Registry:
    """Return the index with what the user and the project add.

    A later file replaces rows of an earlier one; a project's only adds rows and sets defaults. It
    is read anew when a file has changed, or when another folder is the working directory.

    Raises:
        UsageError: if a file is damaged or says what it may not; names file and entry.
    """
    found = places()
    return _loaded(_stamp(registry_path()), tuple((place, _stamp(place.path)) for place in found))


@lru_cache(maxsize=8)
def _loaded(core: Stamp, overlays: tuple[tuple[Place, Stamp], ...]) -> Registry:
    merged = _Merged()
    path = core[0]
    merged.add(structure(IndexFile, read_toml(path), where=str(path)), CORE, path)
    for place, _ in overlays:
        layer = read_layer(place)
        data = {table: value for table, value in layer.data.items() if table in TABLES}
        merged.project = place.name == "project"
        if merged.project and "licences" in layer.data:
            raise UsageError(
                "a project may not accept licences",
                where=place.path,
                mend=f"move [licences] to your own file, {user_file()}",
            )
        content = structure(IndexFile, {"schema": 1, **data}, where=str(place.path))
        merged.add(content, f"{place.name} {place.path}", place.path)
    return merged.registry()


class _Merged:
    """The rows of several files, a later one winning where it may."""

    def __init__(self) -> None:
        self.project = False
        self._rows: dict[str, ComponentRow | WeightsRow] = {}
        self._defaults: dict[str, str] = {}
        self._sources: dict[str, str] = {}

    def add(self, content: IndexFile, source: str, path: Path) -> None:
        """Add the rows of a file; errors name `path`."""
        try:
            for row in content.rows():
                self._allow(row)
                self._rows[row.title] = said_by(row, source)
            self._defaults |= content.defaults
            self._sources |= dict.fromkeys(content.defaults, source)
            _check_names([row for row in self._rows.values() if isinstance(row, ComponentRow)])
        except ValueError as error:
            raise UsageError(str(error), where=path) from error

    def registry(self) -> Registry:
        """Return all of it, sorted."""
        rows = [self._rows[title] for title in sorted(self._rows)]
        components = [row for row in rows if isinstance(row, ComponentRow)]
        return Registry(
            defaults=self._defaults,
            default_sources=self._sources,
            component=tuple(row for row in components if row.renamed_to is None),
            renamed=tuple(row for row in components if row.renamed_to is not None),
            weights=tuple(row for row in rows if isinstance(row, WeightsRow)),
        )

    def _allow(self, row: ComponentRow | WeightsRow) -> None:
        known = self._rows.get(row.title)
        if self.project and known is not None:
            raise ValueError(
                f"a project may not replace the {row.title} of {known.source_file}; "
                "give it another name, or say so in your own b2b.toml"
            )


def _check_names(rows: Iterable[ComponentRow]) -> None:
    """Refuse a name that two rows claim, and a former name that leads nowhere."""
    current = {row.title: row for row in rows}
    _refuse_twice([*current, *(f"{r.kind} '{a}'" for r in current.values() for a in r.aliases)])
    for row in current.values():
        target = current.get(f"{row.kind} '{row.renamed_to}'")
        if row.renamed_to is not None and (target is None or target.renamed_to is not None):
            raise ValueError(f"{row.title} is renamed to '{row.renamed_to}', which is not listed")


def _refuse_twice(titles: Iterable[str]) -> None:
    for title, count in Counter(titles).items():
        if count > 1:
            raise ValueError(f"{title} is listed twice")


def _stamp(path: Path) -> Stamp:
    state = path.stat()
    return path, state.st_mtime_ns, state.st_size, state.st_ino

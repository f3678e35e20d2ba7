"""What an installation says about its plugins without importing any of them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from attrs import evolve, frozen

from b2b_core.catalogue.origin import Origin, origin_of
from b2b_core.catalogue.scan import GROUP, Distribution, distributions
from b2b_core.names import normalised

CORE = "b2b-core"

#: Name in lower case -> values, in their order.
Headers = dict[str, list[str]]


@frozen
class EntryPoint:
    """A line `name = module:attribute` of the group `b2b`."""

    name: str
    value: str

    def load(self) -> object:
        """Import the module and return it, or its attribute."""
        import importlib

        module, _, attribute = self.value.partition(":")
        found: object = importlib.import_module(module.strip())
        for part in filter(None, attribute.strip().split(".")):
            found = getattr(found, part)
        return found


@frozen(kw_only=True)
class Found:
    """A distribution that has entry points in the group `b2b`."""

    name: str
    version: str
    summary: str
    licence: str
    origin: Origin
    #: `Requires-Dist` lines that speak of the core.
    core_requirements: tuple[str, ...]
    entry_points: tuple[EntryPoint, ...]
    #: Versions of the same name that this one hides.
    hidden: tuple[str, ...] = ()


def installed() -> list[Found]:
    """Return the installed plugins, sorted by name; the first on `sys.path` hides its namesakes."""
    found: dict[str, Found] = {}
    for distribution in distributions():
        one = _found(distribution)
        if not one.name:
            continue
        first = found.setdefault(one.name, one)
        # an editable installation may show itself twice, with one version
        if one.version != first.version:
            found[one.name] = evolve(first, hidden=(*first.hidden, one.version))
    return [found[name] for name in sorted(found)]


def _found(distribution: Distribution) -> Found:
    points = distribution.read_text("entry_points.txt") or ""
    text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    headers = _headers(text)
    name, version = _first(headers, "name"), _first(headers, "version")
    return Found(
        name=normalised(name),
        version=version or "unknown",
        summary=_first(headers, "summary"),
        licence=_first(headers, "license-expression") or _first(headers, "license") or "unknown",
        origin=origin_of(distribution, name, version),
        core_requirements=tuple(_about_core(headers.get("requires-dist", ()))),
        entry_points=tuple(sorted(_entry_points(points), key=lambda point: point.name)),
    )


def _headers(text: str) -> Headers:
    """Return the header fields of METADATA; of a folded one, the first line."""
    headers: Headers = {}
    for line in text.splitlines():
        if not line:
            break  # the long description follows
        name, colon, value = line.partition(":")
        if colon and not line[0].isspace():
            headers.setdefault(name.lower(), []).append(value.strip())
    return headers


def _first(headers: Headers, name: str) -> str:
    return next(iter(headers.get(name, ())), "")


def _entry_points(text: str) -> Iterable[EntryPoint]:
    """Read the section `[b2b]` of an `entry_points.txt`."""
    section = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            section = line.strip("[] ")
        elif section == GROUP and "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            # an old form names extras: `name = module [extra]`
            yield EntryPoint(name.strip(), value.partition("[")[0].strip())


def _about_core(requirements: Iterable[str]) -> Iterable[str]:
    for line in requirements:
        name = re.match(r"[A-Za-z0-9._-]+", line.strip())
        if name and normalised(name.group()) == CORE:
            yield line

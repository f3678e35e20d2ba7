"""What an installation says about its plugins without importing any of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.metadata import Distribution, EntryPoint, PackageMetadata, distributions

from attrs import evolve, frozen

from b2b_core.catalogue.origin import Origin, origin_of
from b2b_core.names import normalised

GROUP = "b2b"
CORE = "b2b-core"


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
        # METADATA is parsed only after this cheap test, which nearly all distributions fail
        if f"[{GROUP}]" not in (distribution.read_text("entry_points.txt") or ""):
            continue
        one = _found(distribution)
        if not one.name:
            continue
        first = found.setdefault(one.name, one)
        # an editable installation may show itself twice, with one version
        if one.version != first.version:
            found[one.name] = evolve(first, hidden=(*first.hidden, one.version))
    return [found[name] for name in sorted(found)]


def _found(distribution: Distribution) -> Found:
    data = distribution.metadata  # parsed anew at every access
    points = (point for point in distribution.entry_points if point.group == GROUP)
    return Found(
        name=normalised(data["Name"] or ""),
        version=data["Version"] or "unknown",
        summary=data["Summary"] or "" if "Summary" in data else "",
        licence=_licence(data),
        origin=origin_of(distribution, data["Name"] or "", data["Version"] or ""),
        core_requirements=tuple(_about_core(data.get_all("Requires-Dist") or ())),
        entry_points=tuple(sorted(points, key=lambda point: point.name)),
    )


def _about_core(requirements: Iterable[str]) -> Iterable[str]:
    for line in requirements:
        name = re.match(r"[A-Za-z0-9._-]+", line.strip())
        if name and normalised(name.group()) == CORE:
            yield line


def _licence(data: PackageMetadata) -> str:
    for field in ("License-Expression", "License"):
        if field in data and (text := data[field].strip()):
            return text.splitlines()[0]
    return "unknown"

"""What an installation says about its plugins without importing any of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from importlib.metadata import Distribution, EntryPoint, PackageMetadata, distributions

from attrs import frozen

from b2b_core.names import normalised

GROUP = "b2b"
CORE = "b2b-core"


@frozen(kw_only=True)
class Found:
    """A distribution that has entry points in the group `b2b`."""

    name: str
    version: str
    licence: str
    origin: str
    #: `Requires-Dist` lines that speak of the core.
    core_requirements: tuple[str, ...]
    entry_points: tuple[EntryPoint, ...]


def installed() -> list[Found]:
    """Return the installed plugins, sorted by name; the first on `sys.path` hides its namesakes."""
    found: dict[str, Found] = {}
    for distribution in distributions():
        # METADATA is parsed only after this cheap test, which nearly all distributions fail
        if f"[{GROUP}]" not in (distribution.read_text("entry_points.txt") or ""):
            continue
        one = _found(distribution)
        if one.name:
            found.setdefault(one.name, one)
    return [found[name] for name in sorted(found)]


def _found(distribution: Distribution) -> Found:
    data = distribution.metadata  # parsed anew at every access
    points = (point for point in distribution.entry_points if point.group == GROUP)
    return Found(
        name=normalised(data["Name"] or ""),
        version=data["Version"] or "unknown",
        licence=_licence(data),
        origin=_origin(distribution),
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


def _origin(distribution: Distribution) -> str:
    """Read `direct_url.json` (PEP 610); installations from an index have none."""
    try:
        data = json.loads(distribution.read_text("direct_url.json") or "{}")
        if "vcs_info" in data:
            return "vcs"
        if data.get("dir_info", {}).get("editable"):
            return "editable"
        if "dir_info" in data or str(data.get("url", "")).startswith("file:"):
            return "local"
        return "url" if "url" in data else "index"
    except (ValueError, AttributeError):
        return "unknown"

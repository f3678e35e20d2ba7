"""Where a distribution was installed from, and the line that installs the same again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from attrs import frozen

from b2b_core.catalogue.scan import Distribution

OriginKind = Literal["index", "editable", "vcs", "local", "url", "file", "unknown"]


@frozen
class Origin:
    """Where a plugin came from."""

    kind: OriginKind
    #: Url, folder or file; empty for an index.
    url: str = ""
    #: Line for a requirements file.
    requirement: str = ""


def origin_of(distribution: Distribution, name: str, version: str) -> Origin:
    """Read `direct_url.json` (PEP 610); installations from an index have none."""
    pinned = f"{name}=={version}"
    try:
        text = distribution.read_text("direct_url.json")
        data: Mapping[str, Any] = _read(text) if text else {}
        url = str(data.get("url", ""))
        if not data:
            return Origin("index", "", pinned)
        if vcs := data.get("vcs_info"):
            at = vcs.get("commit_id") or vcs.get("requested_revision") or ""
            place = f"{vcs.get('vcs', 'git')}+{url}" + (f"@{at}" if at else "")
            return Origin("vcs", url, f"{name} @ {place}{_subdirectory(data)}")
        if data.get("dir_info", {}).get("editable"):
            return Origin("editable", url, f"-e {url}")
        if "dir_info" in data or url.startswith("file:"):
            return Origin("local", url, f"{name} @ {url}")
        return Origin("url", url, f"{name} @ {url}{_subdirectory(data)}")
    except (ValueError, AttributeError):
        return Origin("unknown", "", pinned)


def _read(text: str) -> Mapping[str, Any]:
    import json

    data: Mapping[str, Any] = json.loads(text)
    return data


def _subdirectory(data: Mapping[str, Any]) -> str:
    folder = data.get("subdirectory")
    return f"#subdirectory={folder}" if folder else ""

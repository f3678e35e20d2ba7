"""Where the index is, and the little of it that a listing needs, read without its checks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from b2b_core.config import read_toml


def registry_path() -> Path:
    """Return `registry.toml`: beside this module in a wheel, at the top of a checkout."""
    here = Path(__file__)
    shipped = here.with_name("registry.toml")
    return shipped if shipped.is_file() else here.parents[1] / "registry.toml"


def listed_distributions() -> set[str]:
    """Return the names of the distributions that the index knows."""
    data: dict[str, Any] = read_toml(registry_path())
    rows = [*data.get("component", ()), *data.get("weights", ())]
    return {row["distribution"] for row in rows if "distribution" in row}


def claims() -> dict[tuple[str, str], str]:
    """Return (kind, name) -> the distribution to which the index gives the name."""
    data: dict[str, Any] = read_toml(registry_path())
    return {
        (row["kind"], row["name"]): row["distribution"]
        for row in data.get("component", ())
        if {"kind", "name", "distribution"} <= row.keys()
    }

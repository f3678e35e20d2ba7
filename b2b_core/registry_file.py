"""Where the index is, and the little of it that a listing needs, read without its checks.

A listing has to work whatever the files hold: what cannot be read is left out here, and named by
`b2b_core.registry.load_registry`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path

from b2b_core.names import normalised
from b2b_core.narrowing import is_array, is_table

_TABLES = ("[[component]]", "[[domain]]", "[[weights]]")
_NAMES = ("kind", "name", "distribution", "component")


def registry_path() -> Path:
    """Return `registry.toml`: beside this module in a wheel, at the top of a checkout."""
    here = Path(__file__)
    shipped = here.with_name("registry.toml")
    return shipped if shipped.is_file() else here.parents[1] / "registry.toml"


def listed_distributions() -> set[str]:
    """Return the names of the distributions that the index and the user's own file know."""
    return {normalised(row["distribution"]) for row in _rows() if "distribution" in row}


def claims() -> Mapping[tuple[str, str], str]:
    """Return (kind, name) -> the distribution to which the index or the user's file gives it.

    A project's file gives nothing: it may be somebody else's.
    """
    return {
        (row["kind"], row["name"]): normalised(row["distribution"])
        for row in _rows()
        if {"kind", "name", "distribution"} <= row.keys() and "component" not in row
    }


def _rows() -> Iterator[dict[str, str]]:
    """Yield the text of all rows, the user's last."""
    from b2b_core.preferences import user_file

    yield from _shipped_rows(registry_path())
    user = user_file()
    if user.is_file():
        yield from _rows_of(user, user.stat().st_mtime_ns)


@cache
def _shipped_rows(path: Path) -> tuple[dict[str, str], ...]:
    """Return the rows of the shipped index, by the little of TOML that its names are written in.

    A table begins with `[[`, a name is a line `key = "text"`. Parsing all of it would take a
    listing 7 % of its time; a test compares this with the parser.
    """
    rows: list[dict[str, str]] = []
    row: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            row = {"kind": "domain"} if line == "[[domain]]" else {}
            if line in _TABLES:
                rows.append(row)
            continue
        key, equals, text = line.partition(' = "')
        if equals and key in _NAMES:
            row[key] = text.rstrip().removesuffix('"')
    return tuple(rows)


@lru_cache(maxsize=8)
def _rows_of(path: Path, _changed: int) -> tuple[dict[str, str], ...]:
    """Return the rows of one file, read once until it changes; none if it is no TOML."""
    from b2b_core.config import read_toml
    from b2b_core.errors import UsageError

    try:
        data = read_toml(path)
    except UsageError:
        return ()
    return (
        *_texts(data.get("component")),
        *_texts(data.get("domain"), kind="domain"),
        *_texts(data.get("weights")),
    )


def _texts(rows: object, **more: str) -> Iterator[dict[str, str]]:
    for row in rows if is_array(rows) else ():
        if is_table(row):
            yield {key: text for key, text in row.items() if isinstance(text, str)} | more

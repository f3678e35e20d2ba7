"""Names that people type: suggestions for misspelt ones, normal forms of distribution names."""

from __future__ import annotations

import re
from collections.abc import Iterable

#: What the project's own distributions begin with; people may leave it out.
PREFIX = "b2b-plugin-"


def normalised(distribution: str) -> str:
    """Return the normal form of a distribution's name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", distribution.strip()).lower()


def means(said: str, distribution: str) -> bool:
    """Tell whether `said`, with or without `b2b-plugin-`, names `distribution`."""
    name, wanted = normalised(distribution), normalised(said)
    return wanted in (name, name.removeprefix(PREFIX))


def closest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name most like `name`, or None if none is like it."""
    import difflib

    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return found[0] if found else None


def suggestion(name: str, known: Iterable[str], *, none: str = "none is known") -> str:
    """Return the remedy for an unknown `name`: the closest known one, or all of them."""
    names = sorted(set(known))
    if not names:
        return none
    best = closest(name, names)
    return f"did you mean '{best}'?" if best else f"known: {', '.join(names)}"

"""What the index knows of a file by its hash, and by the name that a user gives it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from b2b_core.errors import UsageError
from b2b_core.registry import load_registry
from b2b_core.weights.cache import fault_of, pin_if_new, pin_of

if TYPE_CHECKING:
    from b2b_core.registry import WeightsRow

#: What is said of the licence of a file that the index does not know.
UNKNOWN_LICENCE = "unknown; see where you got it"
#: Fact of a network file that is a published file as it is: the name of those weights.
PUBLISHED_AS = "published_as"
_TAG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def published_row(sha256: str, component: str) -> WeightsRow | None:
    """Return the published weights of a component that a file with this hash is, or None.

    Where no hash is published, the one that was pinned when the file first arrived counts.
    """
    for row in load_registry().weights:
        pin = pin_of(row)
        known = row.sha256 or row.sha256_prefix or (pin.sha256 if pin else None)
        if known and row.component == component and sha256.startswith(known):
            return row
    return None


def row_called(name: str, component: str, path: Path) -> WeightsRow | None:
    """Return the published weights of that name, if `path` can be their file; None if unlisted.

    A file whose hash nobody published is taken on trust the first time, and pinned.

    Raises:
        UsageError: if the name does not begin with the component's, or is that of another file.
    """
    if not name.startswith(f"{component}.") or not _TAG.fullmatch(name[len(component) + 1 :]):
        raise UsageError(
            f"'{name}' is no name for these weights",
            mend=f"use {component}.TAG, such as {component}.mine; lower-case words and hyphens",
        )
    row = load_registry().weights_named(name)
    if row is None:
        return None
    if fault := fault_of(row, path):
        raise UsageError(
            f"'{name}' is the name of published weights, and this file is not theirs: {fault}",
            where=path,
            mend="choose another name",
        )
    pin_if_new(row, path, "by hand")
    return row

"""What the index tells of weights and of components, and whether they are at hand."""

from __future__ import annotations

import shlex
from collections.abc import Collection
from typing import TYPE_CHECKING

import attrs

from b2b_core.errors import UsageError
from b2b_core.names import normalised
from b2b_core.weights import accepted
from b2b_core.weights.inventory import holding, mend_of

if TYPE_CHECKING:
    from b2b_core.catalogue import Catalogue, Plugin
    from b2b_core.registry import ComponentRow, WeightsRow
    from b2b_core.weights.inventory import Holding


def weights_document(row: WeightsRow, catalogue: Catalogue) -> dict[str, object]:
    """Return the row as plain data, without what it does not say, with its `state` and `mend`.

    The states are those of `b2b weights list`, and "conflict" where several plugins ship them.
    """
    said = attrs.asdict(row, filter=lambda _, value: value not in (None, (), {}, ""))
    try:
        held = holding(row, catalogue, accepted())
    except UsageError as error:
        return {**said, "state": "conflict", "mend": error.mend or error.what}
    return {**said, "state": held.state, "mend": _to_get(held)}


def missing_document(row: ComponentRow, plugins: Collection[Plugin]) -> dict[str, object]:
    """Return a component that no working plugin offers, with the reason and the mend."""
    said = attrs.asdict(row, filter=lambda _, value: value not in (None, (), {}, ""))
    for plugin in plugins:
        if plugin.distribution == normalised(row.distribution):
            return {**said, "state": plugin.state, "cause": plugin.cause, "mend": plugin.mend}
    mend = f"pip install {shlex.quote(row.requirement)}"
    return {**said, "state": "not installed", "cause": "", "mend": mend}


def _to_get(held: Holding) -> str:
    """Return what to do to have the file, or nothing if it is here."""
    row = held.row
    match held.state:
        case "installed" | "imported" | "cached":
            return ""
        case "damaged":
            return mend_of(held)
        case "not installed":
            return f"pip install {row.distribution}"
        case "manual":
            return f"download it from {row.source}, then b2b weights import FILE --as {row.name}"
        case "needs acceptance":
            licence = shlex.quote(row.accepted_as)
            return f"b2b weights fetch {row.name} --accept-licence {licence}"
        case _:
            return f"b2b weights fetch {row.name}"

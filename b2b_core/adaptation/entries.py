"""What plugins add to the header of a camera profile, checked: a profile is not lost over it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

from b2b_core.log import get_logger

if TYPE_CHECKING:
    from b2b_core.catalogue import Catalogue

HOOK = "b2b_checkpoint_metadata"


def entries_of_plugins(catalogue: Catalogue, run_dir: Path) -> dict[str, str]:
    """Return what the plugins say of a run, text to text; of equal names the last plugin's stays.

    A plugin that returns something else is logged with its name, and all its entries are left out.
    """
    entries: dict[str, str] = {}
    for distribution, said in catalogue.answers(HOOK, run_dir=run_dir):
        if _is_text(said):
            entries |= cast("Mapping[str, str]", said)
        else:
            get_logger("plugins").warning(
                "a plugin's hook returned no mapping of text to text",
                plugin=distribution,
                hook=HOOK,
            )
    return entries


def _is_text(said: object) -> bool:
    if not isinstance(said, Mapping):
        return False
    pairs = cast("Mapping[object, object]", said).items()
    return all(isinstance(part, str) for pair in pairs for part in pair)

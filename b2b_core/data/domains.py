"""A known domain by its name: its root is found, its pairs are listed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from b2b_core.data.pairs import PairSet, load_pairs
from b2b_core.errors import UsageError

if TYPE_CHECKING:
    from b2b_core.catalogue import Catalogue


def open_domain(
    catalogue: Catalogue,
    name: str,
    root: Path | None,
    split: str,
    smallest: int,
    options: Mapping[str, object] | None = None,
) -> PairSet:
    """Return the pairs of one split of a domain; of the pictures only the headers are read.

    Args:
        catalogue: where the domain is looked up.
        name: the domain's name.
        root: where its data lie, or None for the data that ship with its plugin.
        split: "train" or "test".
        smallest: shortest side in pixels that a pair may have (the crop).
        options: options of the domain; the defaults otherwise.

    Raises:
        UsageError: if the domain is unknown, or needs a root, or has no such pairs below it, or
            pairs that do not fit together.
        B2bError: if the header of a picture cannot be read.
    """
    domain = catalogue.build("domain", name, options or {})
    layout = " ".join(catalogue.spec("domain", name).layout.split())
    found = root if root is not None else domain.default_root()
    if found is None:
        raise UsageError(
            f"domain '{name}' ships without data",
            mend=f"say where they are: --domain-root DIR, laid out as {layout}",
        )
    if not found.is_dir():
        raise UsageError(
            f"there is no such folder for domain '{name}'",
            where=found,
            mend=f"--domain-root DIR has to be laid out as {layout}",
        )
    return load_pairs(domain.pairs(found, split), name, smallest, found)


def options_fact(options: Mapping[str, object] | None) -> dict[str, str]:
    """Return the options of a domain as a fact of the network file that was trained with them."""
    return {"domain_options": json.dumps(options, default=str)} if options else {}

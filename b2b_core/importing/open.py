"""Weights as a network file, whatever the user names: ours, or a published one, opened on the fly.

A published file is opened once; the network file is kept in the cache under the file's SHA-256.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from b2b_core import tensorfile
from b2b_core.errors import B2bError
from b2b_core.hashing import sha256_of
from b2b_core.importing.published import PUBLISHED_AS
from b2b_core.networks import read_network_header
from b2b_core.weights import resolve_weights
from b2b_core.weights.cache import IMPORTED, cache_folder, imported_file

if TYPE_CHECKING:
    from b2b_core.catalogue import Catalogue


def network_file(name_or_path: str | Path, catalogue: Catalogue, kind: str) -> Path:
    """Return the network file of weights: of a path, of a published name, or of a published file.

    Args:
        name_or_path: a network file, a published one in any container, or a name such as
            "nafnet.gopro-width32".
        catalogue: the installed components.
        kind: of the component that the weights are for.

    Raises:
        UsageError: if there is nothing of that name, or a published file is refused.
        B2bError: if a file is damaged or cannot be fetched.
    """
    path = resolve_weights(name_or_path, catalogue)
    if tensorfile.holds(path) is not None:  # the reader says if it holds something else
        return path
    return _imported(path, catalogue, kind)


def is_published(name: str) -> bool:
    """Tell whether others get the same weights by that name, so that a profile may refer to it.

    A file of the user's is no name, and what he imported under a name is his own, unless it is the
    published file of that name as it is.
    """
    if Path(name).expanduser().is_file():
        return False
    imported = imported_file(name)
    return imported is None or read_network_header(imported).facts.get(PUBLISHED_AS) == name


def _imported(path: Path, catalogue: Catalogue, kind: str) -> Path:
    target = cache_folder() / IMPORTED / f"{sha256_of(path)}-{kind}.safetensors"
    if not _is_current(target, catalogue):
        _open(path, target, catalogue, kind)  # two processes at a time write the same
    return target


def _open(path: Path, target: Path, catalogue: Catalogue, kind: str) -> None:
    from b2b_core.importing.opening import open_published, write_network
    from b2b_core.log import get_logger

    opened = open_published(path, catalogue, kind=kind)
    write_network(opened, target, catalogue)
    get_logger("weights").info(
        "opened a published file", file=str(path), network=opened.match.layout.name,
        licence=opened.licence, remarks="; ".join(opened.remarks),
    )  # fmt: skip


def _is_current(target: Path, catalogue: Catalogue) -> bool:
    """Tell whether the cache has the file, made with the component that is installed now."""
    if not target.is_file():
        return False
    try:
        header = read_network_header(target)
        owner = catalogue.owner(header.kind, f"{header.distribution}:{header.component}")
    except B2bError:
        return False
    return owner.version == header.version

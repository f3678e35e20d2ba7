"""Published weights by name: shipped by a plugin, cached, or fetched; always checked."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from b2b_core.errors import B2bError, UsageError
from b2b_core.names import normalised, suggestion
from b2b_core.registry import WeightsRow, load_registry

if TYPE_CHECKING:
    from b2b_core.catalogue import Catalogue

#: Folder that overrides the platform's user cache.
ENVIRONMENT = "B2B_CACHE"


def resolve_weights(name_or_path: str | Path, catalogue: Catalogue, offline: bool = False) -> Path:
    """Return the local file of weights.

    An existing file is returned as it is. A published name, such as "unet.gopro", is asked of the
    plugins (`b2b_resolve_weights`), then looked for in the cache, then fetched from the urls of
    the registry, unless `offline`.

    Raises:
        UsageError: if it is neither a file nor a known name, or not at hand and `offline`.
        B2bError: if the file is not the published one or cannot be fetched.
    """
    path = Path(name_or_path).expanduser()
    if path.is_file():
        return path
    name = str(name_or_path)
    row = load_registry().weights_named(name)
    shipped = _shipped(name, row, catalogue)
    if shipped is not None:
        return shipped
    if row is None:
        raise _unknown(name)
    if not row.urls:
        raise UsageError(
            f"the weights '{name}' are not installed", mend=f"pip install {row.distribution}"
        )
    return _cached(row, offline=offline)


def cache_folder() -> Path:
    """Return the folder of fetched files: `B2B_CACHE`, or `b2b` in the user's cache."""
    if chosen := os.environ.get(ENVIRONMENT):
        return Path(chosen).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "b2b"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local") / "b2b"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "b2b"


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _shipped(name: str, row: WeightsRow | None, catalogue: Catalogue) -> Path | None:
    """Return the file that a plugin ships; where the index names a plugin, only that one counts."""
    answers = catalogue.answers("b2b_resolve_weights", name=name)
    if row is not None and row.distribution:
        answers = [answer for answer in answers if answer[0] == normalised(row.distribution)]
    if len(answers) > 1:
        owners = ", ".join(owner for owner, _ in answers)
        raise UsageError(
            f"{len(answers)} plugins ship weights '{name}': {owners}",
            mend="switch all but one off with -p no:NAME, or give the file's path",
        )
    if not answers:
        return None
    owner, path = answers[0]
    if not isinstance(path, Path) or not path.is_file():
        raise B2bError(
            f"the file of the weights '{name}' is missing", where=path, mend=f"reinstall {owner}"
        )
    if row is not None and not row.admits(sha256_of(path)):
        raise B2bError(
            f"the file of the weights '{name}' is not the published one",
            where=path,
            mend=f"pip install --force-reinstall {owner}",
        )
    return path


def _cached(row: WeightsRow, *, offline: bool) -> Path:
    target = cache_folder() / "weights" / f"{row.name}{Path(row.urls[0]).suffix}"
    if target.is_file():
        if row.admits(sha256_of(target)):
            return target
        target.unlink()  # damaged, or of a former release
    if offline:
        raise UsageError(
            f"the weights '{row.name}' are not in the cache", where=target, mend="go online once"
        )
    from b2b_core.download import fetch

    fetch(row, target)
    return target


def _unknown(name: str) -> UsageError:
    if "/" in name or os.sep in name or name.endswith((".safetensors", ".pth", ".pt")):
        return UsageError("there is no such file of weights", where=name)
    names = [row.name for row in load_registry().weights]
    return UsageError(f"there are no weights '{name}'", mend=suggestion(name, names))

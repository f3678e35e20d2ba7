"""From the name of published weights, or a path, to a local file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from b2b_core.errors import B2bError, UsageError
from b2b_core.hashing import sha256_of
from b2b_core.names import normalised, suggestion
from b2b_core.registry import WeightsRow, load_registry
from b2b_core.weights.cache import from_cache, imported_file

if TYPE_CHECKING:
    from b2b_core.catalogue import Catalogue
    from b2b_core.weights.acceptance import Acceptance

#: Set to 1, nothing is fetched, whatever the command.
OFFLINE = "B2B_OFFLINE"


def resolve_weights(
    name_or_path: str | Path,
    catalogue: Catalogue,
    offline: bool = False,
    acceptance: Acceptance | None = None,
) -> Path:
    """Return the local file of weights.

    An existing file is returned as it is. A published name, such as "unet.gopro", is asked of the
    plugins (`b2b_resolve_weights`), then looked for among what the user imported and in the cache,
    then fetched from the urls of the index.

    Args:
        name_or_path: name of published weights, or a file.
        catalogue: the installed plugins.
        offline: fetch nothing; the environment variable `B2B_OFFLINE` says so too.
        acceptance: terms that are accepted; None for those of the environment and the user's file.

    Raises:
        UsageError: if it is neither a file nor a known name, or not at hand and not to be fetched.
        B2bError: if the file is not the published one or cannot be fetched.
    """
    path = Path(name_or_path).expanduser()
    if path.is_file():
        return path
    name = str(name_or_path)
    row = load_registry().weights_named(name)
    shipped = shipped_file(name, row, catalogue)
    if shipped is not None:
        return shipped
    imported = imported_file(name)
    if imported is not None:
        return imported
    if row is None:
        raise _unknown(name)
    if row.distribution and not row.urls:
        raise UsageError(
            f"the weights '{name}' are not installed", mend=f"pip install {row.distribution}"
        )
    return from_cache(row, acceptance, offline=offline or is_offline())


def is_offline() -> bool:
    """Tell whether the environment forbids to fetch anything."""
    return os.environ.get(OFFLINE, "").strip() not in ("", "0")


def shipped_by(
    name: str, row: WeightsRow | None, catalogue: Catalogue
) -> tuple[str, object] | None:
    """Return the plugin that ships weights and what it returned, unchecked; None if none does.

    Where the index names a plugin, only that one counts.

    Raises:
        UsageError: if several do.
    """
    answers = catalogue.answers("b2b_resolve_weights", name=name)
    if row is not None and row.distribution:
        answers = [answer for answer in answers if answer[0] == normalised(row.distribution)]
    if len(answers) > 1:
        owners = ", ".join(owner for owner, _ in answers)
        raise UsageError(
            f"{len(answers)} plugins ship weights '{name}': {owners}",
            mend="switch all but one off with -p no:NAME, or give the file's path",
        )
    return answers[0] if answers else None


def shipped_file(name: str, row: WeightsRow | None, catalogue: Catalogue) -> Path | None:
    """Return the checked file that a plugin ships, or None.

    Raises:
        UsageError: if several plugins ship it.
        B2bError: if it is missing, or not the published one.
    """
    answer = shipped_by(name, row, catalogue)
    if answer is None:
        return None
    owner, path = answer
    if not isinstance(path, Path) or not path.is_file():
        raise B2bError(
            f"the file of the weights '{name}' is missing",
            where=str(path),
            mend=f"reinstall {owner}",
        )
    if row is not None and not row.admits(sha256_of(path)):
        raise B2bError(
            f"the file of the weights '{name}' is not the published one",
            where=path,
            mend=f"pip install --force-reinstall {owner}",
        )
    return path


def _unknown(name: str) -> UsageError:
    if "/" in name or os.sep in name or name.endswith((".safetensors", ".pth", ".pt", ".pkl")):
        return UsageError("there is no such file of weights", where=name)
    names = [row.name for row in load_registry().weights]
    return UsageError(f"there are no weights '{name}'", mend=suggestion(name, names))

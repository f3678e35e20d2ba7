"""The cache, the preferences and the index: there, readable, writable, with room."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from b2b_core.catalogue import Switches
from b2b_core.catalogue.metadata import installed
from b2b_core.errors import UsageError
from b2b_core.health.finding import Finding
from b2b_core.names import means
from b2b_core.preferences import Place, places, read_layer, user_file
from b2b_core.registry import load_registry
from b2b_core.registry_file import registry_path
from b2b_core.weights.cache import ENVIRONMENT, cache_folder

#: Bytes that should be free for weights.
ROOM = 2_000_000_000


def cache() -> Iterable[Finding]:
    """Yield where the cache is, what it holds, and whether there is room for more."""
    folder = cache_folder()
    above = next((one for one in (folder, *folder.parents) if one.exists()), Path("/"))
    length = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    free = shutil.disk_usage(above).free
    said = f"{length / 1e6:.0f} MB used, {free / 1e9:.1f} GB free"
    elsewhere = f"set {ENVIRONMENT} to another folder"
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        what = f"it cannot be written: {above} is no folder that you may write to"
        yield Finding("folders", str(folder), "problem", what, elsewhere)
    elif free < ROOM:
        yield Finding("folders", str(folder), "problem", said, f"make room, or {elsewhere}")
    else:
        yield Finding("folders", str(folder), "ok", f"cache: {said}")


def preferences() -> Iterable[Finding]:
    """Yield the files of preferences, with what is wrong in them."""
    found = places()
    if all(place.name != "user" for place in found):
        yield Finding("folders", str(user_file()), "ok", "preferences: none written")
    for place in found:
        try:
            yield from _layer(place)
        except UsageError as error:
            yield Finding(
                "folders", str(place.path), "problem", error.what, error.mend or "mend it"
            )


def index() -> Iterable[Finding]:
    """Yield whether the index, with the additions of the preferences, can be read."""
    try:
        registry = load_registry()
    except UsageError as error:
        where = error.where or str(registry_path())
        yield Finding("folders", where, "problem", error.what, error.mend or "mend that entry")
        return
    said = f"index: {len(registry.component)} components, {len(registry.weights)} weights"
    yield Finding("folders", str(registry_path()), "ok", said)


def _layer(place: Place) -> Iterable[Finding]:
    """Yield one file that can be read, and names in it that mean nothing here.

    Raises:
        UsageError: if it cannot be read.
    """
    layer = read_layer(place)
    switches = Switches().with_table(layer.data, str(place.path))
    tables = ", ".join(layer.data) or "empty"
    yield Finding("folders", str(place.path), "ok", f"preferences of the {place.name}: {tables}")
    here = [one.name for one in installed()]
    for said in [*switches.disabled, *switches.resolve.values()]:
        if not any(means(said, name) for name in here):
            what = f"it names '{said}', which is not installed"
            yield Finding("folders", str(place.path), "note", what)

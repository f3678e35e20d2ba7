"""Restore pictures from file to file."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from b2b_core import tensorfile
from b2b_core.errors import B2bError
from b2b_core.images.read import read_picture
from b2b_core.images.tensors import to_pixels, to_tensor
from b2b_core.images.write import write_picture
from b2b_core.inference.outputs import Task
from b2b_core.inference.pipeline import Pipeline
from b2b_core.progress import Progress

if TYPE_CHECKING:
    from b2b_core.catalogue import Catalogue
    from b2b_core.profile import LoadedProfile

#: What the names of files of weights end in; other names with a dot are those of published weights.
ENDINGS = (".safetensors", ".pth", ".pt", ".pkl", ".ckpt")


def open_profile(
    path: Path,
    catalogue: Catalogue,
    *,
    device: str = "auto",
    precision: str = "auto",
    tile: int | None = None,
    compiled: bool = False,
) -> tuple[LoadedProfile, Pipeline]:
    """Load a camera profile and set up its pipeline.

    Raises:
        UsageError: if the file is no profile, a plugin is missing, or the device is not there.
        B2bError: if a file is damaged or not the one that the profile was made with.
    """
    from b2b_core.importing.open import network_file
    from b2b_core.profile import load_profile

    def deblurrer_file(name: str) -> Path:
        return network_file(name, catalogue, "deblurrer")

    loaded = load_profile(path, catalogue, deblurrer_file)
    pipeline = Pipeline(
        loaded.translator,
        loaded.deblurrer,
        loaded.size,
        device=device,
        precision=precision,
        tile=tile,
        compiled=compiled,
    )
    return loaded, pipeline


def open_pipeline(
    name_or_path: Path,
    catalogue: Catalogue,
    *,
    device: str = "auto",
    precision: str = "auto",
    tile: int | None = None,
    compiled: bool = False,
) -> Pipeline:
    """Set up the pipeline of a camera profile, or of a deblurrer without a translator before it.

    Args:
        name_or_path: a camera profile, a network file, a published file of weights, or the name of
            published weights.
        catalogue: the installed components.
        device: see `Pipeline`, as the rest.
        precision: number format.
        tile: side of tiles in pixels.
        compiled: whether to compile the networks.

    Raises:
        UsageError: if it is none of these, a plugin is missing, or the device is not there.
        B2bError: if a file is damaged or cannot be fetched.
    """
    from b2b_core.importing.open import network_file
    from b2b_core.networks import load_network

    if not _is_deblurrer(name_or_path):
        _, pipeline = open_profile(
            name_or_path,
            catalogue,
            device=device,
            precision=precision,
            tile=tile,
            compiled=compiled,
        )
        return pipeline
    file = network_file(name_or_path, catalogue, "deblurrer")
    header, network = load_network(file, catalogue, "deblurrer")
    size = catalogue.spec("deblurrer", header.component).size
    return Pipeline(
        None, network, size, device=device, precision=precision, tile=tile, compiled=compiled
    )


def _is_deblurrer(name_or_path: Path) -> bool:
    """Tell weights from camera profiles, and names of weights from files that are not there."""
    if name_or_path.is_file():
        return tensorfile.holds(name_or_path) in (None, "network file")
    return len(name_or_path.parts) == 1 and name_or_path.suffix not in ("", *ENDINGS)


def restore(task: Task, pipeline: Pipeline) -> None:
    """Deblur one picture; depth, opacity, colour profile and EXIF of the input are kept.

    Raises:
        B2bError: if it cannot be read, restored or written; names the file.
    """
    picture = read_picture(task.source)
    try:
        restored = pipeline.deblur(to_tensor(picture.pixels))
    except B2bError as error:
        raise B2bError(error.what, where=task.source, mend=error.mend) from error
    write_picture(task.target, to_pixels(restored, picture.pixels.dtype), picture)


def restore_all(tasks: Sequence[Task], pipeline: Pipeline) -> list[B2bError]:
    """Deblur all pictures and return what went wrong; one bad picture does not stop the rest."""
    failures: list[B2bError] = []
    with warnings.catch_warnings(), Progress("deblurring", total=len(tasks)) as bar:
        # what Pillow remarks on odd metadata would tear the progress apart
        warnings.filterwarnings("ignore", module="PIL")
        for done, task in enumerate(tasks, 1):
            try:
                restore(task, pipeline)
            except B2bError as error:
                failures.append(error)
            bar.update(done, **({"failed": len(failures)} if failures else {}))
    return failures

"""Restore pictures from file to file."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

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


def open_profile(
    path: Path,
    catalogue: Catalogue,
    *,
    device: str = "auto",
    precision: str = "auto",
    tile: int | None = None,
) -> tuple[LoadedProfile, Pipeline]:
    """Load a camera profile and set up its pipeline.

    Raises:
        UsageError: if the file is no profile, a plugin is missing, or the device is not there.
        B2bError: if a file is damaged or not the one that the profile was made with.
    """
    from b2b_core.profile import load_profile
    from b2b_core.weights import resolve_weights

    loaded = load_profile(path, catalogue, lambda name: resolve_weights(name, catalogue))
    pipeline = Pipeline(
        loaded.translator,
        loaded.deblurrer,
        loaded.size,
        device=device,
        precision=precision,
        tile=tile,
    )
    return loaded, pipeline


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

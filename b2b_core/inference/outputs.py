"""Where restored pictures go, decided and checked before any work starts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from attrs import frozen

from b2b_core.errors import UsageError
from b2b_core.images.files import PICTURE_SUFFIXES, find_pictures, is_picture


@frozen
class Task:
    """One picture to restore."""

    source: Path
    target: Path


def plan(
    inputs: Sequence[Path], out: Path, *, suffix: str = "", overwrite: bool = False
) -> list[Task]:
    """Return what to restore and where to write it.

    A folder's tree is kept below `out`; what already lies below `out` is no input. A single
    picture may be given a file name as `out`.

    Args:
        inputs: pictures and folders.
        out: folder, or a picture's name if the only input is a picture.
        suffix: added to every name before its ending, such as "-sharp".
        overwrite: whether outputs may replace files that are there.

    Raises:
        UsageError: if an input is missing or no picture, if an output is there already, is an input
            as well, or would be written twice.
    """
    tasks = list(_tasks(inputs, out, suffix))
    if not tasks:
        raise UsageError("all pictures found lie in the output folder", where=out)
    _refuse_doubles(tasks)
    _refuse_inputs(tasks)
    if not overwrite:
        _refuse_existing(tasks)
    return tasks


def _tasks(inputs: Sequence[Path], out: Path, suffix: str) -> Iterator[Task]:
    single = len(inputs) == 1 and inputs[0].is_file()
    if single and is_picture(out) and not out.is_dir():
        yield Task(_picture(inputs[0]), out)
        return
    if out.is_file():
        raise UsageError(
            "the output is a file, but there are several pictures", where=out, mend="name a folder"
        )
    for given in inputs:
        if given.is_dir():
            for source in find_pictures(given):
                if not source.resolve().is_relative_to(out.resolve()):
                    yield Task(source, out / _named(source.relative_to(given), suffix))
        else:
            yield Task(_picture(given), out / _named(Path(given.name), suffix))


def _named(path: Path, suffix: str) -> Path:
    return path.with_name(f"{path.stem}{suffix}{path.suffix}")


def _picture(path: Path) -> Path:
    if not path.exists():
        raise UsageError("there is no such picture or folder", where=path, mend="check the path")
    if path.suffix.lower() not in PICTURE_SUFFIXES:
        raise UsageError(
            "this is not a picture", where=path, mend=f"use {', '.join(PICTURE_SUFFIXES)}"
        )
    return path


def _refuse_doubles(tasks: Sequence[Task]) -> None:
    sources: dict[Path, Path] = {}
    for task in tasks:
        other = sources.setdefault(task.target, task.source)
        if other != task.source:
            raise UsageError(
                f"{other} and {task.source} would both be written to {task.target}",
                mend="deblur them into two folders",
            )


def _refuse_inputs(tasks: Sequence[Task]) -> None:
    sources = {task.source.resolve() for task in tasks}
    for task in tasks:
        if task.target.resolve() in sources:
            raise UsageError(
                "the output would replace an input",
                where=task.target,
                mend="name another output folder, or add --suffix=-sharp",
            )


def _refuse_existing(tasks: Sequence[Task]) -> None:
    present = [task.target for task in tasks if task.target.exists()]
    if present:
        more = f" and {len(present) - 1} more" if len(present) > 1 else ""
        raise UsageError(
            f"the output exists already{more}",
            where=present[0],
            mend="add --overwrite to replace, or name another folder",
        )

"""Which picture of one folder belongs to which of another."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

from b2b_core.errors import UsageError
from b2b_core.images.files import find_pictures


@frozen
class Couple:
    """A picture and its reference, which may be missing."""

    #: Path below both folders, without the ending.
    name: str
    picture: Path
    reference: Path | None


def pair_up(folder: Path, references: Path | None) -> list[Couple]:
    """Pair pictures by their paths below the two folders, endings aside, in natural order.

    Raises:
        UsageError: if a folder has no pictures, a name occurs twice, or a partner is missing.
    """
    pictures = _by_name(folder)
    if references is None:
        return [Couple(name, path, None) for name, path in pictures.items()]
    others = _by_name(references)
    lonely = [_lonely(pictures, others, folder), _lonely(others, pictures, references)]
    if any(lonely):
        raise UsageError(
            f"pictures without partner: {'; '.join(filter(None, lonely))}",
            mend="partners have the same path below both folders, endings aside",
        )
    return [Couple(name, path, others[name]) for name, path in pictures.items()]


def _by_name(folder: Path) -> dict[str, Path]:
    named: dict[str, Path] = {}
    for path in find_pictures(folder):
        name = path.relative_to(folder).with_suffix("").as_posix()
        if name in named:
            raise UsageError(
                f"two pictures are called '{name}': {named[name].name} and {path.name}",
                where=folder,
                mend="keep one of them",
            )
        named[name] = path
    return named


def _lonely(pictures: dict[str, Path], others: dict[str, Path], folder: Path) -> str:
    names = [name for name in pictures if name not in others]
    if not names:
        return ""
    shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    return f"{len(names)} of {len(pictures)} in {folder} ({shown})"

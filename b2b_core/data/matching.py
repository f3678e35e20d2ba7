"""For domains: which blurry picture belongs to which sharp one, and splits that share no scene."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

from b2b_core.contracts import Pair
from b2b_core.errors import UsageError
from b2b_core.images.files import is_picture
from b2b_core.log import get_logger

#: How many entries of a folder an error shows.
_SHOWN = 6


def pictures_of(folder: Path) -> list[Path]:
    """Return the pictures right in `folder`, sorted by name."""
    return sorted(path for path in folder.iterdir() if is_picture(path) and path.is_file())


def contents(folder: Path) -> str:
    """Return the first names in `folder`, folders with a slash, for an error's text."""
    if not folder.is_dir():
        return "nothing"
    names = sorted(f"{path.name}/" if path.is_dir() else path.name for path in folder.iterdir())
    shown = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
    return shown or "nothing"


def matched(
    blurry: Mapping[str, Path], sharp: Mapping[str, Path], scene: Callable[[str], str]
) -> list[Pair]:
    """Return the pairs of pictures with equal keys, in the order of `blurry`.

    Args:
        blurry: key -> blurry picture.
        sharp: key -> sharp picture.
        scene: returns the scene of a key.

    Raises:
        UsageError: if a picture has no partner; the first is named.
    """
    lonely = [
        *((key, path, "sharp original") for key, path in blurry.items() if key not in sharp),
        *((key, path, "blurry version") for key, path in sharp.items() if key not in blurry),
    ]
    if lonely:
        _, first, partner = min(lonely, key=lambda one: one[0])
        raise UsageError(
            f"{len(lonely)} picture(s) without partner ({len(blurry)} blurry, {len(sharp)} sharp); "
            f"the first is {first.parent.name}/{first.name}, which has no {partner}",
            where=first,
            mend="fetch the missing files again or remove the lonely ones",
        )
    return [Pair(path, sharp[key], scene(key)) for key, path in blurry.items()]


def present(pairs: Iterable[Pair]) -> list[Pair]:
    """Return the pairs whose two files are there: a list may name more than was fetched.

    Raises:
        UsageError: if only one of the two files is there; the first such pair is named.
    """
    found: list[Pair] = []
    for pair in pairs:
        blurry, sharp = pair.blurry.is_file(), pair.sharp.is_file()
        if blurry and sharp:
            found.append(pair)
        elif blurry or sharp:
            there, missing = (pair.blurry, pair.sharp) if blurry else (pair.sharp, pair.blurry)
            raise UsageError(
                f"{there.parent.name}/{there.name} is there, but not its partner "
                f"{missing.parent.name}/{missing.name}",
                where=missing,
                mend="fetch it again or remove the other one",
            )
    return found


def apart(train: Collection[Pair], test: Collection[str], where: Path) -> list[Pair]:
    """Return the training pairs whose scene is not among the scenes `test`.

    Raises:
        UsageError: if none is left.
    """
    kept = [pair for pair in train if pair.scene not in test]
    if train and not kept:
        raise UsageError(
            "every training scene is in the test split, too",
            where=where,
            mend="give scenes that are only in one of the two",
        )
    if len(kept) < len(train):
        get_logger("b2b.domain").warning(
            "pairs left out of training: their scenes are in the test split",
            pairs=len(train) - len(kept),
            of=len(train),
        )
    return kept


def counted(pairs: list[Pair], domain: str, split: str, published: int) -> list[Pair]:
    """Return the pairs; say it where their number is not the published one."""
    if len(pairs) < published:
        get_logger("b2b.domain").info(
            "a part of the data set", domain=domain, split=split, pairs=len(pairs), of=published
        )
    if len(pairs) > published:
        get_logger("b2b.domain").warning(
            "more pairs than published",
            domain=domain, split=split, pairs=len(pairs), published=published,
        )  # fmt: skip
    return pairs

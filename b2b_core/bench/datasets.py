"""A data set with pairs as the unknown camera, split by scene as the paper splits it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from b2b_core.bench.keys import key_of
from b2b_core.bench.material import CameraMaterial
from b2b_core.bench.recipe import Recipe, Unknown
from b2b_core.config import unstructure
from b2b_core.contracts import Pair
from b2b_core.data.scenes import split_scenes
from b2b_core.errors import UsageError
from b2b_core.locking import locked

if TYPE_CHECKING:
    from b2b_core.catalogue import Catalogue

Links = Mapping[str, Path]


def camera_of_dataset(
    recipe: Recipe, root: Path, cache: Path, catalogue: Catalogue
) -> CameraMaterial:
    """Return a data set as a camera: B and S of different scenes, unpaired, and its test pairs.

    The pictures stay where they are; folders of links are made.

    Raises:
        UsageError: if the data set is missing, or training and test share a scene.
    """
    said = recipe.unknown
    if said is None:
        raise UsageError(f"the recipe '{recipe.name}' names no data set")
    domain = catalogue.build("domain", said.domain, said.options)
    place = root / said.root
    if not place.is_dir():
        layout = " ".join(catalogue.spec("domain", said.domain).layout.split())
        raise UsageError(
            f"the data set '{said.domain}' is not here", where=place, mend=f"layout: {layout}"
        )
    train, test = domain.pairs(place, "train"), domain.pairs(place, "test")
    _refuse_shared(train, test, place)
    blurry, sharp = unpaired(train, said)
    links = dict(_links(blurry, sharp, test))
    key = key_of({"unknown": unstructure(said), "files": sorted(map(str, links.values()))})
    folder = cache / "cameras" / f"{recipe.name}-{key}"
    _link(folder, links)
    pairs = _spread([*blurry, *sharp], recipe.upper_bound.most_pairs if recipe.upper_bound else 0)
    return CameraMaterial(
        folder / "blurry", folder / "sharp", folder / "test/blurry", folder / "test/sharp",
        tuple(pairs), key,
    )  # fmt: skip


def unpaired(train: Sequence[Pair], said: Unknown) -> tuple[list[Pair], list[Pair]]:
    """Return the pairs whose blurry pictures are B, and those whose sharp ones are S."""
    scenes = {pair.scene for pair in train}
    if said.fraction < 1:
        scenes, _ = split_scenes(scenes, said.fraction, said.seed)
    of_blurry, of_sharp = split_scenes(scenes, said.blurry_share, said.seed)
    return (
        [pair for pair in train if pair.scene in of_blurry],
        [pair for pair in train if pair.scene in of_sharp],
    )


def _refuse_shared(train: Sequence[Pair], test: Sequence[Pair], place: Path) -> None:
    shared = {pair.scene for pair in train} & {pair.scene for pair in test}
    if shared:
        raise UsageError(f"training and test share the scene '{min(shared)}'", where=place)


def _links(
    blurry: Sequence[Pair], sharp: Sequence[Pair], test: Sequence[Pair]
) -> Iterator[tuple[str, Path]]:
    """Yield (path of a link, its target); test pairs have one name each, in one folder."""
    for number, pair in enumerate(blurry):
        yield f"blurry/{_flat(pair)}/{number:06d}{pair.blurry.suffix}", pair.blurry
    for number, pair in enumerate(sharp):
        yield f"sharp/{_flat(pair)}/{number:06d}{pair.sharp.suffix}", pair.sharp
    for number, pair in enumerate(test):
        yield f"test/blurry/{_flat(pair)}-{number:06d}{pair.blurry.suffix}", pair.blurry
        yield f"test/sharp/{_flat(pair)}-{number:06d}{pair.sharp.suffix}", pair.sharp


def _flat(pair: Pair) -> str:
    return pair.scene.replace("/", "-")


def _link(folder: Path, links: Links) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / "links", "links these pictures"):
        for name, target in links.items():
            link = folder / name
            if not link.is_symlink():
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(target.resolve())


def _spread(pairs: Sequence[Pair], most: int) -> list[Pair]:
    """Return at most so many of the pairs, evenly spread."""
    if len(pairs) <= most:
        return list(pairs)
    return [pairs[number * len(pairs) // most] for number in range(most)]

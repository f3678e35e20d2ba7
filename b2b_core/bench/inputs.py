"""The listed pictures of a recipe: by role, hashes checked, scenes disjoint."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from attrs import frozen

from b2b_core.bench.recipe import Pictures, Recipe
from b2b_core.errors import UsageError
from b2b_core.hashing import sha256_of

#: Roles of sharp originals that a camera takes, or of pictures that it took.
ROLES = (
    "known", "camera-blurry", "camera-sharp", "test",
    "camera-blurry-original", "camera-sharp-blurry", "test-video",
)  # fmt: skip
#: Roles that show one scene on purpose: a picture and its partner.
_PARTNERS: Mapping[str, str] = {
    "camera-blurry-original": "camera-blurry",
    "camera-sharp-blurry": "camera-sharp",
}


@frozen
class Input:
    """One row of a list."""

    role: str
    #: Below the data root, with forward slashes.
    file: str
    scene: str
    sha256: str
    path: Path

    @property
    def name(self) -> str:
        """Scene and file name: the same in every role, and on every machine."""
        return f"{self.scene}/{Path(self.file).stem}"


def listed(recipe: Recipe, root: Path) -> dict[str, list[Input]]:
    """Return the rows of a recipe's list by role, in the order of the file; nothing is opened.

    Raises:
        UsageError: if the list is missing or damaged, a role is unknown, or two roles share a
            scene.
    """
    pictures = _pictures(recipe)
    path = recipe.folder / pictures.list
    roles: dict[str, list[Input]] = {}
    for row in _rows(path):
        if row["role"] not in ROLES:
            raise UsageError(f"unknown role '{row['role']}'", where=path)
        one = Input(row["role"], row["file"], row["scene"], row["sha256"], root / row["file"])
        roles.setdefault(one.role, []).append(one)
    _refuse_shared_scenes(roles, path)
    return {role: _first_scenes(rows, pictures.limit) for role, rows in roles.items()}


def check_hashes(inputs: Iterable[Input], recipe: Recipe, root: Path) -> None:
    """Refuse pictures that are missing or not the listed ones.

    Raises:
        UsageError: names the first one and where to get them.
    """
    for one in inputs:
        mend = f"get it again: {_pictures(recipe).source}"
        if not one.path.is_file():
            raise UsageError(f"'{one.file}' is not below the data root", where=root, mend=mend)
        if sha256_of(one.path) != one.sha256:
            raise UsageError("this is not the picture that was listed", where=one.path, mend=mend)


def _pictures(recipe: Recipe) -> Pictures:
    if recipe.pictures is None:
        raise UsageError(f"the recipe '{recipe.name}' lists no pictures")
    return recipe.pictures


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
    except OSError as error:
        raise UsageError("the list of pictures cannot be read", where=path) from error
    for row in rows:
        if not {"role", "file", "scene", "sha256"} <= {key for key, said in row.items() if said}:
            raise UsageError("a row lacks role, file, scene or sha256", where=path)
    return rows


def _refuse_shared_scenes(roles: Mapping[str, Sequence[Input]], path: Path) -> None:
    owner: dict[str, str] = {}
    for role, rows in roles.items():
        party = _PARTNERS.get(role, role)
        for row in rows:
            other = owner.setdefault(row.scene, party)
            if other != party:
                raise UsageError(
                    f"the scene '{row.scene}' is in two roles, {other} and {party}", where=path
                )


def _first_scenes(rows: list[Input], limit: int) -> list[Input]:
    if not limit:
        return rows
    kept = sorted({row.scene for row in rows})[:limit]
    return [row for row in rows if row.scene in kept]

"""What the stages work on: the camera's folders, its true pairs, the known domain's pairs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from b2b_core.bench import known as known_module
from b2b_core.bench.cameras import camera_named
from b2b_core.bench.cameras.base import rng_of
from b2b_core.bench.frames import Frames, taken
from b2b_core.bench.inputs import Input, check_hashes, listed
from b2b_core.bench.keys import code_key, key_of
from b2b_core.bench.known import StraightMotion
from b2b_core.bench.plan import Shot, known, simulated
from b2b_core.bench.recipe import CameraChoice, Recipe
from b2b_core.bench.rendering import rendered
from b2b_core.config import structure, unstructure
from b2b_core.contracts import Pair
from b2b_core.errors import UsageError
from b2b_core.images.files import find_pictures

if TYPE_CHECKING:
    from b2b_core.catalogue import Catalogue

_CODE = [
    *(Path(__file__).parent / "cameras").glob("*.py"),
    Path(known_module.__file__),
    Path(__file__).with_name("plan.py"),
]
_FRAMES = [Path(__file__).with_name(name) for name in ("frames.py", "registration.py")]


@frozen
class CameraMaterial:
    """The unknown camera: unpaired folders, test pairs, and pairs for the upper bound alone."""

    blurry: Path
    sharp: Path
    test_blurry: Path
    test_sharp: Path
    pairs: tuple[Pair, ...]
    key: str


@frozen
class KnownMaterial:
    """The known domain: its name, and where its pairs lie."""

    domain: str
    root: Path
    key: str


def build_camera(recipe: Recipe, root: Path, cache: Path, catalogue: Catalogue) -> CameraMaterial:
    """Make the camera's pictures, or take them from the cache.

    Args:
        recipe: names the camera, or the data set that stands for it.
        root: the user's data root.
        cache: where made pictures are kept.
        catalogue: where data sets are looked up.

    Raises:
        UsageError: if pictures are missing or not the listed ones.
    """
    if recipe.unknown is not None:
        from b2b_core.bench.datasets import camera_of_dataset

        return camera_of_dataset(recipe, root, cache, catalogue)
    inputs = _of_roles(recipe, root, known=False)
    choice = _camera(recipe)
    code = code_key([*_CODE, *(_FRAMES if choice.name == "frames" else [])])
    key = key_of({"camera": unstructure(choice), "code": code, "inputs": _hashes(inputs)})
    folder = cache / "cameras" / f"{recipe.name}-{key}"
    if not (folder / "done.json").exists():
        check_hashes(_every(inputs), recipe, root)
    rendered(folder, list(_shots(choice, inputs)), f"pictures of the camera {recipe.name}", key)
    return material_in(folder, key)


def material_in(folder: Path, key: str) -> CameraMaterial:
    """Return the camera that was laid out in a folder."""
    return CameraMaterial(
        folder / "blurry", folder / "sharp", folder / "test/blurry", folder / "test/sharp",
        tuple(_pairs(folder / "pairs")), key,
    )  # fmt: skip


def build_known(recipe: Recipe, root: Path, cache: Path) -> KnownMaterial:
    """Make the known domain's pairs, or take them from the cache or from the user's data set.

    Raises:
        UsageError: if pictures are missing or not the listed ones.
    """
    said = recipe.known
    if said.root is not None:
        return KnownMaterial(said.domain, root / said.root, key_of({"domain": said.domain}))
    motion = structure(StraightMotion, said.motion, "known.motion")
    inputs = _of_roles(recipe, root, known=True)
    key = key_of(
        {"motion": unstructure(motion), "code": code_key(_CODE), "inputs": _hashes(inputs)}
    )
    folder = cache / "known" / key
    if not (folder / "done.json").exists():
        check_hashes(_every(inputs), recipe, root)
    rendered(folder, list(known(inputs, motion)), "pairs of the known domain", key)
    return KnownMaterial(said.domain, folder, key)


def fewer_sharp(camera: CameraMaterial, share: float, cache: Path) -> CameraMaterial:
    """Return the camera with a share of S, whole scenes of it, always the same ones."""
    paths = sorted(find_pictures(camera.sharp), key=lambda p: rng_of("share", p.stem).random())
    kept = paths[: max(2, math.ceil(share * len(paths)))]
    key = key_of({"camera": camera.key, "sharp": sorted(path.name for path in kept)})
    shots = [Shot(path.name, path.read_bytes) for path in kept]
    folder = rendered(cache / "shares" / key, shots, "a share of S", key)
    return CameraMaterial(
        camera.blurry, folder, camera.test_blurry, camera.test_sharp, camera.pairs, key
    )


def _camera(recipe: Recipe) -> CameraChoice:
    if recipe.camera is None:
        raise UsageError(f"the recipe '{recipe.name}' names no camera")
    return recipe.camera


def _shots(choice: CameraChoice, inputs: dict[str, list[Input]]) -> Iterator[Shot]:
    if choice.name == "frames":
        return taken(inputs, structure(Frames, choice.parameters, "camera frames"))
    camera = camera_named(choice.name, choice.parameters)
    return simulated(camera, inputs, choice.exposures)


def _of_roles(recipe: Recipe, root: Path, *, known: bool) -> dict[str, list[Input]]:
    rows = listed(recipe, root)
    return {role: rows[role] for role in rows if role.startswith("known") == known}


def _every(inputs: dict[str, list[Input]]) -> list[Input]:
    return [one for rows in inputs.values() for one in rows]


def _hashes(inputs: dict[str, list[Input]]) -> list[str]:
    return sorted(f"{one.role} {one.name} {one.sha256}" for one in _every(inputs))


def _pairs(folder: Path) -> Iterator[Pair]:
    """Yield pairs of equal names, or of several exposures `SCENE/N` of one `SCENE.png`."""
    for path in find_pictures(folder / "blurry"):
        below = path.relative_to(folder / "blurry")
        scene = below.parent.as_posix() if below.parent != Path() else below.stem
        yield Pair(path, folder / "sharp" / f"{scene}.png", scene)

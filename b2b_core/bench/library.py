"""Recipes as files: found by name, checked, and spread out into their variants."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

from attrs import evolve

from b2b_core.bench.recipe import Recipe
from b2b_core.config import read_toml, structure
from b2b_core.errors import UsageError
from b2b_core.names import suggestion
from b2b_core.narrowing import is_array, is_table

FOLDER = Path(__file__).with_name("recipes")
#: Tables of a recipe's file that are no settings of the recipe itself.
_VARIANTS, _QUICK = "variants", "quick"


def names() -> list[str]:
    """Return the names of the recipes that ship, in the order of `b2b bench list`."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def all_recipes() -> list[Recipe]:
    """Return every recipe that ships, each variant a recipe of its own."""
    return [recipe for name in names() for recipe in recipes_named(name)]


def recipes_named(name: str, *, quick: bool = False) -> list[Recipe]:
    """Return the recipe of a name, all of its variants, or those of a file `PATH.toml`.

    Args:
        name: of a file of recipes (all variants), of one variant, or a path to a file.
        quick: with the few steps and pictures of the table `quick`.

    Raises:
        UsageError: if there is none; names the closest.
    """
    if name.endswith(".toml"):
        return read_recipes(Path(name), quick=quick)
    if name in names():
        return read_recipes(FOLDER / f"{name}.toml", quick=quick)
    for stem in names():
        if name.startswith(f"{stem}-"):
            found = [
                r for r in read_recipes(FOLDER / f"{stem}.toml", quick=quick) if r.name == name
            ]
            if found:
                return found
    every = [recipe.name for recipe in all_recipes()]
    raise UsageError(
        f"there is no recipe '{name}'",
        mend=f"{suggestion(name, [*names(), *every])}; or give the path of a .toml file",
    )


def read_recipes(path: Path, *, quick: bool = False) -> list[Recipe]:
    """Return the variants of a recipe's file; one without variants is a single recipe.

    Raises:
        UsageError: for a setting that is unknown or of a wrong type.
    """
    plain = dict(read_toml(path))
    variants = plain.pop(_VARIANTS, [])
    few = plain.pop(_QUICK, {})
    if not is_array(variants) or not is_table(few):
        raise UsageError("'variants' is a list of tables, 'quick' a table", where=path)
    layers = [cast("Mapping[str, object]", each) for each in variants] or [{}]
    return [_recipe(path, plain, layer, few if quick else {}) for layer in layers]


def _recipe(
    path: Path, plain: Mapping[str, object], variant: Mapping[str, object],
    few: Mapping[str, object],
) -> Recipe:  # fmt: skip
    settings = laid_over(laid_over(plain, variant), few)
    suffix = settings.pop("variant", None)
    settings["name"] = path.stem if suffix is None else f"{path.stem}-{suffix}"
    recipe = structure(Recipe, settings, where=f"recipe {path.name}")
    _check(recipe, path)
    return evolve(recipe, folder=path.parent)


def _check(recipe: Recipe, path: Path) -> None:
    rendered = recipe.pictures is not None and recipe.camera is not None
    if rendered == (recipe.unknown is not None):
        raise UsageError("a recipe has either [pictures] and [camera], or [unknown]", where=path)
    if recipe.unknown is not None and recipe.known.root is None:
        raise UsageError("'known.root' has to be set beside [unknown]", where=path)


def laid_over(below: Mapping[str, object], above: Mapping[str, object]) -> dict[str, object]:
    """Return `below` with the entries of `above`; tables are merged entry by entry."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        merged[key] = laid_over(under, value) if is_table(under) and is_table(value) else value
    return merged


def simulated_names() -> list[str]:
    """Return the recipes that need only the listed pictures: `b2b bench run all`."""
    return [name for name in names() if read_recipes(FOLDER / f"{name}.toml")[0].unknown is None]

"""Recipes and their lists of pictures: found, checked, refused in one line."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from b2b_core.bench.inputs import ROLES, check_hashes, listed
from b2b_core.bench.library import (
    FOLDER,
    all_recipes,
    laid_over,
    names,
    read_recipes,
    recipes_named,
    simulated_names,
)
from b2b_core.bench.recipe import Pictures, Recipe
from b2b_core.errors import UsageError
from b2b_core.hashing import sha256_of

SIMULATED = ["beyond", "defocus", "frames", "long-motion", "phone"]


def recipe_with(folder, rows, limit=0):
    """Return a recipe whose list has rows of (role, file, scene, sha256)."""
    with (folder / "list.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([("role", "file", "scene", "sha256"), *rows])
    pictures = Pictures(list="list.csv", source="the moon", limit=limit)
    return Recipe(name="tiny", title="a test", pictures=pictures, folder=folder)


def test_every_recipe_that_ships_can_be_read_in_full_and_quick():
    """All files parse, every variant has a name of its own, quick ones have few steps."""
    found = [recipe.name for recipe in all_recipes()]
    assert len(found) == len(set(found))
    assert set(SIMULATED) <= set(names())
    for name in names():
        for recipe in recipes_named(name, quick=True):
            assert recipe.known.training.steps <= 12 or recipe.known.weights is not None


def test_all_means_the_recipes_that_need_no_data_set():
    """`all` has the five cameras and nothing that needs RB2V, REDS or RSBlur."""
    assert simulated_names() == SIMULATED


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.csv")), ids=lambda path: path.stem)
def test_lists_that_ship_keep_scenes_apart(path):
    """Roles share no scene, no picture is listed twice, every hash looks like one."""
    rows = list(csv.DictReader(path.open(newline="")))
    owners = {}
    for row in rows:
        party = row["role"].split("-original")[0].removesuffix("-blurry-original")
        party = {"camera-sharp-blurry": "camera-sharp"}.get(row["role"], party)
        assert owners.setdefault(row["scene"], party) == party
        assert row["role"] in ROLES
        assert len(row["sha256"]) == 64
        assert not row["file"].startswith("/")
    assert max(Counter(row["file"] for row in rows).values()) == 1
    assert max(Counter(row["sha256"] for row in rows).values()) == 1


def test_lists_have_the_roles_that_a_camera_needs():
    """B, S, test and known pictures are in every list; photographs are split about six to four."""
    for recipe in (r for name in SIMULATED for r in recipes_named(name)):
        roles = listed(recipe, FOLDER)
        tested = "test-video" if recipe.name == "frames" else "test"
        assert {"known", "camera-blurry", "camera-sharp", tested} <= set(roles)
    count = {role: len(rows) for role, rows in listed(recipes_named("phone")[0], FOLDER).items()}
    assert count == {"known": 72, "camera-blurry": 65, "camera-sharp": 44, "test": 24}


def test_every_picture_of_frames_has_its_partner():
    """Twelve real pairs of three places, and 32 consecutive frames of a fourth."""
    roles = listed(recipes_named("frames")[0], FOLDER)
    for one, other in (
        ("camera-blurry", "camera-blurry-original"), ("camera-sharp-blurry", "camera-sharp"),
    ):  # fmt: skip
        assert sorted(x.name for x in roles[one]) == sorted(x.name for x in roles[other])
    assert len(roles["camera-blurry"]) + len(roles["camera-sharp"]) == 12
    numbers = [int(Path(one.file).stem) for one in roles["test-video"]]
    assert numbers == list(range(numbers[0], numbers[0] + 32))


def test_a_variant_is_found_by_its_own_name():
    """A name stands for its variants, and each of these has a name of its own."""
    all_of_it = recipes_named("paper-table-2")
    assert len(all_of_it) > 1
    (second,) = recipes_named(all_of_it[1].name)
    assert second == all_of_it[1]


def test_an_unknown_recipe_is_answered_by_the_closest():
    """A misspelt name gets the right one."""
    with pytest.raises(UsageError, match=r"'defocsu'.*defocus"):
        recipes_named("defocsu")


def test_a_recipe_of_ones_own_is_read_from_its_path(tmp_path):
    """A path to a file is taken; a wrong key is named; half a recipe is refused."""
    path = tmp_path / "mine.toml"
    path.write_text('title = "mine"\n[pictures]\nlist = "a.csv"\n[camera]\nname = "phone"\n')
    (recipe,) = recipes_named(str(path))
    assert (recipe.name, recipe.folder) == ("mine", tmp_path)
    path.write_text('title = "mine"\ncamara = 1\n')
    with pytest.raises(UsageError, match=r"camara.*camera"):
        read_recipes(path)
    path.write_text('title = "mine"\n[camera]\nname = "phone"\n')
    with pytest.raises(UsageError, match="either"):
        read_recipes(path)


def test_tables_are_laid_over_entry_by_entry():
    """A variant changes what it names and leaves the rest."""
    below = {"a": {"x": 1, "y": 2}, "b": 3}
    assert laid_over(below, {"a": {"y": 5}, "c": 6}) == {"a": {"x": 1, "y": 5}, "b": 3, "c": 6}
    assert below == {"a": {"x": 1, "y": 2}, "b": 3}


def test_pictures_that_differ_from_the_list_are_refused(tmp_path):
    """A wrong hash and a missing file are named, with where to get the pictures."""
    file = tmp_path / "a.png"
    file.write_bytes(b"one")
    good = ("known", "a.png", "a", sha256_of(file))
    recipe = recipe_with(tmp_path, [good])
    check_hashes(listed(recipe, tmp_path)["known"], recipe, tmp_path)
    file.write_bytes(b"two")
    with pytest.raises(UsageError, match=r"not the picture.*a\.png.*the moon"):
        check_hashes(listed(recipe, tmp_path)["known"], recipe, tmp_path)
    file.unlink()
    with pytest.raises(UsageError, match=r"'a\.png' is not below.*the moon"):
        check_hashes(listed(recipe, tmp_path)["known"], recipe, tmp_path)


def test_a_scene_in_two_roles_is_refused(tmp_path):
    """B and the test may not show one scene; a picture and its partner may."""
    rows = [("camera-blurry", "a.png", "s", "0"), ("test", "b.png", "s", "1")]
    with pytest.raises(UsageError, match=r"'s' is in two roles, camera-blurry and test"):
        listed(recipe_with(tmp_path, rows), tmp_path)
    rows = [("camera-sharp", "a.png", "s", "0"), ("camera-sharp-blurry", "b.png", "s", "1")]
    found = listed(recipe_with(tmp_path, rows), tmp_path)
    assert set(found) == {"camera-sharp", "camera-sharp-blurry"}


def test_damaged_lists_are_refused(tmp_path):
    """An unknown role, an empty cell and a missing file end in one line."""
    with pytest.raises(UsageError, match="unknown role 'knwon'"):
        listed(recipe_with(tmp_path, [("knwon", "a.png", "s", "0")]), tmp_path)
    with pytest.raises(UsageError, match="lacks"):
        listed(recipe_with(tmp_path, [("known", "a.png", "", "0")]), tmp_path)
    recipe = recipe_with(tmp_path, [])
    (tmp_path / "list.csv").unlink()
    with pytest.raises(UsageError, match="cannot be read"):
        listed(recipe, tmp_path)


def test_a_limit_takes_the_first_scenes_of_each_role(tmp_path):
    """Quick runs see a few scenes, whole, and the same ones each time."""
    rows = [("known", f"{scene}{n}.png", scene, "0") for scene in "cab" for n in (0, 1)]
    found = listed(recipe_with(tmp_path, rows, limit=2), tmp_path)["known"]
    assert [one.file for one in found] == ["a0.png", "a1.png", "b0.png", "b1.png"]

"""What a bench is made from: listed pictures, rendered folders, and the keys of what decides."""

from shutil import copytree

import numpy as np
import pytest
from attrs import evolve

from b2b_core.bench.inputs import listed
from b2b_core.bench.keys import code_key, key_of, package_key
from b2b_core.bench.material import build_camera, build_known
from b2b_core.bench.plan import Shot, taken
from b2b_core.bench.rendering import rendered
from b2b_core.errors import B2bError, UsageError
from b2b_core.images.read import read_picture
from tests.tiny_bench import CATALOGUE, bench, tiny_recipe, write_root


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Return a data root of tiny photographs, with a recipe and its list beside it."""
    return write_root(tmp_path_factory.mktemp("data"))


@pytest.fixture
def recipe(root):
    """Return the tiny recipe."""
    return tiny_recipe(root)


def test_what_was_made_before_a_kill_is_not_made_again(tmp_path):
    """Rendering goes on with what is missing; a folder of something else is refused."""
    made = []

    def shot(name):
        return Shot(f"deep/{name}.txt", lambda: made.append(name) or name.encode())

    def dies():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rendered(tmp_path, [shot("a"), Shot("deep/b.txt", dies)], "files", "k")
    assert not (tmp_path / "done.json").exists()
    rendered(tmp_path, [shot("a"), shot("b")], "files", "k")
    rendered(tmp_path, [shot("a"), shot("b")], "files", "k")
    assert made == ["a", "b"]
    with pytest.raises(B2bError, match="something else"):
        rendered(tmp_path, [], "files", "another")


def test_keys_follow_everything_that_decides(root, recipe, tmp_path):
    """Pictures, parameters and exposures change a camera's key; motion that of the known domain."""

    def keys(changed):
        return (
            build_camera(changed, root, tmp_path, CATALOGUE).key,
            build_known(changed, root, tmp_path).key,
        )

    camera, domain = keys(recipe)
    assert keys(recipe) == (camera, domain)
    wider = evolve(recipe, camera=evolve(recipe.camera, parameters={"radius": [2.0, 3.0]}))
    assert keys(wider)[0] != camera
    assert keys(wider)[1] == domain
    longer = evolve(recipe, known=evolve(recipe.known, motion={"variants": 1}))
    assert keys(longer)[0] == camera
    assert keys(longer)[1] != domain
    fewer = evolve(recipe, pictures=evolve(recipe.pictures, limit=2))
    assert keys(fewer)[0] != camera


def test_keys_of_code_follow_what_it_does(tmp_path):
    """A comment or a docstring changes no key, a number does."""
    file = tmp_path / "a.py"
    file.write_text('"""Doc."""\n\ndef f():\n    """Say."""\n    return 1\n')
    key, package = code_key([file]), package_key(tmp_path)
    file.write_text('"""Other."""\n# why\ndef f():\n    """More."""\n\n    return 1\n')
    assert (code_key([file]), package_key(tmp_path)) == (key, package)
    file.write_text('"""Doc."""\n\ndef f():\n    """Say."""\n    return 2\n')
    assert code_key([file]) != key
    assert key_of({"a": 1, "b": 2}) == key_of({"b": 2, "a": 1}) != key_of({"a": 2, "b": 1})


def test_pictures_that_differ_stop_a_run_before_anything_is_made(root, recipe, tmp_path):
    """A wrong picture is named; other recipes of the same call still run."""
    other = copytree(root, tmp_path / "data")
    (other / "camera-sharp-0.png").write_bytes((root / "test-0.png").read_bytes())
    with pytest.raises(UsageError, match=r"not the picture.*camera-sharp-0\.png.*the moon"):
        bench(other, tmp_path / "out", only="render").run([recipe], [0])
    assert not list((tmp_path / "out").rglob("*.png"))
    with pytest.raises(UsageError, match="no such data root"):
        bench(tmp_path / "nowhere", tmp_path / "out").run([recipe], [0])
    few = evolve(recipe, name="few", pictures=evolve(recipe.pictures, list="nothing.csv"))
    with pytest.raises(UsageError, match="cannot be read"):
        bench(root, tmp_path / "both", only="render").run([few, recipe], [0])
    assert (tmp_path / "both" / "cache" / "known").is_dir()


def test_pictures_of_a_real_camera_are_halved_and_paired(root, recipe, tmp_path):
    """Half size, B and S in two halves of places, pairs by their names."""
    rows = {
        role: [evolve(one, role=role, scene=scene) for one in listed(recipe, root)["test"][:1]]
        for role, scene in (
            ("camera-blurry", "b"), ("camera-blurry-original", "b"), ("camera-sharp", "s"),
            ("camera-sharp-blurry", "s"), ("test", "t"), ("test-original", "t"),
        )
    }  # fmt: skip
    shots = list(taken(rows))
    folder = rendered(tmp_path, shots, "pictures", "k")
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*.png")}
    assert {"blurry/b-test-0-0.png", "blurry/b-test-0-1.png", "sharp/s-test-0-1.png"} <= names
    assert {"test/blurry/t-test-0.png", "test/sharp/t-test-0.png"} <= names
    assert {"pairs/blurry/b-test-0.png", "pairs/sharp/s-test-0.png"} <= names
    left, right = (read_picture(folder / f"blurry/b-test-0-{n}.png").pixels for n in (0, 1))
    whole = read_picture(folder / "test/blurry/t-test-0.png").pixels
    assert whole.shape == (52, 56, 3)
    assert (np.concatenate([left, right], 1) == whole).all()

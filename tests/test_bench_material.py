"""What a bench is made from: listed pictures, rendered folders, and the keys of what decides."""

from shutil import copytree

import numpy as np
import pytest
from attrs import evolve
from scipy.ndimage import gaussian_filter

from b2b_core.bench.frames import Frames, average, half_size, taken
from b2b_core.bench.inputs import Input
from b2b_core.bench.keys import code_key, key_of, package_key
from b2b_core.bench.material import build_camera, build_known
from b2b_core.bench.plan import Shot
from b2b_core.bench.rendering import rendered
from b2b_core.errors import B2bError, UsageError
from b2b_core.images.read import read_picture
from b2b_core.images.write import write_picture
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


def video(folder, count=9, height=150, width=160):
    """Write frames that move to the right by two pixels each, and return their levels."""
    scene = gaussian_filter(
        np.random.default_rng(0).random((height, width + 2 * count, 3)), (3, 3, 0)
    )
    scene = (scene - scene.min()) / np.ptp(scene)
    frames = [
        (255 * scene[:, 2 * (count - n) : 2 * (count - n) + width]).round().astype(np.uint8)
        for n in range(count)
    ]
    for number, frame in enumerate(frames):
        write_picture(folder / f"{number}.png", frame)
    return frames


def test_pictures_of_a_real_camera_are_halved_paired_and_averaged(tmp_path):
    """Half size, B and S in two halves, pairs by their names, averages of windows of frames."""
    frames = video(tmp_path)
    blurry = average(frames[:8])
    write_picture(tmp_path / "blurry.png", blurry)

    def rows(role, scene, *names):
        files = [tmp_path / f"{name}.png" for name in names]
        return [Input(role, f"{scene}/x.png", scene, "", path) for path in files]

    shots = list(
        taken(
            {
                "camera-blurry": rows("camera-blurry", "b", "blurry"),
                "camera-blurry-original": rows("camera-blurry-original", "b", "4"),
                "camera-sharp": rows("camera-sharp", "s", "4"),
                "camera-sharp-blurry": rows("camera-sharp-blurry", "s", "blurry"),
                "test-video": rows("test-video", "t", *range(9)),
            },
            Frames(lengths=(3, 5), stride=4),
        )
    )
    folder = rendered(tmp_path / "out", shots, "pictures", "k")
    made = {
        path.relative_to(folder).as_posix(): read_picture(path).pixels
        for path in folder.rglob("*.png")
    }
    assert set(made) == {
        *(f"{name}-{side}.png" for name in ("blurry/b-x", "sharp/s-x") for side in (0, 1)),
        *(f"pairs/{side}/{name}-x.png" for side in ("blurry", "sharp") for name in "bs"),
        *(
            f"test/{side}/t-{window}.png"
            for side in ("blurry", "sharp")
            for window in ("00-03", "04-03", "00-05", "04-05")
        ),
    }
    whole = half_size(blurry)
    assert whole.shape == (75, 80, 3)
    halves = [made[f"blurry/b-x-{side}.png"] for side in (0, 1)]
    assert (np.concatenate(halves, 1) == whole).all()
    assert (made["pairs/blurry/s-x.png"] == whole).all()
    assert (made["test/sharp/t-04-05.png"] == half_size(frames[6])).all()
    assert (made["test/blurry/t-04-03.png"] == average([half_size(f) for f in frames[4:7]])).all()
    # The fifth of eight frames is half a frame late, one pixel here: half of one at half size.
    inside = (slice(20, -20), slice(20, -20))
    truth = half_size(frames[3])[inside].astype(float) + half_size(frames[4])[inside]
    off = np.abs(half_size(frames[4])[inside] - truth / 2).mean()
    assert np.abs(made["pairs/sharp/b-x.png"][inside] - truth / 2).mean() < off / 3


def test_a_real_pair_without_its_partner_is_named(tmp_path):
    """One line says which row is missing."""
    row = Input("camera-sharp-blurry", "gopro/7.png", "s", "", tmp_path / "7.png")
    with pytest.raises(UsageError, match=r"'gopro/7\.png'.*role camera-sharp, scene 's'"):
        list(taken({"camera-sharp-blurry": [row]}, Frames()))

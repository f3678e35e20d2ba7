"""A whole bench on tiny pictures: stages, caches, kills, extras, the command."""

import pytest
from attrs import evolve

import b2b_core.bench.measuring
from b2b_core.bench.adapting import seconds_of
from b2b_core.bench.inputs import listed
from b2b_core.bench.library import read_recipes
from b2b_core.bench.material import build_camera
from b2b_core.bench.options import Extras
from b2b_core.bench.plan import known, simulated
from b2b_core.bench.rendering import rendered
from b2b_core.bench.report import overview
from b2b_core.bench.results import read_result, result_path
from b2b_core.bench.table import sections
from b2b_core.cli import run as run_cli
from b2b_core.errors import UsageError
from b2b_core.images.read import read_picture
from b2b_core.training.deblurrer import DeblurrerStage
from tests.tiny_bench import CATALOGUE, bench, tiny_recipe, write_root


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Return a data root of tiny photographs, with a recipe and its list beside it."""
    return write_root(tmp_path_factory.mktemp("data"))


@pytest.fixture
def recipe(root):
    """Return the tiny recipe."""
    return tiny_recipe(root)


@pytest.fixture(scope="module")
def straight(root, tmp_path_factory):
    """Return a finished run: its folder and its result."""
    out = tmp_path_factory.mktemp("straight")
    (result,) = bench(root, out).run(read_recipes(root / "tiny.toml"), [0])
    return out, result


def files_of(folder):
    """Return all files below a folder with their bytes."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_a_run_measures_every_way_on_every_test_picture(straight):
    """Blurry, deblurrer alone, candidate, choice and upper bound, with times and machine."""
    out, result = straight
    assert set(result.ways) == {"blurry", "deblurrer", "finetune", "b2b", "bound"}
    assert all(set(way.psnr) == {"test-0", "test-1"} for way in result.ways.values())
    assert result.ways["b2b"] == result.ways["finetune"]
    assert result.ways["bound"] != result.ways["deblurrer"]
    assert result.chosen == "finetune"
    assert set(result.seconds) == {"spectrum", "finetune"}
    assert result.training_seconds == pytest.approx(sum(result.seconds.values()))
    assert result.known["steps"] == result.bound["steps"] == "3"
    assert result.machine["torch"]
    assert read_result(result_path(out, "tiny", "", 0)) == result


def test_the_adaptation_never_sees_pairs_or_test_pictures(straight, root, recipe):
    """B and S have the scenes of their roles; B is not what the upper bound is trained on."""
    out, _ = straight
    camera = build_camera(recipe, root, out / "cache", CATALOGUE)
    assert {path.stem for path in camera.blurry.iterdir()} == {
        f"camera-blurry-{n}" for n in range(4)
    }
    assert {path.stem for path in camera.sharp.iterdir()} == {f"camera-sharp-{n}" for n in range(4)}
    assert len(camera.pairs) == 2 * 8
    of_pairs = {pair.blurry.read_bytes() for pair in camera.pairs}
    assert of_pairs.isdisjoint(path.read_bytes() for path in camera.blurry.iterdir())
    reference = read_picture(camera.test_sharp / "test-0.png").pixels
    assert (reference == read_picture(root / "test-0.png").pixels).all()


def test_pictures_do_not_depend_on_the_order_in_which_they_are_made(
    straight, root, recipe, tmp_path
):
    """The same files, made the other way round and without a recipe's cache, bit for bit."""
    from b2b_core.bench.cameras import camera_named
    from b2b_core.bench.known import StraightMotion

    out, _ = straight
    inputs = listed(recipe, root)
    shots = list(simulated(camera_named("defocus", {}), inputs, 2))
    made = rendered(tmp_path / "camera", shots[::-1], "pictures", "k")
    (first,) = (out / "cache" / "cameras").iterdir()
    differing = {name for name in files_of(first) | files_of(made) if name != "done.json"
                 and files_of(first).get(name) != files_of(made).get(name)}  # fmt: skip
    assert differing == set()
    pairs = list(known(inputs, StraightMotion(variants=2)))
    made = rendered(tmp_path / "known", pairs[::-1], "pictures", "k")
    (first,) = (out / "cache" / "known").iterdir()
    assert files_of(first).keys() == files_of(made).keys()
    assert files_of(first)["blurry/known-1/0.png"] == files_of(made)["blurry/known-1/0.png"]


def test_the_same_command_again_trains_nothing_and_changes_nothing(straight, root, monkeypatch):
    """A finished run is found by its key, even where nothing could be trained any more."""
    out, result = straight
    before = files_of(out / "results")
    monkeypatch.setattr(DeblurrerStage, "step", lambda *_: pytest.fail("trains"))
    monkeypatch.setattr("b2b_core.bench.runner.run_adaptation", lambda *_: pytest.fail("adapts"))
    assert bench(root, out).run(read_recipes(root / "tiny.toml"), [0]) == [result]
    assert files_of(out / "results") == before


def kill(monkeypatch, target, after):
    """Make a function die at its call number `after`; return what undoes it."""
    owner, _, name = target.rpartition(".")
    module = __import__("importlib").import_module
    try:
        holder = module(owner)
    except ModuleNotFoundError:
        path, _, cls = owner.rpartition(".")
        holder = getattr(module(path), cls)
    whole, calls = getattr(holder, name), [0]

    def dies(*args, **said):
        calls[0] += 1
        if calls[0] == after:
            raise KeyboardInterrupt
        return whole(*args, **said)

    monkeypatch.setattr(holder, name, dies)


@pytest.mark.parametrize(
    ("target", "after"),
    [
        ("b2b_core.bench.plan._expose", 5),
        ("b2b_core.bench.plan._moved", 3),
        ("b2b_core.training.deblurrer.DeblurrerStage.step", 2),
        ("b2b_core.training.deblurrer.DeblurrerStage.step", 5),
        ("b2b_plugin_reblur.candidates.Supervised.step", 2),
        ("b2b_core.bench.runner.measured", 1),
        ("b2b_core.bench.results.unstructure", 1),
    ],
    ids=["camera", "known-pictures", "known", "bound", "adapt", "measure", "result"],
)
def test_a_run_that_is_killed_goes_on_and_ends_in_the_same_numbers(
    straight, root, tmp_path, target, after
):
    """Killed in each stage, the same call again: equal scores, and no result in between."""
    recipes = read_recipes(root / "tiny.toml")
    with pytest.MonkeyPatch.context() as patch:
        kill(patch, target, after)
        with pytest.raises(KeyboardInterrupt):
            bench(root, tmp_path).run(recipes, [0])
    assert not result_path(tmp_path, "tiny", "", 0).exists()
    (resumed,) = bench(root, tmp_path).run(recipes, [0])
    assert resumed.ways == straight[1].ways
    assert resumed.key == straight[1].key


def test_stages_stop_where_they_are_told_to(root, recipe, tmp_path):
    """`render` makes pictures, `known` the deblurrer, `bound` the upper bound, and no more."""
    for only, made in (("render", "known"), ("known", "deblurrers"), ("bound", "bounds")):
        assert bench(root, tmp_path, only=only).run([recipe], [0]) == []
        assert (tmp_path / "cache" / made).is_dir()
    assert not (tmp_path / "runs").exists()
    assert bench(root, tmp_path, only="adapt").run([recipe], [0]) == []
    assert list((tmp_path / "runs").rglob("profile.safetensors"))
    assert not (tmp_path / "results").exists()


def test_one_known_deblurrer_serves_every_camera_of_a_domain(straight, root, recipe):
    """Another camera has pictures of its own, and the cached pairs and deblurrer of the first."""
    out, _ = straight
    other = evolve(recipe, name="other", camera=evolve(recipe.camera, name="phone"))
    before = files_of(out / "cache" / "deblurrers")
    bench(root, out, only="known").run([other], [0])
    assert len(list((out / "cache" / "cameras").iterdir())) == 2
    assert files_of(out / "cache" / "deblurrers") == before
    camera = build_camera(other, root, out / "cache", CATALOGUE)
    assert {path.suffix for path in camera.blurry.iterdir()} == {".jpg"}


def test_more_candidates_are_trained_beside_what_is_there(straight, root, recipe, monkeypatch):
    """`also` takes R and the choice over from the recipe's own run and trains the rest."""
    from b2b_plugin_reblur.refinement import Refinement

    out, result = straight
    monkeypatch.setattr(Refinement, "step", lambda *_: pytest.fail("learns the camera again"))
    extras = Extras(also=("task",))
    (more,) = bench(root, out, extras=extras).run([recipe], [0])
    assert more.label == "also-task"
    assert more.arguments == "--also task"
    assert more.ways["finetune"] == result.ways["finetune"]
    assert "task" in more.ways
    assert more.training_seconds == pytest.approx(result.training_seconds)
    assert more.seconds["task"] > 0


def test_without_the_bound_there_are_gains_and_no_gap(straight, root, recipe, monkeypatch):
    """What is there is taken, the bound is neither trained nor measured, and the page is whole."""
    out, result = straight
    monkeypatch.setattr("b2b_core.bench.runner.upper_bound", lambda *_: pytest.fail("trains it"))
    (less,) = bench(root, out, extras=Extras(bound=False)).run([recipe], [0])
    assert (less.label, less.arguments) == ("no-bound", "--no-bound")
    assert less.ways == {name: way for name, way in result.ways.items() if name != "bound"}
    row = overview(sections([less])).splitlines()[-1].split(" | ")
    assert "" not in row[2:5]  # blurry, deblurrer alone, b2b's choice
    assert (row[5], row[7]) == ("", "")  # upper bound, gap closed
    assert row[6] != ""  # gain


def test_a_share_of_the_sharp_pictures_keeps_the_camera_model(straight, root, recipe, monkeypatch):
    """With half of S the deblurring is trained anew, with the R of the run with all of it."""
    from b2b_plugin_reblur.refinement import Refinement

    out, result = straight
    monkeypatch.setattr(Refinement, "step", lambda *_: pytest.fail("learns the camera again"))
    (half,) = bench(root, out, extras=Extras(sharp_share=0.5)).run([recipe], [0])
    assert half.label == "sharp-0.5"
    assert half.learned["camera"] == result.learned["camera"]
    assert half.ways["finetune"] != result.ways["finetune"]
    (share,) = (out / "cache" / "shares").iterdir()
    assert len(list(share.glob("*.png"))) == 2


def test_a_setting_of_ones_own_is_a_result_of_its_own(root, recipe, straight):
    """An override changes the run and gets a label; a misspelt one is refused."""
    out, result = straight
    extras = Extras(overrides=("strategy.finetune.lr=0.1",), said_label="fast")
    (fast,) = bench(root, out, extras=extras).run([recipe], [0])
    assert fast.label == "fast"
    assert fast.key != result.key
    assert fast.ways["finetune"] != result.ways["finetune"]
    wrong = Extras(overrides=("strategy.fintune.lr=0.1",))
    with pytest.raises(UsageError, match=r"fintune.*finetune"):
        bench(root, out, extras=wrong).run([recipe], [0])


def test_another_strategy_keeps_no_options_of_the_recipes(root, recipe, straight):
    """`strategy.name` alone is enough, though the recipe sets options that only its own has."""
    out, _ = straight
    assert "finetune" in recipe.adaptation["strategy"]
    brief = ("strategy.steps=2", "strategy.batch=2", "translator.width=4")
    extras = Extras(overrides=("strategy.name=adversarial", *brief), said_label="game")
    (result,) = bench(root, out, extras=extras).run([recipe], [0])
    assert list(result.seconds) == ["adversarial"]
    assert {"blurry", "deblurrer", "b2b"} <= set(result.ways)


def test_seconds_are_those_of_the_checkpoints(straight):
    """Every stage's clock, as the checkpoint remembers it over all sessions."""
    out, result = straight
    (run,) = (path for path in (out / "runs" / "tiny").glob("seed-0-*") if path.is_dir())
    assert seconds_of(run) == result.seconds
    assert all(seconds > 0 for seconds in result.seconds.values())


def test_the_measuring_of_a_finished_adaptation_trains_nothing(straight, root, recipe, monkeypatch):
    """`--again` measures what is trained already; the scores are the same."""
    from b2b_plugin_reblur.candidates import Supervised

    out, result = straight
    monkeypatch.setattr(Supervised, "step", lambda *_: pytest.fail("trains"))
    (again,) = bench(root, out, again=True).run([recipe], [0])
    assert again.ways == result.ways


def test_the_command_runs_lists_and_writes_the_table(root, straight, tmp_path, capsys):
    """`b2b bench` from a shell: list, run of a file, table; wrong seeds are refused."""
    out, _ = straight
    assert run_cli(["bench", "list"]) == 0
    assert "paper-table-2" in capsys.readouterr().out
    call = ["bench", "run", str(root / "tiny.toml"), "--data", str(root), "--out", str(out)]
    assert run_cli([*call, "--seeds", "0"]) == 0
    assert "b2b's choice" in capsys.readouterr().out
    assert run_cli([*call, "--seeds", "0;1"]) == 2
    assert "list of seeds" in capsys.readouterr().err
    target = tmp_path / "proof.md"
    assert run_cli(["bench", "table", "--out", str(out), "--to", str(target)]) == 0
    assert "| tiny |" in target.read_text()
    assert run_cli(["bench", "run", "nothing", "--data", str(root)]) == 2


def test_the_measuring_uses_the_demo_s_protocol():
    """The bench and the demo print numbers that mean the same."""
    from b2b_core.demo.measure import PROTOCOL, measure

    assert b2b_core.bench.measuring.PROTOCOL is PROTOCOL
    assert b2b_core.bench.measuring.measure is measure

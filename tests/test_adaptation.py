"""The main job on tiny pictures: settings, run folder, resumption, profile."""

import itertools
import json

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter
from safetensors.torch import load_file, save_file

from b2b_core.adaptation.adapt import adapt
from b2b_core.adaptation.folder import first_difference, open_run_folder
from b2b_core.adaptation.parts import Parts
from b2b_core.adaptation.settings import read_settings, write_settings
from b2b_core.catalogue import discover
from b2b_core.errors import UsageError
from b2b_core.networks import save_network
from b2b_core.profile import load_profile, read_profile_header
from b2b_core.training.precision import Numerics


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Return folders of a tiny camera and a tiny known domain, and its deblurrer's file."""
    root = tmp_path_factory.mktemp("world")
    rng = np.random.default_rng(0)

    def save(path, size=(104, 96)):
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse = rng.integers(0, 256, (size[1] // 4, size[0] // 4, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(path)

    for index in range(4):
        # portrait and landscape, PNG and JPEG, as users have them
        size = (104, 96) if index % 2 else (96, 112)
        save(root / "blurry" / f"b{index}.{'png' if index % 2 else 'jpg'}", size)
        save(root / "sharp" / f"s{index}.png", size)
        sharp = root / "known" / "sharp" / f"scene{index}" / "0.png"
        save(sharp)
        blurry = root / "known" / "blurry" / f"scene{index}" / "0.png"
        blurry.parent.mkdir(parents=True)
        with Image.open(sharp) as image:
            image.filter(ImageFilter.BoxBlur(1)).save(blurry)
    catalogue = discover()
    options = {"width": 8, "levels": 2, "blocks": 1}
    torch.manual_seed(0)
    network = catalogue.build("deblurrer", "unet", options)
    save_network(
        root / "deblurrer.safetensors", network, kind="deblurrer", component="unet",
        options=options, facts={}, distribution="b2b-plugin-unet", version="0.1.0",
    )  # fmt: skip
    return root


def settings_of(world, **strategy):
    """Return settings of a run of a few seconds."""
    short = {"steps": 2, "batch": 2}
    camera = {
        "spectrum_steps": 2, "spectrum_batch": 2, "steps": 2, "batch": 2, "crop": 24, "kernel": 9,
    }  # fmt: skip
    return read_settings(
        {
            "data": {
                "blurry": str(world / "blurry"),
                "sharp": str(world / "sharp"),
                "crop": 32,
                "held_out": 0.25,
            },
            "domain": {
                "name": "starter",
                "root": str(world / "known"),
                "deblurrer": str(world / "deblurrer.safetensors"),
            },
            "run": {"device": "cpu", "precision": "float32"},
            "translator": {"name": "unet", "width": 8, "levels": 2, "blocks": 1},
            "discriminator": {"name": "laplacian-patchgan", "width": 8},
            "strategy": {
                "name": "reblur", "camera": camera, "finetune": short, "task": short,
                "conversion": short, "scratch": short, "joint": short, "trial_steps": 1,
                **strategy,
            },
        }
    )  # fmt: skip


def test_settings_survive_a_round_trip(world):
    """What is written beside a run is read back as the same settings."""
    settings = settings_of(world, mode="task")
    assert read_settings(write_settings(settings)) == settings


@pytest.mark.parametrize("mode", ["finetune", "task", "conversion", "scratch", "joint", "auto"])
def test_every_mode_makes_a_profile_that_loads(world, tmp_path, mode):
    """From two folders to a profile with the networks that the mode promises."""
    made = adapt(settings_of(world, mode=mode), tmp_path / "run", discover())
    header = read_profile_header(made.profile)
    assert header.domain == "starter"
    assert header.strategy == "reblur"
    assert header.training["chosen"] == made.outcome.chosen
    lines = (tmp_path / "run" / "log.jsonl").read_text().splitlines()
    steps = [e for e in map(json.loads, lines) if e["event"] == "step"]
    assert {"spectrum", "camera"} <= {entry["stage"] for entry in steps}
    assert str(world) not in json.dumps(header.config["data"])
    if mode in ("finetune", "scratch"):
        assert header.translator is None
        assert header.published is None
    if mode in ("task", "conversion", "joint"):
        assert header.translator.component == "unet"
        assert header.scales == (1.0,)
    loaded = load_profile(made.profile, discover(), lambda name: pytest.fail(name))
    assert loaded.deblurrer(torch.rand(1, 3, 16, 16)).shape == (1, 3, 16, 16)
    if mode == "auto":
        names = [candidate.name for candidate in made.outcome.candidates]
        assert names[:4] == ["deblurrer alone", "finetune", "task", "conversion"]
        finished = [made.outcome.candidates[0], *made.outcome.candidates[4:]]
        best = max(finished, key=lambda candidate: candidate.psnr)
        assert made.outcome.chosen == best.name


def test_from_scratch_begins_with_fresh_weights(world, tmp_path):
    """Fine-tuning stays near the known deblurrer in two steps; a fresh network is far from it."""
    known = load_file(world / "deblurrer.safetensors")
    far: dict[str, float] = {}
    for mode in ("finetune", "scratch"):
        made = adapt(settings_of(world, mode=mode), tmp_path / mode, discover())
        learned = load_profile(made.profile, discover(), pytest.fail).deblurrer.state_dict()
        far[mode] = sum(float((learned[name] - known[name]).abs().sum()) for name in known)
    assert far["scratch"] > 5 * far["finetune"]


def test_together_both_networks_learn(world, tmp_path):
    """`joint` moves the translator and the deblurrer; `task` leaves the deblurrer as it was."""
    known = load_file(world / "deblurrer.safetensors")
    for mode, moved in (("joint", True), ("task", False)):
        made = adapt(settings_of(world, mode=mode), tmp_path / mode, discover())
        loaded = load_profile(made.profile, discover(), pytest.fail)
        learned = loaded.deblurrer.state_dict()
        assert any(not torch.equal(learned[name], known[name]) for name in known) is moved
        assert loaded.translator.last.weight.abs().sum() > 0  # it began at zero


def test_g_begins_where_another_run_ended(world, tmp_path):
    """With `run.start` the adversarial game refines the translator that `task` has learned."""
    made = adapt(settings_of(world, mode="task"), tmp_path / "task", discover())
    plain = write_settings(settings_of(world))
    plain["strategy"] = {"name": "adversarial", "steps": 1, "batch": 2, "d_warmup": 1}
    del plain["discriminator"]
    plain["run"]["start"] = str(made.profile)
    game = adapt(read_settings(plain), tmp_path / "game", discover())
    learned = load_profile(made.profile, discover(), pytest.fail).translator.state_dict()
    begun = game.outcome.translator.module.state_dict()  # G only watched while D warmed up
    assert all(torch.equal(begun[name], learned[name]) for name in learned)
    assert str(tmp_path) not in json.dumps(read_profile_header(game.profile).config["run"])


def test_a_profile_without_translator_is_no_start(world, tmp_path):
    """It is refused before anything is trained, and what would help is said."""
    made = adapt(settings_of(world, mode="finetune"), tmp_path / "first", discover())
    plain = write_settings(settings_of(world, mode="task"))
    plain["run"]["start"] = str(made.profile)
    with pytest.raises(UsageError, match=r"holds no translator.*strategy\.mode=task"):
        adapt(read_settings(plain), tmp_path / "second", discover())
    assert not (tmp_path / "second").exists()


def test_task_and_conversion_mix(world, tmp_path):
    """The weighted sum of both errors is what is minimised, on the same batch."""
    errors: dict[float, float] = {}
    for weight in (0.0, 1.0, 3.0):
        short = {"steps": 1, "batch": 2, "conversion": weight}
        folder = tmp_path / f"{weight:g}"
        adapt(settings_of(world, mode="task", task=short), folder, discover())
        lines = map(json.loads, (folder / "log.jsonl").read_text().splitlines())
        (errors[weight],) = (e["loss"] for e in lines if e.get("stage") == "task")
    gain = errors[1.0] - errors[0.0]
    assert gain > 0
    assert errors[3.0] - errors[0.0] == pytest.approx(3 * gain, rel=1e-2)


def test_what_is_worse_in_the_end_is_not_taken(world, tmp_path, monkeypatch):
    """A candidate that looked good when tried and ends below the deblurrer alone is dropped."""
    penalties = itertools.chain([-50.0] * 3, itertools.repeat(50.0))  # three trials, then the end
    monkeypatch.setattr("b2b_plugin_reblur.surplus.Surplus.penalty", lambda *_: next(penalties))
    made = adapt(settings_of(world, mode="auto"), tmp_path / "run", discover())
    assert made.outcome.chosen == "deblurrer alone"
    assert made.outcome.translator is None
    assert made.outcome.deblurrer is None
    assert any("looked best when it was tried" in note for note in made.warnings)


def test_what_gains_nothing_in_a_trial_is_trained_all_the_same(world, tmp_path, monkeypatch):
    """A trial says which candidate, not whether: the end decides."""
    monkeypatch.setattr("b2b_plugin_reblur.heldout.HeldOut.psnr", lambda *_: 20.0)
    penalties = itertools.chain([0.5] * 3, itertools.repeat(-0.5))  # three trials, then the end
    monkeypatch.setattr("b2b_plugin_reblur.surplus.Surplus.penalty", lambda *_: next(penalties))
    made = adapt(settings_of(world, mode="auto"), tmp_path / "run", discover())
    assert made.outcome.chosen == "finetune"
    assert not any("sharper or noisier" in note for note in made.warnings)


def test_what_real_pictures_speak_against_is_not_chosen(world, tmp_path, monkeypatch):
    """If real pictures lose more than R promises, the deblurrer stays, and b2b says so."""
    from b2b_plugin_reblur.heldout import HeldOut

    judged = iter(range(20, 99))
    monkeypatch.setattr(HeldOut, "psnr", lambda *_: float(next(judged)))  # better every time
    monkeypatch.setattr("b2b_plugin_reblur.surplus.Surplus.penalty", lambda *_: 99.0)
    made = adapt(settings_of(world, mode="auto"), tmp_path / "run", discover())
    assert made.outcome.chosen == "deblurrer alone"
    assert all(c.expected < 0 for c in made.outcome.candidates if c.name != made.outcome.chosen)
    notes = read_profile_header(made.profile).notes
    assert len([note for note in notes if "sharper or noisier" in note]) == 3


def test_a_slow_machine_does_fewer_steps_and_says_so(world, tmp_path, monkeypatch):
    """A step of a minute, 40 minutes wanted: none for the rest, 38 of 60 steps, and it is said."""
    from b2b_plugin_reblur.candidates import FineTune

    now, step = [0.0], FineTune.step

    def slow(self, number):
        now[0] += 60.0
        return step(self, number)

    monkeypatch.setattr("b2b_core.training.stage.time.monotonic", lambda: now[0])
    monkeypatch.setattr(FineTune, "step", slow)
    long = {"steps": 60, "batch": 1}
    settings = settings_of(world, mode="finetune", finetune=long, minutes=40)
    for _ in range(2):  # made, and taken from its checkpoints
        made = adapt(settings, tmp_path / "run", discover(), again=True)
        assert "38 steps" in made.outcome.candidates[-1].note
        assert [note for note in made.warnings if "'finetune' had 38 instead of 60 steps" in note]
    settings = settings_of(world, mode="finetune", finetune=long, minutes=0)
    made = adapt(settings, tmp_path / "unlimited", discover())
    assert "60 steps" in made.outcome.candidates[-1].note
    assert not [note for note in made.warnings if "instead of" in note]


def test_a_killed_run_goes_on_and_ends_in_the_same_weights(world, tmp_path, monkeypatch):
    """A kill during fine-tuning, then the same command: equal to a straight run, bit for bit."""
    from b2b_plugin_reblur.candidates import FineTune

    settings = settings_of(world, mode="finetune")
    straight = adapt(settings, tmp_path / "straight", discover())
    step = FineTune.step

    def dies(self, number):
        if number == 1:
            raise KeyboardInterrupt
        return step(self, number)

    monkeypatch.setattr(FineTune, "step", dies)
    with pytest.raises(KeyboardInterrupt):
        adapt(settings, tmp_path / "cut", discover())
    monkeypatch.setattr(FineTune, "step", step)
    assert not (tmp_path / "cut" / "profile.safetensors").exists()
    resumed = adapt(settings, tmp_path / "cut", discover())
    pairs = zip(
        straight.outcome.deblurrer.module.state_dict().values(),
        resumed.outcome.deblurrer.module.state_dict().values(),
        strict=True,
    )
    assert all(torch.equal(first, second) for first, second in pairs)


def test_a_finished_run_is_not_overwritten(world, tmp_path):
    """The same command again is refused in one line; the profile stays."""
    settings = settings_of(world, mode="finetune")
    made = adapt(settings, tmp_path / "run", discover())
    before = made.profile.read_bytes()
    with pytest.raises(UsageError, match=r"finished.*another --out"):
        adapt(settings, tmp_path / "run", discover())
    assert made.profile.read_bytes() == before


def test_another_configuration_is_not_mixed_into_a_run(tmp_path):
    """The first setting that differs is named."""
    folder = tmp_path / "run"
    assert not open_run_folder(folder, {"run": {"seed": 1}, "x": None})
    assert open_run_folder(folder, {"run": {"seed": 1}, "x": None})
    with pytest.raises(UsageError, match=r"run\.seed was 1, now 2"):
        open_run_folder(folder, {"run": {"seed": 2}})


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    """Files that are no run are neither overwritten nor added to."""
    (tmp_path / "photo.txt").write_text("mine")
    with pytest.raises(UsageError, match="no run folder"):
        open_run_folder(tmp_path, {})
    assert [path.name for path in tmp_path.iterdir()] == ["photo.txt"]


def test_the_first_difference_is_found_in_nested_tables():
    """Equal settings differ in nothing; a missing key counts as None."""
    assert first_difference({"a": {"b": 1}}, {"a": {"b": 1}}) == ""
    assert first_difference({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}) == "a.c was None, now 2"


def test_wrong_settings_are_refused_before_anything_is_written(world, tmp_path):
    """A misspelt option of a component costs no training and leaves no folder."""
    plain = write_settings(settings_of(world))
    plain["translator"] = {"name": "unet", "widht": 8}
    with pytest.raises(UsageError, match=r"widht.*did you mean 'width'"):
        adapt(read_settings(plain), tmp_path / "run", discover())
    assert not (tmp_path / "run").exists()


def test_published_weights_of_features_are_found_by_name(world, tmp_path, monkeypatch):
    """A name in place of a file is looked up; the extractor then has those weights."""
    torch.manual_seed(0)
    stored = {"features.0.weight": torch.randn(64, 3, 3, 3), "features.0.bias": torch.randn(64)}
    file = tmp_path / "vgg16.safetensors"
    save_file(stored, file)
    found = {"vgg16.imagenet": file}
    monkeypatch.setattr("b2b_core.adaptation.parts.resolve_weights", lambda name, _: found[name])
    plain = write_settings(settings_of(world))
    plain["features"] = {
        "name": "vgg16", "weights": "vgg16.imagenet", "taps": ["relu1_1"], "layer_weights": [1.0],
    }  # fmt: skip
    parts = Parts(discover(), read_settings(plain), Numerics("cpu"))
    network = parts.build("feature-extractor").module
    assert torch.equal(network.state_dict()["features.0.weight"], stored["features.0.weight"])

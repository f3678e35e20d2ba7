"""Each behaviour hook, where the core really calls it: in a run, or where weights are resolved.

The plugin `b2b-plugin-acme` is made of the examples of `docs/plugins/hooks.md`; a second one
records what it is called with. `tests/test_docs_hooks.py` demands a test for every hook.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from b2b_core.adaptation.adapt import adapt
from b2b_core.adaptation.settings import read_settings
from b2b_core.catalogue import discover
from b2b_core.errors import UsageError
from b2b_core.log import FILE_NAME
from b2b_core.profile import read_profile_header
from b2b_core.weights import resolve_weights

PAGE = (Path(__file__).parents[1] / "docs" / "plugins" / "hooks.md").read_text()
RECORDER = """
from b2b_core import hookimpl
CALLS = []
@hookimpl
def b2b_run_started(run_dir, config): CALLS.append(("started", run_dir, run_dir.is_dir(), config))
@hookimpl
def b2b_step_finished(stage, step, numbers): CALLS.append(("step", stage, step, numbers))
@hookimpl
def b2b_checkpoint_metadata(run_dir):
    CALLS.append(("metadata", run_dir, (run_dir / "profile.safetensors").exists()))
@hookimpl
def b2b_run_finished(run_dir, outcome):
    CALLS.append(("finished", run_dir, (run_dir / "profile.safetensors").exists(), outcome))
"""
STRATEGY = """
from attrs import frozen
from b2b_core import hookimpl
from b2b_core.errors import B2bError
from b2b_core.specs import StrategySpec

@frozen
class Config:
    fails_at: int = -1

def build(config):
    from b2b_core.training.job import Outcome
    from b2b_core.training.stage import Stage, run_stage

    class Counting(Stage):
        name, title, steps = "counting", "counting", 5
        def step(self, number):
            if number == config.fails_at:
                raise B2bError("the count is lost")
            return {"loss": 1 / (number + 1)}
        def validate(self, number):
            return {"psnr": float(number)}
        def parts(self):
            return {}

    class Strategy:
        def adapt(self, job):
            run_stage(Counting(), job.run)
            return Outcome(None, None, chosen="nothing")

    return Strategy()

@hookimpl
def b2b_strategies():
    return [StrategySpec(name="counting", config=Config, factory=build, summary="counts")]
"""


def blocks(heading):
    """Return the examples of a section of the page, up to the next heading."""
    section = re.search(rf"^#+ {heading}\n(.*?)(?=^##|\Z)", PAGE, re.DOTALL | re.MULTILINE).group(1)
    return re.findall(r"```python\n(.*?)```", section, re.DOTALL)


def behaviour():
    """Return the examples of all behaviour hooks as one plugin."""
    hooks = re.findall(r"^\| \[`(b2b_\w+)\(.*\| behaviour \|", PAGE, re.MULTILINE)
    return "\n\n".join([blocks("Behaviour hooks")[0], *(blocks(hook)[1] for hook in hooks)])


@pytest.fixture
def run(install, tmp_path):
    """Give a function that adapts with a strategy of five steps; every second one is logged."""
    install("b2b-plugin-acme", behaviour())
    install("b2b-plugin-counting", STRATEGY)
    install("b2b-plugin-recorder", RECORDER)
    for role in ("blurry", "sharp"):
        (tmp_path / role).mkdir()
        for index in range(3):
            pixels = np.random.default_rng(index).integers(0, 256, (40, 48, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / role / f"{role}{index}.png")
    data = {"blurry": str(tmp_path / "blurry"), "sharp": str(tmp_path / "sharp"), "crop": 32}

    def adapted(**options):
        plain = {
            "data": data,
            "strategy": {"name": "counting", **options},
            "run": {"device": "cpu", "log_every": 2, "validate_every": 4},
        }
        return adapt(read_settings(plain), tmp_path / "run", discover())

    return adapted


def calls(kind):
    """Return what the recording plugin was called with for one hook, in order."""
    recorder = importlib.import_module("b2b_plugin_recorder")
    return [call[1:] for call in recorder.CALLS if call[0] == kind]


def test_hook_run_started(run, tmp_path):
    """It is called once, first, with the folder that exists and what `config.toml` says."""
    run(fails_at=9)
    ((folder, existed, config),) = calls("started")
    assert (folder, existed) == (tmp_path / "run", True)
    assert importlib.import_module("b2b_plugin_recorder").CALLS[0][0] == "started"
    stored = tomllib.loads((folder / "config.toml").read_text())
    assert config["strategy"] == stored["strategy"] == {"name": "counting", "fails_at": 9}
    assert config["run"]["log_every"] == stored["run"]["log_every"] == 2


def test_hook_step_finished(run):
    """Every second step and the last are told, with losses and validation, as in the log."""
    made = run()
    assert calls("step") == [
        ("counting", 2, {"loss": 1 / 2}),
        ("counting", 4, {"loss": 1 / 4, "psnr": 4.0}),
        ("counting", 5, {"loss": 1 / 5, "psnr": 5.0}),
    ]
    lines = (made.profile.parent / FILE_NAME).read_text().splitlines()
    logged = [e for e in map(json.loads, lines) if e["event"] == "step"]
    assert [entry["step"] for entry in logged] == [step for _, step, _ in calls("step")]


def test_hook_run_finished(run):
    """A run that is done has its profile; the page's example has written its table."""
    folder = run().profile.parent
    assert calls("finished") == [(folder, True, "done")]
    table = (folder / "losses.csv").read_text().splitlines()
    assert table == [
        "stage,step,loss", "counting,2,0.5", "counting,4,0.25", "counting,5,0.2", "# done"
    ]  # fmt: skip


def test_a_run_that_fails_is_told_as_failed(run, tmp_path):
    """The error comes through, the hook is called nevertheless, and no entries are asked for."""
    with pytest.raises(Exception, match="the count is lost"):
        run(fails_at=3)
    assert calls("finished") == [(tmp_path / "run", False, "failed")]
    assert calls("metadata") == []
    assert (tmp_path / "run" / "losses.csv").read_text().endswith("# failed\n")


def test_hook_checkpoint_metadata(run):
    """It is asked once, before the profile is written; its entries are in the header."""
    made = run()
    assert calls("metadata") == [(made.profile.parent, False)]
    assert read_profile_header(made.profile).extra == {"acme.logged": "3"}


@pytest.mark.parametrize("returned", ["[1]", "'text'", "{'a': object()}", "{1: 'a'}", "3"])
def test_a_profile_is_not_lost_over_what_a_plugin_says_of_it(run, install, capsys, returned):
    """What is no mapping of text is left out, with the plugin's name on the log."""
    head = "from b2b_core import hookimpl\n@hookimpl\n"
    install("acme-bad", head + f"def b2b_checkpoint_metadata(): return {returned}")
    assert read_profile_header(run().profile).extra == {"acme.logged": "3"}
    assert "plugin=acme-bad" in capsys.readouterr().err


def test_hook_resolve_weights(install):
    """The file that a plugin names is used; a name that is not its own is nobody's."""
    install("b2b-plugin-acme", behaviour())
    shipped = install.folder / "sharpen.safetensors"
    shipped.write_bytes(b"weights")
    found = resolve_weights("sharpen.acme", discover())
    assert found == shipped
    assert hashlib.sha256(found.read_bytes()).hexdigest() == hashlib.sha256(b"weights").hexdigest()
    with pytest.raises(UsageError, match=r"sharpen\.other"):
        resolve_weights("sharpen.other", discover())


def test_a_hook_gets_only_what_it_asks_for(install):
    """Arguments may be left out, in any order; one with a default is not passed, as the page says.

    So a hook can gain arguments without harm to the plugins that do not know them.
    """
    head = "from b2b_core import hookimpl\n@hookimpl\n"
    install("acme-a", head + "def b2b_run_finished(): return 'none'")
    install("acme-b", head + "def b2b_run_finished(outcome, run_dir): return outcome, run_dir")
    install("acme-c", head + "def b2b_run_finished(outcome='own'): return outcome")
    answers = discover().notify("b2b_run_finished", run_dir="r", outcome="done")
    assert answers == ["none", ("done", "r"), "own"]

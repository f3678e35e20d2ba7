"""One generated plugin of every kind: clean, typed, built, installed, checked by the kit."""

from __future__ import annotations

import importlib
import json
import os
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from b2b_core.catalogue import discover
from b2b_core.cli import run
from b2b_core.scaffold.answers import Answers
from b2b_core.scaffold.kinds import OF_KIND, identifier
from b2b_core.scaffold.write import write_plugin
from b2b_core.specs import HOOK_OF_KIND

KINDS = list(HOOK_OF_KIND)
#: Why three checks of a domain are left out; `test_new_plugin_end_to_end.py` gives it pairs.
NO_DATA = "needs data: no pictures ship with the plugin"


def name_of(kind):
    """Return the name of the sample of a kind."""
    return f"sample-{kind}"


class Made:
    """The trees, their wheels, and where these are installed."""

    def __init__(self, folder: Path) -> None:
        self.trees, self.wheels, self.site = (folder / name for name in ("trees", "dist", "site"))
        self.trees.mkdir()
        for kind in KINDS:
            said = {"licence": "MIT", "author": "Jane Doe <jane@example.org>"}
            write_plugin(Answers(kinds=(kind,), name=name_of(kind), **said), self.trees)
        trees = sorted(self.trees.iterdir())
        self.python("pip", "wheel", "--no-build-isolation", "-w", self.wheels, *trees)
        self.python("pip", "install", "--target", self.site, *sorted(self.wheels.iterdir()))

    def python(self, module, *arguments) -> str:
        """Run a module in a process of its own, beside the installed plugins; it must succeed."""
        quiet = ["-q", "--disable-pip-version-check", "--no-deps", "--no-index"]
        words = [arguments[0], *quiet, *arguments[1:]] if module == "pip" else arguments
        done = subprocess.run(
            [sys.executable, "-m", module, *map(str, words)],
            cwd=self.trees,
            env=os.environ | {"PYTHONPATH": str(self.site), "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def modules(self, kind) -> set[str]:
        """Return the imported modules of a plugin."""
        package = f"b2b_plugin_{identifier(name_of(kind))}"
        return {name for name in sys.modules if name.partition(".")[0] == package}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Generate, build and install a plugin of every kind."""
    return Made(tmp_path_factory.mktemp("made"))


@pytest.fixture
def installed(made, monkeypatch):
    """Put the installed plugins beside the real ones in this process."""
    monkeypatch.delenv("B2B_PLUGINS", raising=False)
    monkeypatch.syspath_prepend(str(made.site))
    yield made
    for kind in KINDS:
        for name in made.modules(kind):
            del sys.modules[name]


def test_ruff_finds_nothing(made):
    """Each tree is linted and formatted by its own settings."""
    made.python("ruff", "check", "--no-cache", ".")
    made.python("ruff", "format", "--check", "--no-cache", ".")


def test_mypy_finds_nothing(made):
    """Packages, recipes and tests are typed strictly, as each tree's settings ask."""
    packages = sorted(made.trees.glob("*/b2b_plugin_*"))
    scripts = [*made.trees.glob("*/recipes/*.py"), *made.trees.glob("*/tests/test_*.py")]
    # one module of a name at a time: the conformance tests are all alike
    once = {path.name: path for path in scripts}
    made.python("mypy", "--strict", "--python-version", "3.11", *packages, *sorted(once.values()))


@pytest.mark.parametrize("kind", KINDS)
def test_a_wheel_holds_what_is_needed_and_no_more(made, kind):
    """The package with its type marker, the licence and the entry point; no tests, no recipes."""
    package = f"b2b_plugin_{identifier(name_of(kind))}"
    with zipfile.ZipFile(made.wheels / f"{package}-0.1.0-py3-none-any.whl") as wheel:
        names = set(wheel.namelist())
        entry = wheel.read(f"{package}-0.1.0.dist-info/entry_points.txt").decode()
    assert {name.split("/")[0] for name in names} == {package, f"{package}-0.1.0.dist-info"}
    assert {f"{package}/py.typed", f"{package}/{identifier(kind)}.py"} <= names
    assert f"{package}-0.1.0.dist-info/licenses/LICENSE" in names
    assert entry.split() == ["[b2b]", name_of(kind), "=", package]


@pytest.mark.usefixtures("installed")
def test_every_plugin_works_and_offers_its_component():
    """The catalogue finds one component in each, and nothing wrong."""
    plugins = {plugin.distribution: plugin for plugin in discover().plugins}
    for kind in KINDS:
        plugin = plugins[f"b2b-plugin-{name_of(kind)}"]
        assert (plugin.state, plugin.version, plugin.licence) == ("unlisted", "0.1.0", "MIT")
        assert dict(plugin.components) == {kind: (name_of(kind),)}


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("kind", KINDS)
def test_the_kit_finds_nothing(kind, capsys):
    """`b2b check-plugin` up to level 2 passes; only data that are not there are not checked."""
    assert run(["check-plugin", name_of(kind), "--level", "2", "--json"]) == 0
    (report,) = json.loads(capsys.readouterr().out)["plugins"]
    statuses = [check["status"] for check in report["checks"]]
    assert set(statuses) <= {"passed", "skipped"}
    assert statuses.count("passed") > 20
    skipped = {check["reason"] for check in report["checks"] if check["status"] == "skipped"}
    assert skipped == ({NO_DATA} if kind == "domain" else set())


def test_the_tests_of_every_plugin_pass(made):
    """Those that come with it, the kit's as a pytest class among them."""
    options = ["-q", "-p", "no:cacheprovider", "--import-mode=importlib", "-c", os.devnull]
    said = made.python("pytest", *options, *sorted(made.trees.glob("*/tests")))
    passed = int(said.strip().splitlines()[-1].split()[0])
    assert passed > 20 * len(KINDS)


#: What makes each command of `OF_KIND` a matter of seconds; the command itself is what users see.
REBLUR = [
    "--set=data.crop=32",
    *(
        f"--set=strategy.{setting}"
        for setting in (
            "mode=task", "camera.spectrum_steps=2", "camera.spectrum_batch=2",
            "camera.crop=24", "camera.kernel=9", "task.steps=2", "task.batch=2",
        )
    ),
]  # fmt: skip
SHORT = {
    "strategy": ["--set=data.crop=32", "--set=strategy.steps=2", "--set=strategy.batch=2"],
    "domain": REBLUR,
    "translator": REBLUR,
    "deblurrer": ["--steps=2", "--set=train.crop=32", "--set=train.batch=2"],
    "discriminator": REBLUR,
    "kernel-extractor": ["--steps=2", "--set=train.crop=32", "--set=train.batch=2"],
    "feature-extractor": [
        "--set=data.crop=32", "--set=strategy.steps=2", "--set=strategy.batch=2",
        "--set=strategy.d_warmup=1", "--set=strategy.known.kernels=2",
    ],
    "metric": [],
    "loss": [],
    "demo": [],
}  # fmt: skip
MADE = {"deblurrer": "deblurrer.safetensors", "kernel-extractor": "extractor.safetensors"}


@pytest.fixture
def pictures(tmp_path):
    """Return folders of pairs, BLURRY and SHARP, in which a picture is a scene."""
    rng = np.random.default_rng(0)
    for number in range(6):
        coarse = rng.integers(0, 256, (18, 18, 3), dtype=np.uint8)
        sharp = Image.fromarray(coarse).resize((104, 104), Image.Resampling.BICUBIC)
        for role, picture in (("sharp", sharp), ("blurry", sharp.filter(ImageFilter.BoxBlur(1)))):
            (tmp_path / role).mkdir(exist_ok=True)
            picture.save(tmp_path / role / f"{number}.png")
    return tmp_path


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("kind", KINDS)
def test_the_command_that_is_proposed_works(kind, pictures, monkeypatch, capsys):
    """What `b2b new-plugin` prints as the next step and the README says, with few steps."""
    monkeypatch.chdir(pictures)
    folders = {"BLURRY": "blurry", "SHARP": "sharp", "DIR": ".", "FILE": "unet.starter"}
    said = shlex.split(OF_KIND[kind].use.replace("NAME", name_of(kind)))
    if kind == "metric":  # the two folders of pairs stand for results and references
        said[said.index("--restored") + 1], said[said.index("--reference") + 1] = "blurry", "sharp"
    if kind == "demo":
        demo = importlib.import_module("b2b_plugin_sample_demo.demo")
        monkeypatch.setattr(demo, "QUICK", 5)
    program, *arguments = [folders.get(word, word) for word in said]
    assert program == "b2b"
    device = [] if kind in ("demo", "loss") else ["--device", "cpu", "--precision", "float32"]
    assert run([*arguments, *device, *SHORT[kind]]) == 0, capsys.readouterr().err
    made = [path.name for path in pictures.rglob("*.safetensors")]
    if kind in ("metric", "loss"):
        assert name_of(kind) in capsys.readouterr().out
    else:
        assert made == [MADE.get(kind, "profile.safetensors")]

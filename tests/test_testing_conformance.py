"""The conformance kit as a base class of pytest, in pytest processes of its own; and its whole."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

import b2b_core.testing.checks
from b2b_core.errors import UsageError
from b2b_core.testing import isolated_catalogue
from b2b_core.testing.check import Check
from b2b_core.testing.checks import COMPONENT_CHECKS, PLUGIN_CHECKS, WEIGHTS_CHECKS

HERE = Path(__file__).parent
SOURCE = """
from attrs import frozen
from b2b_core import hookimpl
from b2b_core.specs import DeblurrerSpec

@frozen
class Config:
    width: int = 3

def build(config):
    from b2b_core.testing.toys import Deblurrer
    from torch import nn

    class Product(Deblurrer):
        def __init__(self):
            super().__init__()
            SPARE

    return Product()

@hookimpl
def b2b_deblurrers():
    return [DeblurrerSpec(name="acme", config=Config, factory=build, summary="s",
                          expected_failures=EXPECTED)]
"""
THREE_LINES = """
from b2b_core.testing import PluginConformance

class TestPlugin(PluginConformance):
    distribution = "acme-net"
"""
REASON = {"gradients": "kept for published weights"}


@pytest.fixture
def package(install):
    """Give a function that installs a deblurrer, with an unused layer or expected failures."""

    def make(*, spare="pass", expected=None, typed=True):
        source = SOURCE.replace("SPARE", spare).replace("EXPECTED", repr(expected or {}))
        install("acme-net", source)
        folder = install.folder / "acme_net"
        folder.mkdir()
        (install.folder / "acme_net.py").rename(folder / "__init__.py")
        if typed:
            (folder / "py.typed").touch()
        return install.folder

    return make


UNUSED = "self.spare = nn.Linear(2, 2)"


def run_pytest(site, tmp_path, *arguments, text=THREE_LINES):
    """Run pytest on a file with `text`; return the exit code and the output."""
    file = tmp_path / "test_of_the_plugin.py"
    file.write_text(text)
    environment = {"PYTHONPATH": str(site), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-c", os.devnull, "--rootdir", str(tmp_path),
         "-p", "no:cacheprovider", *arguments, str(file)],
        env=os.environ | environment, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_three_lines_make_an_item_of_each_check(package, tmp_path):
    """A good plugin passes; every check of every component has a readable id."""
    code, output = run_pytest(package(), tmp_path, "-v")
    assert code == 0, output
    for name in ("plugin-py-typed", "deblurrer-acme-builds", "deblurrer-acme-deterministic"):
        assert f"TestPlugin::test_conforms[{name}] PASSED" in output
    asked = [c for c in COMPONENT_CHECKS if c.name != "layouts-read-own"]  # it has none
    expected = len(PLUGIN_CHECKS) + sum("deblurrer" in c.kinds or not c.kinds for c in asked)
    assert f"{expected} passed" in output


def test_a_failure_says_how_to_mend_it(package, tmp_path):
    """The report has no traceback of the kit, but what, where and the mend."""
    code, output = run_pytest(package(spare=UNUSED), tmp_path, "-q")
    assert code == 1
    assert "FAILED test_of_the_plugin.py::TestPlugin::test_conforms[deblurrer-acme-grad" in output
    assert "deblurrer acme: 2 of 4 parameters get no gradient" in output
    assert "freeze it with requires_grad_(False)" in output
    assert "conformance.py" not in output
    assert "1 failed" in output


def test_an_expected_failure_is_a_strict_xfail(package, tmp_path):
    """It is reported as xfailed with its reason; once it passes, it is a failure."""
    code, output = run_pytest(package(spare=UNUSED, expected=REASON), tmp_path, "-q", "-rx")
    assert code == 0, output
    assert "1 xfailed" in output
    assert REASON["gradients"] in output


def test_an_unexpected_pass_fails(package, tmp_path):
    """What is declared to fail and passes has to be removed from the spec."""
    code, output = run_pytest(package(expected=REASON), tmp_path, "-q")
    assert code == 1
    assert "[XPASS(strict)] kept for published weights" in output


LEVELS = """
from b2b_core.testing import PluginConformance

class TestPlugin(PluginConformance):
    distribution = "acme-net"
    levels = (0,)

    def test_alone(self, isolated_catalogue):
        working = [p.distribution for p in isolated_catalogue.plugins if p.works]
        assert working == ["acme-net"]
        assert [spec.name for spec in isolated_catalogue.specs("deblurrer")] == ["acme"]
"""


def test_levels_and_tests_of_ones_own(package, tmp_path):
    """A class chooses levels; its own tests get the plugin's catalogue alone."""
    code, output = run_pytest(package(typed=False), tmp_path, "-v", text=LEVELS)
    assert code == 1
    assert "test_alone PASSED" in output
    assert "[plugin-py-typed] FAILED" in output
    assert "[deblurrer-acme-size-rule] PASSED" in output
    assert "-builds]" not in output


def test_nothing_to_check_is_an_error(package, tmp_path):
    """A class that would check nothing must not look like one that passes."""
    text = f'{THREE_LINES}    kind = "loss"\n    levels = (1,)\n'
    code, output = run_pytest(package(), tmp_path, "-q", text=text)
    assert code != 0
    assert "acme-net has nothing to check here" in output


def test_what_is_not_installed_is_named(package, tmp_path):
    """A misspelt distribution is an error of the collection, with the closest name."""
    text = THREE_LINES.replace("acme-net", "acme-nett")
    code, output = run_pytest(package(), tmp_path, "-q", text=text)
    assert code != 0
    assert "there is no plugin 'acme-nett'; did you mean 'acme-net'?" in output


def test_without_pytest_the_base_class_says_so():
    """The kit itself needs no pytest; the class that does names what to install."""
    code = (
        "import sys; sys.modules['pytest'] = None\n"
        "import b2b_core.testing\n"
        "try:\n    from b2b_core.testing import PluginConformance\n"
        "except ImportError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "PluginConformance needs pytest: pip install pytest" in done.stdout


def test_the_kit_has_no_other_names():
    """A misspelt name is an ordinary error."""
    with pytest.raises(AttributeError, match="PluginConformity"):
        b2b_core.testing.PluginConformity  # noqa: B018 - the access is what is tested


def test_an_isolated_catalogue_refuses_what_is_not_installed():
    """With the closest name."""
    with pytest.raises(UsageError, match="did you mean 'unet'"):
        isolated_catalogue("unett")


def test_every_check_is_listed_once():
    """What a module of checks defines is in the list, under a name of its own."""
    everything = [*PLUGIN_CHECKS, *COMPONENT_CHECKS, *WEIGHTS_CHECKS]
    names = [check.name for check in everything]
    assert len(set(names)) == len(names)
    defined = {
        id(value)
        for module in vars(b2b_core.testing.checks).values()
        if getattr(module, "__name__", "").startswith("b2b_core.testing.checks.")
        for value in vars(module).values()
        if isinstance(value, Check)
    }
    assert defined == {id(check) for check in everything}
    assert all(check.mend and check.says for check in everything)


def test_every_check_has_a_test_that_breaks_it():
    """Each test module of the kit lists in BREAKS the checks that it breaks."""
    broken: set[str] = set()
    parts = ("static", "build", "layouts", "networks", "extractors", "components", "strategies")
    for part in (*parts, "weights"):
        spec = importlib.util.spec_from_file_location(part, HERE / f"test_testing_{part}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        broken |= module.BREAKS
    names = {check.name for check in (*PLUGIN_CHECKS, *COMPONENT_CHECKS, *WEIGHTS_CHECKS)}
    assert broken == names

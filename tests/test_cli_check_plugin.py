"""`b2b check-plugin`: tables, JSON, exit codes."""

from __future__ import annotations

import json
import re

import pytest

from b2b_core import __version__
from b2b_core.cli import run
from b2b_core.testing import KIT, check_plugin
from b2b_core.testing.checks import COMPONENT_CHECKS, PLUGIN_CHECKS

LOSS = """
from attrs import frozen
from b2b_core import hookimpl
from b2b_core.specs import LossSpec

@frozen
class Config:
    weight: float = 1.0

def build(config):
    print("building")
    return lambda tensors: {"acme": (tensors["output"] - tensors["target"]).square().mean()}

@hookimpl
def b2b_losses():
    return [LossSpec(name="acme", config=Config, factory=build, summary="a loss",
                     needs=("output", "target"), EXTRA)]
"""


@pytest.fixture
def package(install):
    """Give a function that installs a package with a loss."""

    def make(name="acme-loss", extra="", *, typed=True):
        install(name, LOSS.replace("EXTRA", extra))
        folder = install.folder / name.replace("-", "_")
        folder.mkdir()
        (install.folder / f"{folder.name}.py").rename(folder / "__init__.py")
        if typed:
            (folder / "py.typed").touch()
        return install.folder

    return make


def test_a_good_plugin_gives_a_table_and_exit_code_0(package, capsys):
    """One row for the distribution, one for each component, and a line that sums up."""
    package()
    assert run(["check-plugin", "acme-loss"]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0].split() == [
        "plugin", "component", "passed", "failed", "expected", "skipped", "seconds",
    ]  # fmt: skip
    assert re.fullmatch(r"acme-loss  plugin     11 +0 +0 +0 +\d+\.\d", lines[1])
    assert re.fullmatch(r"acme-loss  loss acme  \d+ +0 +0 +0 +\d+\.\d", lines[2])
    assert re.fullmatch(r"1 plugin, \d+ checks: \d+ passed; \d+\.\d s", lines[3])
    assert "building" not in out + err
    assert "checking" in err


def test_failures_are_lines_with_their_mend_and_exit_code_1(package, capsys):
    """A line says plugin, component, check, what, where and the mend."""
    package(extra="role='odd'", typed=False)
    assert run(["check-plugin", "acme-loss", "--level", "0"]) == 1
    out = capsys.readouterr().out
    assert (
        "failed: acme-loss, plugin, py-typed: the package 'acme_loss' has no file py.typed" in out
    )
    assert (
        "failed: acme-loss, loss acme, loss-role: the role 'odd' is none that strategies know "
        "(role); choose from adversarial" in out
    )
    assert out.splitlines()[-1].startswith("1 plugin, 18 checks: 16 passed, 2 failed")


def test_an_expected_failure_is_said_and_accepted(package, capsys):
    """It is counted apart, with its reason; an unexpected pass fails."""
    package(extra="role='odd', expected_failures={'loss-role': 'a role of my own'}")
    assert run(["check-plugin", "acme-loss", "--level", "0"]) == 0
    out = capsys.readouterr().out
    assert "expected-failure: acme-loss, loss acme: a role of my own [loss-role]" in out
    package("acme-other", extra="expected_failures={'loss-role': 'a role of my own'}")
    assert run(["check-plugin", "acme-other", "--level", "0"]) == 1
    assert "unexpected-pass: acme-other, loss acme, loss-role" in capsys.readouterr().out


def test_json_has_a_schema(package, capsys):
    """The keys of the document are fixed; one row per check."""
    package(extra="role='odd'")
    assert run(["check-plugin", "acme-loss", "--level", "0", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    (plugin,) = document.pop("plugins")
    counts = {
        "passed": 17, "failed": 1, "expected-failure": 0, "unexpected-pass": 0, "skipped": 0,
    }  # fmt: skip
    assert document == {
        "schema": 1, "kit": KIT, "core": __version__, "level": 0, "passed": False,
        "counts": counts,
    }  # fmt: skip
    checks = plugin.pop("checks")
    assert plugin == {"name": "acme-loss", "version": "1.0", "passed": False}
    assert len(checks) == 18
    (row,) = (dict(check) for check in checks if check["status"] == "failed")
    assert row.pop("seconds") >= 0
    assert row == {
        "check": "loss-role",
        "level": 0,
        "kind": "loss",
        "name": "acme",
        "status": "failed",
        "what": "the role 'odd' is none that strategies know",
        "where": "role",
        "mend": "choose from adversarial, reconstruction, penalty, fidelity",
        "reason": "",
    }
    assert all(check.keys() == checks[0].keys() for check in checks)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["acme-los"], "there is no plugin 'acme-los'; did you mean 'acme-loss'?"),
        ([], "say which plugins to check; b2b check-plugin NAME, or --all"),
        (["acme-loss", "--all"], "say which plugins to check"),
        (["acme-loss", "--level", "4"], "--level"),
        (["acme-loss", "--kind", "los"], "did you mean 'loss'"),
    ],
)
def test_wrong_use_is_exit_code_2(package, capsys, arguments, said):
    """A plugin that is not installed is answered with the closest name, before any check."""
    package()
    assert run(["check-plugin", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err


def test_all_leaves_out_what_is_switched_off(package, capsys, monkeypatch):
    """`--all` obeys the switches; a plugin that is named is checked all the same."""
    package()
    package("acme-other")
    monkeypatch.setenv("B2B_PLUGINS", "acme-loss,acme-other")
    command = ["-p", "no:acme-other", "check-plugin", "--level", "0", "--json"]
    assert run([*command, "--all"]) == 0
    named = [plugin["name"] for plugin in json.loads(capsys.readouterr().out)["plugins"]]
    assert named == ["acme-loss"]
    assert run([*command, "acme-other", "acme-loss", "acme-other"]) == 0
    named = [plugin["name"] for plugin in json.loads(capsys.readouterr().out)["plugins"]]
    assert named == ["acme-other", "acme-loss"]


def test_a_kind_limits_the_components(package):
    """Checks of the distribution are made whatever the kind is."""
    package()
    report = check_plugin("acme-loss", (0, 1), kind="metric")
    assert {result.kind for result in report.results} == {"plugin"}
    assert {r.kind for r in check_plugin("acme-loss", (0, 1), kind="loss").results} == {
        "plugin",
        "loss",
    }


def test_a_broken_plugin_is_reported_not_raised(install, capsys):
    """A plugin that kills the process that imports it fails one check, and the command goes on."""
    install("acme-bad", "import os; os._exit(5)")
    assert run(["check-plugin", "acme-bad"]) == 1
    out = capsys.readouterr().out
    assert "failed: acme-bad, plugin, import-ends: the process ended with exit code 5" in out


def test_the_checks_can_be_listed(capsys):
    """All names that `expected_failures` may have, with what they mean."""
    assert run(["check-plugin", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    listed = {line.split()[1] for line in lines[1:]}
    assert {check.name for check in (*PLUGIN_CHECKS, *COMPONENT_CHECKS)} <= listed
    assert run(["check-plugin", "--list", "--kind", "metric"]) == 0
    out = capsys.readouterr().out
    assert "direction" in out
    assert "loss-role" not in out

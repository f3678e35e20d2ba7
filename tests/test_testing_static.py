"""Level 0 of the conformance kit: each check is failed by a plugin that breaks just that."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from attrs import define, evolve, field, frozen

from b2b_core.catalogue.metadata import installed
from b2b_core.specs import (
    DeblurrerSpec,
    DiscriminatorSpec,
    DomainSpec,
    LossSpec,
    MetricSpec,
    SizeRule,
    StrategySpec,
    TranslatorSpec,
)
from b2b_core.testing.cases import ComponentCase, PluginCase, found_named
from b2b_core.testing.run import component_items, items, results

GOOD = """
from attrs import frozen
from b2b_core import hookimpl
from b2b_core.specs import LossSpec

@frozen
class Config:
    weight: float = 1.0

def build(config):
    import torch
    return lambda tensors: {"acme": (tensors["output"] - tensors["target"]).square().mean()}

@hookimpl
def b2b_losses():
    return [LossSpec(name="acme", config=Config, factory=build, summary="a loss",
                     needs=("output", "target"))]
"""


@pytest.fixture
def package(install):
    """Give a function that installs a package, not a module, with or without `py.typed`."""

    def make(source=GOOD, *, name="acme-loss", typed=True, **metadata):
        install(name, source, **metadata)
        module = name.replace("-", "_").lower()
        folder = install.folder / module
        folder.mkdir()
        (install.folder / f"{module}.py").rename(folder / "__init__.py")
        if typed:
            (folder / "py.typed").touch()
        return PluginCase(next(found for found in installed() if found.name == name))

    return make


def failed(made):
    """Return the results that have to be mended, by check."""
    return {result.check: result for result in made if result.bad}


def test_a_good_plugin_passes_everything(package):
    """Levels 0 to 2 have nothing to say against a plugin that keeps all promises."""
    made = list(results(items(package(), (0, 1, 2, 3))))
    assert {result.status for result in made} == {"passed"}
    assert {"py-typed", "summary-line", "builds", "loss-terms"} <= {r.check for r in made}


METADATA = {
    "distribution-name": ({"version": "one"}, "'one' is no version", "[project]"),
    "distribution-licence": ({"licence": "License: mine"}, "'mine' is no SPDX", "Apache-2.0"),
    "core-range": ({"requires": ("b2b-core>=0.1",)}, "no upper bound", "b2b-core>=0.1,<0.2"),
    "py-typed": ({"typed": False}, "no file py.typed", "add an empty file py.typed"),
}


@pytest.mark.parametrize("check", METADATA)
def test_metadata_are_checked(package, check):
    """One thing that is wrong in the metadata fails one check, with its mend."""
    wrong, what, mend = METADATA[check]
    found = failed(results(items(package(**wrong))))
    assert list(found) == [check]
    assert what in found[check].what
    assert mend in found[check].mend
    assert found[check].where


@pytest.mark.parametrize(
    ("lines", "what", "mend"),
    [
        ((), "does not require b2b-core", "<0.2"),
        (("b2b-core>=x.y",), "is no requirement", "<0.2"),
        (("b2b-core>=9,<10",), "does not admit", "install a fitting core"),
    ],
)
def test_the_range_of_the_core_is_checked(package, lines, what, mend):
    """It has to be there, to be readable, and to admit the core that is installed."""
    case = package(requires=lines)
    (result,) = (r for r in results(items(case, (0,))) if r.check == "core-range")
    assert result.status == "failed"
    assert what in result.what
    assert mend in result.mend


@pytest.mark.parametrize("line", ["b2b-core~=0.1.0", "b2b-core==0.1.*", "b2b-core>=0.1,<1"])
def test_a_bounded_range_passes(package, line):
    """Every way to write an upper bound counts."""
    assert not failed(results(items(package(requires=(line,)), (0,))))


def test_a_single_module_cannot_be_typed(install):
    """PEP 561 needs a package; the mend says how to make one."""
    install("acme-loss", GOOD)
    found = failed(results(items(PluginCase(found_named("acme-loss")), (0,))))
    assert list(found) == ["py-typed"]
    assert "acme_loss/__init__.py beside acme_loss/py.typed" in found["py-typed"].mend


IMPORTS = {
    "entry-points-resolve": ("import a_missing_module\n" + GOOD, "a_missing_module", "dependenc"),
    "light-import": ("import numpy\n" + GOOD, "imports numpy", "body of the factory"),
    "silent-import": ("print('hello')\n" + GOOD, "writes 'hello'", "remove the output"),
    "offline-import": (
        "import socket\ntry:\n    socket.create_connection(('127.0.0.1', 9))\n"
        "except OSError:\n    pass\n" + GOOD,
        "reaches for the network",
        "never where it is imported",
    ),
    "import-ends": ("import os\nos._exit(3)\n" + GOOD, "exit code 3", "nothing at module level"),
    "hooks-return-specs": (
        GOOD.replace("return [LossSpec", "return 3, [LossSpec"),
        "returned int",
        "a list of specs",
    ),
}


@pytest.mark.parametrize("check", IMPORTS)
def test_imports_are_watched(package, check):
    """One thing that an import must not do fails one check, with its mend; nothing else does."""
    source, what, mend = IMPORTS[check]
    found = failed(results(items(package(source), (0,))))
    assert list(found) == [check]
    assert what in found[check].what
    assert mend in found[check].mend or check == "hooks-return-specs"
    assert "acme_loss" in found[check].where
    assert found[check].mend


def test_a_heavy_import_in_a_hook_is_found_with_its_line(package):
    """A listing calls the hooks, so what they import counts, and the line is named."""
    source = GOOD.replace("    return [LossSpec", "    import torch\n    return [LossSpec")
    found = failed(results(items(package(source), (0,))))
    assert list(found) == ["light-import"]
    line = 1 + source.splitlines().index("    import torch", 15)
    assert found["light-import"].where.endswith(f"acme_loss/__init__.py:{line}")


def test_an_import_that_hangs_is_given_up(package):
    """The process is ended after the time limit; the checks that need it say so."""
    package("import time\ntime.sleep(60)\n" + GOOD)
    case = PluginCase(found_named("acme-loss"), seconds=1)
    made = list(results(items(case, (0, 1))))
    assert list(failed(made)) == ["import-ends"]
    assert "still running after 1 seconds" in failed(made)["import-ends"].what
    skipped = {result.check for result in made if result.status == "skipped"}
    assert {"light-import", "hook-signatures", "hooks-return-specs"} <= skipped
    assert "acme_loss" not in sys.modules


def test_a_plugin_that_exits_quietly_is_no_good_one(package):
    """An exit with code 0 in the middle of the import is noticed too."""
    found = failed(results(items(package("raise SystemExit(0)\n"), (0,))))
    assert "ended while 'acme_loss'" in found["import-ends"].what


HOOKS = {
    "def b2b_losses(config):": ("takes 'config'; it is given nothing", "hookspecs"),
    "def b2b_loses():": ("no hook 'b2b_loses'", "did you mean 'b2b_losses'"),
}


@pytest.mark.parametrize("line", HOOKS)
def test_hook_signatures_are_checked(package, line):
    """A hook that b2b does not have, or with other arguments, is named with its line."""
    what, mend = HOOKS[line]
    found = failed(results(items(package(GOOD.replace("def b2b_losses():", line)), (0,))))
    assert what in found["hook-signatures"].what
    assert mend in found["hook-signatures"].mend
    assert "__init__.py:" in found["hook-signatures"].where
    assert set(found) == {"hook-signatures", "hooks-return-specs"}


def test_a_wrapper_is_found(package):
    """Hooks that wrap others are not called, so they would do nothing."""
    source = GOOD.replace("@hookimpl", "@hookimpl(wrapper=True)")
    found = failed(results(items(package(source.replace("return [", "yield [")), (0,))))
    assert "is a wrapper" in found["hook-signatures"].what


def test_a_name_that_no_index_takes_is_found(package):
    """The distribution's name is checked as well as its version."""
    found = failed(results(items(package(name="acme!loss"), (0,))))
    assert list(found) == ["distribution-name"]
    assert "'acme!loss' is no name" in found["distribution-name"].what


def test_an_empty_group_of_entry_points_is_found(package):
    """A section [b2b] without entries offers nothing; the mend is the line to write."""
    package()
    points = next(path for path in map(Path, sys.path) if (path / "acme_loss").is_dir())
    (points / "acme_loss-1.0.dist-info" / "entry_points.txt").write_text("[b2b]\n")
    found = failed(results(items(PluginCase(found_named("acme-loss")), (0,))))
    assert list(found) == ["entry-points-resolve"]
    assert "is empty" in found["entry-points-resolve"].what
    assert 'name = "package"' in found["entry-points-resolve"].mend


def test_an_unmarked_hook_is_found(package):
    """A function named like a hook and not marked would never be called."""
    source = GOOD + "\ndef b2b_run_finished(run_dir, outcome):\n    pass\n"
    found = failed(results(items(package(source), (0,))))
    assert "not marked" in found["hook-signatures"].what


# specs, made here: importing is no matter any more


@frozen
class Config:
    """Options of the specs below."""

    width: int = 8


@define
class Changeable:
    width: int = 8


@frozen
class Demanding:
    width: int


@frozen
class Refusing:
    width: int = field(default=8)

    @width.validator
    def _no(self, _attribute, _value):
        raise ValueError("never")


COMMON = {"name": "acme", "config": Config, "factory": object, "summary": "a thing"}
LOSS = LossSpec(**COMMON, needs=("output",))
TRANSLATOR = TranslatorSpec(**COMMON)
DOMAIN = DomainSpec(**COMMON, layout="DIR/NAME")
STRATEGY = StrategySpec(**COMMON, needs=("translator",), presets={"small": {"width": 2}})
METRIC = MetricSpec(**COMMON, protocol="rgb", higher_is_better=True)

SPECS = [
    ("component-name", LOSS, {"name": "a:b"}, "'a:b'", "hyphens"),
    ("component-licence", LOSS, {"licence": "mine"}, "SPDX", "Apache-2.0"),
    ("summary-line", LOSS, {"summary": "two\nlines"}, "not one line", "one line"),
    ("config-class", LOSS, {"config": dict}, "no attrs class", "@attrs.frozen"),
    ("config-class", LOSS, {"config": Changeable}, "not frozen", "@attrs.frozen"),
    ("config-class", LOSS, {"config": Demanding}, "'width' has no default", "default"),
    ("config-class", LOSS, {"config": Refusing}, "never", "default"),
    ("expected-failures", LOSS, {"expected_failures": {"bulids": "x"}}, "'bulids'", "'builds'"),
    ("expected-failures", LOSS, {"expected_failures": {"scales": "x"}}, "of a loss", "known"),
    ("expected-failures", LOSS, {"expected_failures": {"builds": " "}}, "no reason", "give one"),
    (
        "expected-failures",
        LOSS,
        {"expected_failures": {"expected-failures": "x"}},
        "this check itself",
        "remove the name",
    ),
    ("scales", TRANSLATOR, {"scales": (1.0, 0.5)}, "(1.0, 0.5)", "coarse to fine"),
    ("scales", DiscriminatorSpec(**COMMON), {"scales": ()}, "()", "coarse to fine"),
    ("size-rule", TRANSLATOR, {"size": SizeRule(0)}, "multiple_of is 0", "multiple_of=8"),
    ("size-rule", DeblurrerSpec(**COMMON), {"size": SizeRule(1, 2.5)}, "2.5", "whole numbers"),
    ("loss-role", LOSS, {"role": "strange"}, "'strange'", "adversarial, reconstruction"),
    ("loss-needs", LOSS, {"needs": ()}, "()", "needs=("),
    ("loss-needs", LOSS, {"needs": ("a b",)}, "'a b'", "needs=("),
    ("metric-protocol", METRIC, {"protocol": " "}, "no protocol", "rgb-uint8"),
    ("domain-facts", DOMAIN, {"layout": ""}, "how its files", "layout="),
    ("domain-facts", DOMAIN, {"counts": {"val": 3}}, "'val'", "'test'"),
    ("domain-facts", DOMAIN, {"deblurrer": "unet"}, "'unet'", "unet.acme"),
    ("strategy-needs", STRATEGY, {"needs": ("translater",)}, "translater", "'translator'"),
    ("strategy-needs", STRATEGY, {"defaults": {"loss": "x"}}, "does not need", "add 'loss'"),
    ("strategy-needs", STRATEGY, {"margin": -1}, "-1", "pixels"),
    ("strategy-presets", STRATEGY, {"presets": {"p": {"widht": 2}}}, "'p'", "'width'"),
]
BREAKS = {*METADATA, *IMPORTS, "hook-signatures", *(check for check, *_ in SPECS)}


@pytest.mark.parametrize("spec", [LOSS, TRANSLATOR, DOMAIN, STRATEGY, METRIC], ids=repr)
def test_good_specs_pass(spec):
    """The specs that are broken below are all right before."""
    assert not failed(results(component_items(ComponentCase(spec, "acme"), (0,))))


@pytest.mark.parametrize(("check", "spec", "wrong", "what", "mend"), SPECS)
def test_specs_are_checked(check, spec, wrong, what, mend):
    """One wrong fact in a spec fails one check, which says where and how to mend it."""
    broken = evolve(spec, **wrong)
    found = failed(results(component_items(ComponentCase(broken, "acme"), (0,))))
    assert list(found) == [check]
    assert what in found[check].what
    assert mend in found[check].mend
    assert found[check].where


def test_static_checks_import_no_torch(package):
    """Level 0 stays light, also in the process that makes the checks."""
    import subprocess

    package()
    code = (
        f"import sys; sys.path[:0] = {[p for p in sys.path if 'site' in p][:1]!r}\n"
        "from b2b_core.testing import check_plugin\n"
        "report = check_plugin('acme-loss', (0,))\n"
        "assert report.passed, report\n"
        "assert not {'torch', 'kornia', 'numpy', 'rich'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

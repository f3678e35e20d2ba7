"""The guide for contributors: its example is a plugin that works, its table is the hooks."""

from __future__ import annotations

import inspect
import re
import tomllib
from pathlib import Path

import pytest
import torch

from b2b_core import hookspecs
from b2b_core.catalogue import discover
from b2b_core.contracts import Translator

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text()
FILES = dict(re.findall(r"^`([\w/.]+)`\n\n```\w+\n(.*?)```", GUIDE, re.DOTALL | re.MULTILINE))


@pytest.fixture
def tiny(install, monkeypatch):
    """Install the guide's plugin from the text of its code blocks."""
    name = tomllib.loads(FILES["pyproject.toml"])["project"]["name"]
    install(name, "")
    (install.folder / "b2b_plugin_tiny.py").unlink()
    (install.folder / "b2b_plugin_tiny").mkdir()
    for path in ("b2b_plugin_tiny/__init__.py", "b2b_plugin_tiny/network.py"):
        (install.folder / path).write_text(FILES[path])
    yield name
    for module in ("b2b_plugin_tiny.network", "b2b_plugin_tiny"):
        monkeypatch.delitem("sys.modules", module, raising=False)


def test_the_example_is_found_built_and_run(tiny):
    """The translator of the guide is a translator, takes its options and starts as the identity."""
    catalogue = discover()
    assert catalogue.owner("translator", "tiny").distribution == tiny
    network = catalogue.build("translator", "tiny", {"width": 4})
    assert isinstance(network, Translator)
    image = torch.rand(2, 3, 5, 7)
    (level,) = network(image)
    assert torch.equal(level, image)


def test_the_example_declares_what_the_core_reads():
    """Entry point, bounded range of the core and licence are in its `pyproject.toml`."""
    project = tomllib.loads(FILES["pyproject.toml"])["project"]
    assert project["entry-points"]["b2b"] == {"tiny": "b2b_plugin_tiny"}
    assert "b2b-core>=0.1,<0.2" in project["dependencies"]
    assert project["license"] == "Apache-2.0"


def test_every_hook_is_in_the_guide_with_its_signature():
    """Hooks and guide cannot drift apart."""
    hooks = {
        name: f"`{name}({', '.join(inspect.signature(hook).parameters)})`"
        for name, hook in inspect.getmembers(hookspecs, inspect.isfunction)
        if name.startswith("b2b_")
    }
    assert set(re.findall(r"^\| (`b2b_\w+\([\w, ]*\)`)", GUIDE, re.MULTILINE)) == set(
        hooks.values()
    )


def test_the_constraints_cover_every_dependency():
    """What a project of this tree needs has an exact version in `constraints.txt`."""
    pinned = {
        line.partition("==")[0]
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if "==" in line
    }
    for file in [ROOT / "pyproject.toml", *ROOT.glob("plugins/*/pyproject.toml")]:
        data = tomllib.loads(file.read_text())
        project = data["project"]
        needed = [*project["dependencies"], *data["build-system"]["requires"]]
        for extra in project.get("optional-dependencies", {}).values():
            needed += extra
        names = {re.match(r"[\w.-]+", line).group().lower() for line in needed}
        assert {n for n in names if not n.startswith("b2b-")} <= pinned, file

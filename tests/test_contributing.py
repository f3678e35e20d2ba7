"""The guides for contributors and authors: the example is a plugin that works, no link is dead."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import torch

from b2b_core.adaptation.settings import read_settings
from b2b_core.catalogue import discover
from b2b_core.config import apply_overrides
from b2b_core.contracts import Translator

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "plugins" / "README.md").read_text()
PAGES = [
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md")))
]
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


@pytest.mark.usefixtures("tiny")
def test_the_command_that_uses_the_example_sets_its_option():
    """What the guide gives to `--set` reaches the translator's config."""
    (said,) = re.findall(r"b2b adapt .* --translator tiny --set (\S+)", GUIDE)
    plain = {"data": {"blurry": "BLURRY", "sharp": "SHARP"}, "translator": {"name": "tiny"}}
    choice = read_settings(apply_overrides(plain, [said])).translator
    network = discover().build("translator", choice.name, choice.options)
    assert network.first.out_channels == 32


def test_the_example_declares_what_the_core_reads():
    """Entry point, bounded range of the core and licence are in its `pyproject.toml`."""
    project = tomllib.loads(FILES["pyproject.toml"])["project"]
    assert project["entry-points"]["b2b"] == {"tiny": "b2b_plugin_tiny"}
    assert "b2b-core>=0.1,<0.2" in project["dependencies"]
    assert project["license"] == "Apache-2.0"


def without_code(page):
    """Return a page without its blocks of code."""
    return re.sub(r"^ *```.*?^ *```", "", (ROOT / page).read_text(), flags=re.DOTALL | re.MULTILINE)


def anchors(page):
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", without_code(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_page_leads_somewhere(page):
    """The file is there, and the heading."""
    for target in re.findall(r"\]\(([^)\s]+)\)", without_code(page)):
        if target.startswith(("http:", "https:", "mailto:")):
            continue
        file, _, anchor = target.partition("#")
        path = (ROOT / page).parent / file if file else ROOT / page
        assert path.exists(), target
        if anchor:
            assert anchor in anchors(path.resolve().relative_to(ROOT)), target


def test_contributing_leads_to_every_page_for_authors():
    """None is found by chance only."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    for page in ROOT.glob("docs/plugins/*.md"):
        assert f"(docs/plugins/{page.name})" in text, page.name


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

"""Plugins made for one test: real distributions in a temporary folder on `sys.path`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

#: Tests that take minutes. They begin: at the end one process would wait for the other.
LONG = {"test_testing_own_plugins.py"}

LOSS = """
from attrs import frozen
from b2b_core import hookimpl
from b2b_core.specs import LossSpec

@frozen
class Config:
    weight: float = 1.0

class Product:
    def __init__(self, config):
        self.config = config

@hookimpl
def b2b_losses():
    return [LossSpec(name="{name}", config=Config, factory=Product, summary="a loss")]
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put long tests first; the others keep their order."""
    items.sort(key=lambda item: item.path.name not in LONG)


class Installer:
    """Writes the dist-info and the module of a plugin, as an installation would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: list[str] = []

    def __call__(
        self,
        name: str,
        source: str | None = None,
        *,
        version: str = "1.0",
        requires: tuple[str, ...] = ("b2b-core<0.2,>=0.1",),
        direct_url: dict[str, object] | None = None,
        licence: str = "License-Expression: MIT",
        group: str = "b2b",
        offers: str = "thing",
    ) -> str:
        """Install a plugin; without `source` it offers a working loss named `offers`."""
        module = name.replace("-", "_").lower()
        info = self.folder / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        lines = ["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", licence]
        lines += [f"Requires-Dist: {line}" for line in requires]
        (info / "METADATA").write_text("\n".join(filter(None, lines)) + "\n\nA plugin.\n")
        (info / "entry_points.txt").write_text(f"[{group}]\nhooks = {module}\n")
        if direct_url is not None:
            (info / "direct_url.json").write_text(json.dumps(direct_url))
        text = LOSS.format(name=offers) if source is None else source
        (self.folder / f"{module}.py").write_text(text)
        self.names.append(name)
        return name

    def modules(self) -> set[str]:
        """Return the modules of these plugins that are imported."""
        return {name for name in self._modules() if name in sys.modules}

    def _modules(self) -> set[str]:
        return {name.replace("-", "_").lower() for name in self.names}

    def forget(self) -> None:
        """Drop the modules, so that the next test imports its own."""
        for name in self._modules():
            sys.modules.pop(name, None)


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Give an `Installer` whose plugins `discover` finds beside the real ones."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.delenv("B2B_PLUGINS", raising=False)
    monkeypatch.syspath_prepend(str(folder))
    installer = Installer(folder)
    yield installer
    installer.forget()


@pytest.fixture(autouse=True)
def own_preferences(tmp_path_factory, monkeypatch):
    """Keep the preferences of whoever runs the tests out of them."""
    monkeypatch.setenv("B2B_CONFIG", str(tmp_path_factory.getbasetemp() / "no-preferences"))

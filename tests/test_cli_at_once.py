"""The listing that goes without click says what the one with click says."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from b2b_core.cli import run


@pytest.mark.parametrize("preferences", ["", '[plugins]\ndisable = ["unet"]\n'])
def test_both_ways_give_one_listing(install, tmp_path, monkeypatch, capsys, preferences):
    """Broken plugins, preferences and all; a repeated flag goes through click."""
    install("acme-bad", "import absent_module")
    monkeypatch.setenv("B2B_CONFIG", str(tmp_path))
    (tmp_path / "b2b.toml").write_text(preferences)
    assert run(["list-plugins", "--json"]) == 0
    at_once = capsys.readouterr().out
    assert run(["list-plugins", "--json", "--json"]) == 0
    assert capsys.readouterr().out == at_once
    states = {p["name"]: p["state"] for p in json.loads(at_once)["plugins"]}
    assert states["acme-bad"] == "broken"
    assert states["b2b-plugin-unet"] == ("disabled" if preferences else "ok")


def test_errors_are_one_line_without_click_too(tmp_path, monkeypatch, capsys):
    """Exit code 2 and the file's name."""
    monkeypatch.setenv("B2B_CONFIG", str(tmp_path))
    (tmp_path / "b2b.toml").write_text("[plugins")
    assert run(["list-plugins", "--json"]) == 2
    error = capsys.readouterr().err
    assert "b2b.toml" in error
    assert error.count("\n") == 1


def test_the_plain_listing_imports_nothing_that_it_does_not_need():
    """Neither heavy packages, nor click, nor `importlib.metadata`, nor a plugin's network."""
    code = (
        "import sys\nfrom b2b_core.cli import run\nassert run(['list-plugins', '--json']) == 0\n"
        "sys.stderr.write(' '.join(sys.modules))\n"
    )
    environment = {k: v for k, v in os.environ.items() if k != "B2B_PLUGINS"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    loaded = set(done.stderr.split())
    heavy = {"torch", "kornia", "numpy", "rich", "structlog", "cattrs", "jinja2", "PIL"}
    assert not loaded & heavy
    assert not loaded & {"click", "importlib.metadata", "tomllib", "platformdirs"}
    light = ("config", "layout", "layouts", "locations", "places", "presets", "weights")
    inside = {m for m in loaded if m.startswith("b2b_plugin_") and "." in m}
    assert {m.partition(".")[2].partition(".")[0] for m in inside} <= set(light)

"""The index: its file is valid and agrees with what is installed; wrong entries are refused."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from b2b_core.catalogue import discover
from b2b_core.config import structure
from b2b_core.errors import UsageError
from b2b_core.registry import Registry, load_registry
from b2b_core.registry_file import listed_distributions, registry_path

COMPONENT = {
    "kind": "loss",
    "name": "a",
    "distribution": "d",
    "licence": "MIT",
    "summary": "s",
}
WEIGHTS = {
    "name": "unet.x",
    "component": "unet",
    "kind": "deblurrer",
    "licence": "MIT",
    "summary": "s",
    "distribution": "d",
}


def test_the_file_is_that_of_the_checkout():
    """An editable installation reads the file beside `pyproject.toml`, not a copy."""
    assert registry_path() == Path(__file__).parents[1] / "registry.toml"


def test_the_rows_are_sorted():
    """Sorted by kind and name, so that two changes to the file seldom meet."""
    registry = load_registry()
    components = [(row.kind, row.name) for row in registry.component]
    weights = [row.name for row in registry.weights]
    assert components == sorted(components)
    assert weights == sorted(weights)


def test_the_index_agrees_with_the_plugins():
    """Every component of the project's plugins is listed, with its distribution and licence."""
    listed = {
        (row.kind, row.name): (row.distribution, row.licence, row.summary)
        for row in load_registry().component
    }
    offered = {
        (offer.spec.kind, offer.spec.name): (
            offer.distribution,
            offer.spec.licence,
            offer.spec.summary,
        )
        for offer in discover().offers
        if offer.distribution.startswith("b2b-")
    }
    assert listed == offered


def test_every_plugin_folder_is_in_the_index():
    """A plugin of this tree that nobody listed would be shown as unlisted."""
    folders = (Path(__file__).parents[1] / "plugins").glob("*/pyproject.toml")
    assert {folder.parent.name for folder in folders} <= listed_distributions()


def test_the_defaults_are_installed():
    """Every default can be looked up."""
    for kind, name in load_registry().defaults.items():
        assert discover().spec(kind, name).name == name


def test_weights_of_domains_are_listed():
    """The weights that a domain names are in the index."""
    names = {row.name for row in load_registry().weights}
    for spec in discover().specs("domain"):
        assert {spec.deblurrer, spec.extractor} - {None} <= names


def test_weights_belong_to_components_that_exist():
    """Component and kind of every weights row are an offered component."""
    for row in load_registry().weights:
        assert discover().spec(row.kind, row.component).name == row.component


def test_the_wheel_ships_the_file():
    """The build puts the same file into the package."""
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())
    shipped = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert shipped == {"registry.toml": "b2b_core/registry.toml"}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"schema": 2}, "'schema' is 2, not 1"),
        ({"schema": 1, "wieghts": []}, "did you mean 'weights'"),
        ({"schema": 1, "component": [COMPONENT | {"kind": "los"}]}, "no kind of component"),
        ({"schema": 1, "component": [COMPONENT, COMPONENT]}, "loss 'a' is listed twice"),
        ({"schema": 1, "component": [COMPONENT | {"sumary": "x"}]}, "component[0].sumary"),
        ({"schema": 1, "defaults": {"los": "a"}}, "'defaults.los'"),
        ({"schema": 1, "weights": [WEIGHTS | {"distribution": None}]}, "neither 'distribution'"),
        ({"schema": 1, "weights": [WEIGHTS | {"name": "../x"}]}, "not like component.tag"),
        ({"schema": 1, "weights": [WEIGHTS | {"sha256": "12"}]}, "not like 64 hex digits"),
        ({"schema": 1, "weights": [WEIGHTS | {"format": "pickle"}]}, "not 'safetensors' or"),
        ({"schema": 1, "weights": [WEIGHTS | {"urls": ["https://x/y"]}]}, "no 'sha256'"),
        (
            {"schema": 1, "weights": [WEIGHTS | {"urls": ["file:///x"], "sha256": "0" * 64}]},
            "not https",
        ),
    ],
)
def test_a_wrong_index_is_refused(data, said):
    """Each error says which entry is wrong, and how."""
    with pytest.raises(UsageError) as caught:
        structure(Registry, data, where="registry.toml")
    assert said in str(caught.value)


def test_former_names_are_understood(install, monkeypatch):
    """A component is found by an alias of the index."""
    install("acme-losses", offers="sharpness")
    row = COMPONENT | {"name": "sharpness", "distribution": "acme-losses", "aliases": ["acuity"]}
    made = structure(Registry, {"schema": 1, "component": [row]})
    monkeypatch.setattr("b2b_core.registry.load_registry", lambda: made)
    assert discover().spec("loss", "acuity").name == "sharpness"

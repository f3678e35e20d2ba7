"""The index that ships: valid, sorted, in agreement with what is installed; rows are strict."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.version import Version

from b2b_core import __version__
from b2b_core.catalogue import discover
from b2b_core.config import read_toml, structure
from b2b_core.errors import UsageError
from b2b_core.registry import load_registry
from b2b_core.registry.layers import IndexFile
from b2b_core.registry.licences import is_free, meaning
from b2b_core.registry_file import claims, listed_distributions, registry_path

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


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    """Keep the files of whoever runs the tests out of the index."""
    monkeypatch.setenv("B2B_CONFIG", str(tmp_path))
    monkeypatch.chdir(tmp_path)


def test_the_rows_are_sorted():
    """Sorted by kind and name, so that two changes to the file seldom meet."""
    data = read_toml(registry_path())
    components = [(row["kind"], row["name"]) for row in data["component"]]
    domains = [row["name"] for row in data["domain"]]
    weights = [row["name"] for row in data["weights"]]
    assert components == sorted(components)
    assert domains == sorted(domains)
    assert weights == sorted(weights)


def test_a_domain_is_a_component():
    """Domains are among the components, at their place in the order."""
    registry = load_registry()
    order = [(row.kind, row.name) for row in registry.component]
    assert order == sorted(order)
    assert {"gopro", "starter"} <= {row.name for row in registry.domain}
    assert registry.component_named("domain", "gopro") in registry.domain


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


def test_domains_agree_with_the_plugins():
    """What the index tells of a domain before it is installed is what the domain says then."""
    said = ("citation", "data_licence", "counts", "deblurrer", "extractor")
    for row in load_registry().domain:
        spec = discover().spec("domain", row.name)
        assert {name: getattr(row, name) for name in said} == {
            name: getattr(spec, name) for name in said
        }


def test_weights_name_a_free_licence_or_a_source():
    """Where terms have to be accepted, there is a page to read them."""
    for row in load_registry().weights:
        assert row.free_for_commercial_use or row.source


def test_weights_that_ship_or_are_fetched_are_known_by_their_hash():
    """Files without one are those whose publisher tells none; each is named here on purpose."""
    without = {row.name for row in load_registry().weights if row.sha256 is None}
    assert {name for name in without if not name.startswith(("kernel-space.", "mimo-unet."))} == {
        "restormer.gopro"
    }


def test_no_name_outlives_its_removal():
    """A row of a former name goes with the version that it announces."""
    for row in load_registry().renamed:
        assert Version(row.removed_in) > Version(__version__)


def test_a_listing_reads_the_same_claims():
    """The quick reader and the strict one agree on whose a name is."""
    registry = load_registry()
    rows = (*registry.component, *registry.renamed)
    assert dict(claims()) == {(row.kind, row.name): row.distribution for row in rows}


def test_the_wheel_ships_the_file():
    """The build puts the same file into the package."""
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())
    shipped = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert shipped == {"registry.toml": "b2b_core/registry.toml"}


DOMAIN = {"name": "x", "distribution": "d", "licence": "MIT", "summary": "s"}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"schema": 2}, "'schema' is 2, not 1"),
        ({"wieghts": []}, "did you mean 'weights'"),
        ({"component": [COMPONENT | {"kind": "los"}]}, "no kind of component"),
        ({"component": [COMPONENT, COMPONENT]}, "loss 'a' is listed twice"),
        ({"component": [COMPONENT | {"sumary": "x"}]}, "component[0].sumary"),
        ({"component": [{"kind": "loss", "name": "a"}]}, "component[0].distribution"),
        ({"component": [COMPONENT | {"source_file": "x"}]}, "component[0].source_file"),
        ({"component": [COMPONENT | {"kind": "domain"}]}, "write it as a [[domain]]"),
        ({"component": [COMPONENT | {"renamed_to": "b"}]}, "both 'renamed_to' and 'removed_in'"),
        ({"component": [COMPONENT | {"requires": "newest"}]}, "'newest', not like >=1.0,<2"),
        ({"component": [COMPONENT | {"source": "http://x.org"}]}, "not an https address"),
        ({"component": [COMPONENT | {"summary": "a\x1b[2J"}]}, "not one line of text"),
        ({"component": [COMPONENT | {"distribution": ""}]}, "not one line of text"),
        ({"defaults": {"los": "a"}}, "'defaults.los'"),
        ({"defaults": {"loss": 3}}, "'defaults.loss' is 3, not text"),
        ({"domain": [DOMAIN | {"kind": "loss"}]}, "domain[0].kind"),
        ({"domain": [DOMAIN | {"counts": {"train": "many"}}]}, "not a whole number"),
        ({"domain": [DOMAIN | {"url": "here"}]}, "not an https address"),
        ({"weights": [WEIGHTS | {"distribution": None}]}, "no 'distribution', 'urls' or 'source'"),
        ({"weights": [WEIGHTS | {"name": "../x"}]}, "not like component.tag"),
        ({"weights": [WEIGHTS | {"name": "nafnet.x"}]}, "not named after the component 'unet'"),
        ({"weights": [WEIGHTS | {"sha256": "12"}]}, "not like 64 hex digits"),
        ({"weights": [WEIGHTS | {"format": "pickle"}]}, "not 'safetensors' or"),
        ({"weights": [WEIGHTS | {"urls": ["file:///x"]}]}, "not https: file:///x"),
        ({"weights": [WEIGHTS | {"urls": ["http://x.org/y"]}]}, "not https: http://x.org/y"),
        ({"weights": [WEIGHTS | {"urls": ["https:///y"]}]}, "not https"),
        ({"weights": [WEIGHTS | {"urls": ["https://x.org/\x1b[2J"]}]}, "not https"),
        ({"weights": [WEIGHTS | {"trained_on": "a\nb"}]}, "not one line of text"),
        (
            {"weights": [WEIGHTS | {"metrics": [{"figures": {"psnr": 30.0}}]}]},
            "metrics[0].protocol",
        ),
    ],
)
def test_a_wrong_index_is_refused(data, said):
    """Each error says which entry is wrong, and how."""
    with pytest.raises(UsageError) as caught:
        structure(IndexFile, {"schema": 1} | data, where="registry.toml")
    assert said in str(caught.value)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8000", "[::1]"])
def test_this_machine_may_serve_without_encryption(host):
    """Nobody stands between it and itself."""
    row = WEIGHTS | {"urls": [f"http://{host}/w"]}
    read = structure(IndexFile, {"schema": 1, "weights": [row]}).weights[0]
    assert read.urls == (f"http://{host}/w",)


def test_figures_come_with_their_protocol():
    """A number without its measurement cannot be written down; with it, it is kept as it is."""
    said = {"protocol": "GoPro test, RGB", "figures": {"psnr": 33.71}}
    row = structure(IndexFile, {"schema": 1, "weights": [WEIGHTS | {"metrics": [said]}]}).weights[0]
    assert row.metrics[0].protocol == "GoPro test, RGB"
    assert dict(row.metrics[0].figures) == {"psnr": 33.71}


@pytest.mark.parametrize(
    "licence", ["MIT", "apache-2.0", "CC-BY-SA-4.0 AND CC-BY-4.0", "LicenseRef-X OR MIT"]
)
def test_free_licences(licence):
    """Both sides of an AND have to be free, one side of an OR."""
    assert is_free(licence)


@pytest.mark.parametrize(
    ("licence", "means"),
    [
        ("CC-BY-NC-4.0", "forbids commercial use"),
        ("CC-BY-NC-SA-4.0", "forbids commercial use"),
        ("PolyForm-Noncommercial-1.0.0", "forbids commercial use"),
        ("LicenseRef-Academic-Public-License", "forbids commercial use"),
        ("none stated", "all rights are reserved"),
        ("unknown", "nobody knows"),
        ("AGPL-3.0-only", "under the same licence"),
        ("MIT AND CC-BY-NC-4.0", "forbids commercial use"),
        ("(MIT)", "does not know"),
        ("", "does not know"),
    ],
)
def test_other_licences_are_not_free(licence, means):
    """What is not known to be free is not, and the reason is told."""
    assert not is_free(licence)
    assert means in meaning(licence)


def test_the_quick_reading_of_the_index_is_that_of_the_parser():
    """Names, kinds and distributions are those that a TOML parser finds."""
    data = tomllib.loads(registry_path().read_text())
    rows = [*data["component"], *data["domain"], *data["weights"]]
    assert {row["distribution"] for row in rows if "distribution" in row} == listed_distributions()
    parsed = {(row["kind"], row["name"]): row["distribution"] for row in data["component"]}
    parsed |= {("domain", row["name"]): row["distribution"] for row in data["domain"]}
    assert dict(claims()) == parsed

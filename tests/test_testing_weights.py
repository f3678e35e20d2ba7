"""Level 3 of the conformance kit: published weights, and the domains that name them."""

from __future__ import annotations

import pytest
import torch
from attrs import evolve, frozen

from b2b_core.networks import save_network
from b2b_core.registry import WeightsRow, load_registry
from b2b_core.specs import DomainSpec
from b2b_core.testing import toys
from b2b_core.testing.cases import ComponentCase, PluginCase, WeightsCase, found_named
from b2b_core.testing.checks import WEIGHTS_CHECKS
from b2b_core.testing.run import Item, component_items, items, results
from b2b_core.weights import sha256_of

SOURCE = """
from pathlib import Path
from attrs import frozen
from b2b_core import hookimpl
from b2b_core.specs import DeblurrerSpec

@frozen
class Config:
    width: int = 3

def build(config):
    from b2b_core.testing.toys import Deblurrer
    return Deblurrer()

@hookimpl
def b2b_deblurrers():
    return [DeblurrerSpec(name="acme", config=Config, factory=build, summary="s")]

@hookimpl
def b2b_resolve_weights(name):
    return Path(__file__).with_name("best.safetensors") if name == "acme.best" else None
"""
CACHED = "acme.fetched"


@pytest.fixture
def plugin(install, tmp_path, monkeypatch):
    """Install a deblurrer that ships weights; its cache and preferences are empty."""
    monkeypatch.setenv("B2B_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("B2B_CONFIG", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    install("acme-net", SOURCE)
    store(install.folder / "best.safetensors")
    return PluginCase(found_named("acme-net"))


def store(path, module=None, **header):
    """Write a network file of the plugin's deblurrer."""
    torch.manual_seed(0)
    about = {"kind": "deblurrer", "component": "acme", "options": {"width": 3}, **header}
    about |= {"facts": {}, "distribution": "acme-net", "version": "1.0"}
    save_network(path, module or toys.Deblurrer(), **about)


def shipped(plugin):
    """Return the file that the plugin ships."""
    return plugin.catalogue.notify("b2b_resolve_weights", name="acme.best")[0]


def row(plugin, **changes):
    """Return what the index would say of the shipped weights."""
    path = shipped(plugin)
    known = {"sha256": sha256_of(path), "bytes": path.stat().st_size} if path.is_file() else {}
    return WeightsRow(
        **{
            "name": "acme.best",
            "component": "acme",
            "kind": "deblurrer",
            "licence": "MIT",
            "summary": "s",
            "distribution": "acme-net",
            **known,
            **changes,
        }
    )


def made(plugin, weights):
    """Return the results of all checks of weights, by check."""
    case = WeightsCase(weights, plugin.found.name, plugin.catalogue)
    todo = [Item(check=c, case=case, kind="weights", name=weights.name) for c in WEIGHTS_CHECKS]
    return {result.check: result for result in results(todo)}


def only(found, check, what, mend):
    """Assert that just this check fails, and what it says."""
    assert [name for name, result in found.items() if result.bad] == [check], found
    assert what in found[check].what
    assert mend in found[check].mend
    assert found[check].where


def test_good_weights_pass(plugin):
    """A file that ships, is the published one, fits and works."""
    assert {result.status for result in made(plugin, row(plugin)).values()} == {"passed"}


def test_the_index_decides_which_weights_are_checked(plugin, tmp_path):
    """Rows that give weights to the plugin, or are for its components, belong to it."""
    known = row(plugin)
    (tmp_path / "config").mkdir()
    rows = [
        ("acme.best", 'distribution = "acme-net"', known.sha256),
        ("acme.other", 'urls = ["https://example.org/other.safetensors"]', "0" * 64),
        ("unet.other", 'urls = ["https://example.org/unet.safetensors"]', "0" * 64),
    ]
    text = "".join(
        f'[[weights]]\nname = "{name}"\ncomponent = "{name.split(".")[0]}"\nkind = "deblurrer"\n'
        f'licence = "MIT"\nsummary = "s"\n{where}\nsha256 = "{sha256}"\n'
        for name, where, sha256 in rows
    )
    (tmp_path / "config" / "b2b.toml").write_text(text)
    found = {r.name: [] for r in results(items(plugin, (3,)))}
    assert {case.row.name for case in plugin.weights} == {"acme.best", "acme.other"}
    assert set(found) == {"acme.best", "acme.other"}


def test_a_file_that_does_not_ship_is_missed(plugin):
    """The index says that the plugin ships it; everything that needs the file is skipped."""
    weights = row(plugin)
    shipped(plugin).unlink()
    found = made(plugin, weights)
    only(found, "weights-at-hand", "'acme.best' is missing", "the wheel holds it")
    assert found["weights-load"].status == "skipped"
    assert found["weights-load"].reason.startswith("needs the weights acme.best")
    unknown = made(plugin, evolve(weights, name="acme.worst"))
    only(unknown, "weights-at-hand", "says that it ships 'acme.worst'", "b2b_resolve_weights")


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"sha256": "0" * 64}, "its sha256 is"),
        ({"sha256": None}, "knows no sha256"),
        ({"bytes": 3}, "the index says 3"),
    ],
)
def test_the_file_has_to_be_the_published_one(plugin, changes, what):
    """Hash and length are those of the index, which has to know a hash."""
    found = made(plugin, row(plugin, **changes))
    only(found, "weights-hash", what, "sha256 and bytes")


def test_weights_need_a_licence(plugin):
    """An SPDX expression, or the words for having none."""
    found = made(plugin, row(plugin, licence="mine"))
    only(found, "weights-licence", "'mine' is no SPDX", "registry.toml")
    assert made(plugin, row(plugin, licence="none stated"))["weights-licence"].status == "passed"


def test_the_file_has_to_fit_the_component(plugin):
    """All tensors and nothing else; kind and component are those of the index."""

    class More(toys.Deblurrer):
        def __init__(self):
            super().__init__()
            self.spare = torch.nn.Linear(2, 2)

    store(shipped(plugin), More())
    found = made(plugin, row(plugin))
    only(found, "weights-load", "2 unexpected", "make them again")
    assert found["weights-load"].where == str(shipped(plugin))
    assert found["weights-output"].reason == "they cannot be loaded: see the check 'weights-load'"


def test_a_file_of_another_component_is_noticed(plugin):
    """The header of the file and the index have to agree."""
    store(shipped(plugin), component="acme", kind="translator")
    said = "holds the translator 'acme', the index says deblurrer 'acme'"
    only(made(plugin, row(plugin)), "weights-load", said, "make the file again")


@pytest.mark.parametrize(("value", "what"), [(float("nan"), "NaN"), (0.0, "as they are")])
def test_the_loaded_network_has_to_work(plugin, value, what):
    """Its output is finite, and differs from its input."""
    module = toys.Deblurrer()
    for parameter in module.parameters():
        parameter.data.fill_(value)
    store(shipped(plugin), module)
    only(made(plugin, row(plugin)), "weights-output", what, "usable")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda made: made[..., 1:, :], "comes out where"),
        (lambda made: made + 1e-6 * torch.randn_like(made), "two outputs"),
    ],
)
def test_the_loaded_network_has_to_be_sound(plugin, monkeypatch, change, what):
    """Its output has the size of the picture, and is the same every time."""
    forward = toys.Deblurrer.forward
    monkeypatch.setattr(toys.Deblurrer, "forward", lambda self, image: change(forward(self, image)))
    only(made(plugin, row(plugin)), "weights-output", what, "usable")


def test_weights_that_are_not_fetched_are_skipped(plugin, monkeypatch):
    """Nothing is downloaded by a check; the reason names the weights and their state."""
    monkeypatch.setattr("b2b_core.download.fetch", lambda *_: pytest.fail("fetched"))
    weights = row(plugin, name=CACHED, distribution=None, urls=("https://example.org/a",))
    found = made(plugin, weights)
    skipped = [name for name, result in found.items() if result.status == "skipped"]
    assert skipped == ["weights-at-hand", "weights-hash", "weights-load", "weights-output"]
    assert {found[name].reason for name in skipped} == {f"needs the weights {CACHED}: not fetched"}


def test_weights_in_the_cache_are_checked(plugin, tmp_path):
    """What was fetched before is at hand."""
    folder = tmp_path / "cache" / "weights"
    folder.mkdir(parents=True)
    store(folder / f"{CACHED}.safetensors")
    weights = row(plugin, name=CACHED, distribution=None, urls=("https://example.org/a",))
    assert {result.status for result in made(plugin, weights).values()} == {"passed"}
    (folder / f"{CACHED}.safetensors").write_bytes(b"x" * weights.bytes)
    wrong = made(plugin, weights)["weights-hash"]
    assert "sha256" in wrong.what
    assert f"b2b weights fetch {CACHED}" in wrong.mend


@frozen
class Config:
    """No options."""


DOMAIN = DomainSpec(
    name="acme", config=Config, factory=lambda _: None, summary="s", layout="DIR",
    deblurrer="unet.starter", extractor="kernel-space.starter",
)  # fmt: skip


def domain_weights(spec, catalogue=None):
    """Return the result of the check of a domain's weights."""
    (result,) = results(component_items(ComponentCase(spec, "acme", catalogue), (3,)))
    return result


def test_a_domain_names_weights_that_exist(plugin):
    """Of the index or of its own plugin, and of the right kind."""
    assert {row.name for row in load_registry().weights} >= {DOMAIN.deblurrer, DOMAIN.extractor}
    assert domain_weights(DOMAIN).status == "passed"
    own = evolve(DOMAIN, deblurrer="acme.best")
    assert domain_weights(own, plugin.catalogue).status == "passed"
    unknown = domain_weights(evolve(DOMAIN, deblurrer="unet.nowhere"), plugin.catalogue)
    assert "knows the weights 'unet.nowhere'" in unknown.what
    assert "or ship them" in unknown.mend
    swapped = domain_weights(evolve(DOMAIN, extractor="unet.starter"))
    assert "those of a deblurrer, not of a kernel-extractor" in swapped.what


BREAKS = {
    "weights-at-hand", "weights-hash", "weights-licence", "weights-load", "weights-output",
    "domain-weights",
}  # fmt: skip

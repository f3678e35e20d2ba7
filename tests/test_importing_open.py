"""Published files wherever weights are taken: opened once, cached, referred to safely."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest
import torch
from attrs import evolve

from b2b_core.adaptation.parts import Parts
from b2b_core.adaptation.settings import read_settings
from b2b_core.catalogue import discover
from b2b_core.errors import B2bError, UsageError
from b2b_core.hashing import sha256_of
from b2b_core.importing.open import is_published, network_file
from b2b_core.importing.opening import open_published, write_network
from b2b_core.networks import fingerprint, load_network, read_network_header
from b2b_core.profile import (
    CameraProfile,
    ProfilePart,
    PublishedWeights,
    load_profile,
    save_profile,
)
from b2b_core.training.precision import Numerics

OPTIONS = {"width": 4, "middle": 1, "encoders": [1, 1], "decoders": [1, 1]}
ROW = """
[[weights]]
name = "nafnet.test"
kind = "deblurrer"
component = "nafnet"
source = "https://example.org/nafnet"
format = "torch"
licence = "MIT"
summary = "for a test"
sha256 = "{}"
"""


@pytest.fixture(scope="module")
def catalogue():
    """Return the installed plugins."""
    return discover()


@pytest.fixture
def file(tmp_path, monkeypatch, catalogue):
    """Write a published NAFNet; the cache is empty, the working directory a folder of its own."""
    monkeypatch.setenv("B2B_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("B2B_CONFIG", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    network = catalogue.build("deblurrer", "nafnet", OPTIONS)
    state = {name: torch.randn_like(value) for name, value in network.state_dict().items()}
    torch.save({"params": state}, tmp_path / "a.pth")
    return tmp_path / "a.pth"


@pytest.fixture
def cached(tmp_path, file):
    """Put the file into the cache under a published name, as if it had been fetched."""
    (tmp_path / "b2b.toml").write_text(ROW.format(sha256_of(file)))
    target = tmp_path / "cache" / "weights" / "nafnet.test.pth"
    target.parent.mkdir(parents=True)
    target.write_bytes(file.read_bytes())
    return target


def test_a_network_file_is_taken_as_it_is(tmp_path, file, catalogue):
    """What b2b wrote is not opened again, whatever it holds; its reader says if that is wrong."""
    out = tmp_path / "net.safetensors"
    write_network(open_published(file, catalogue), out, catalogue)
    assert network_file(out, catalogue, "deblurrer") == out
    assert network_file(str(out), catalogue, "translator") == out
    with pytest.raises(UsageError, match="holds a deblurrer, but a translator is needed"):
        load_network(out, catalogue, "translator")


def test_a_published_file_is_opened_for_the_kind_that_is_needed(file, catalogue):
    """One file becomes a deblurrer here and a translator there, each kept in the cache."""
    made = {kind: network_file(file, catalogue, kind) for kind in ("deblurrer", "translator")}
    for kind, path in made.items():
        header, network = load_network(path, catalogue, kind)
        assert header.options["width"] == 4
        expected = torch.load(file, weights_only=True)["params"]
        assert torch.equal(network.state_dict()["intro.weight"], expected["intro.weight"])
    with pytest.raises(UsageError, match=r"\(translator or deblurrer\), not of a discriminator"):
        network_file(file, catalogue, "discriminator")


def test_a_fetched_file_in_pytorchs_format_can_be_used(cached, catalogue):
    """A row of the index whose file is no network file is opened too."""
    path = network_file("nafnet.test", catalogue, "deblurrer")
    assert path.parent.name == "imported"
    facts = read_network_header(path).facts
    assert facts["published_as"] == "nafnet.test"
    assert facts["licence"] == "MIT"
    assert fingerprint(path) == sha256_of(cached)


def test_the_cache_is_made_again_when_the_plugin_has_changed(file, catalogue):
    """A file that an earlier version of the plugin made, or a damaged one, is not used."""
    path = network_file(file, catalogue, "deblurrer")
    module = load_network(path, catalogue, "deblurrer")[1]
    header = read_network_header(path)
    from b2b_core.networks import save_network

    save_network(
        path, module, kind=header.kind, component=header.component, options=header.options,
        facts={"made": "before"}, distribution=header.distribution, version="0.0.1",
    )  # fmt: skip
    assert network_file(file, catalogue, "deblurrer") == path
    assert "made" not in read_network_header(path).facts
    path.write_bytes(path.read_bytes()[:100])
    assert network_file(file, catalogue, "deblurrer") == path
    assert read_network_header(path).version == catalogue.owner("deblurrer", "nafnet").version


def test_an_adaptation_takes_a_published_file(file, catalogue):
    """`--deblurrer FILE.pth` is opened; the profile will hold it, for the file is nobody else's."""
    settings = read_settings(
        {
            "data": {"blurry": "blurry", "sharp": "sharp"},
            "domain": {"name": "gopro", "deblurrer": str(file)},
        }
    )
    part, header, published = Parts(catalogue, settings, Numerics("cpu", "float32")).deblurrer()
    assert part.component == header.component == "nafnet"
    assert published is None
    expected = torch.load(file, weights_only=True)["params"]["intro.weight"]
    assert torch.equal(part.module.state_dict()["intro.weight"], expected)
    assert not any(parameter.requires_grad for parameter in part.module.parameters())


@pytest.mark.usefixtures("file")
def test_a_refused_file_leaves_nothing_in_the_cache(tmp_path, catalogue):
    """A pickle bomb given as weights is refused and not run; the cache stays empty."""

    class Bomb:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'sentinel'}",)

    for name in ("bomb.pth", "bomb.safetensors"):
        torch.save({"params": Bomb()}, tmp_path / name)
        with pytest.raises(UsageError, match="refused and nothing in it was run"):
            network_file(tmp_path / name, catalogue, "deblurrer")
    assert not (tmp_path / "sentinel").exists()
    assert not list((tmp_path / "cache").rglob("*.safetensors"))


@pytest.mark.usefixtures("cached")
def test_which_names_a_profile_may_refer_to(tmp_path, file, catalogue):
    """Names that mean the same elsewhere: not a file's, not one that the user made up."""
    imported = tmp_path / "cache" / "imported"
    assert is_published("nafnet.test")
    assert is_published("unet.gopro")
    assert not is_published(str(file))
    assert not is_published("a.pth")
    plain = open_published(file, catalogue)
    write_network(plain, imported / "nafnet.mine.safetensors", catalogue)
    assert not is_published("nafnet.mine")
    write_network(plain, imported / "nafnet.test.safetensors", catalogue)
    assert is_published("nafnet.test")
    changed = open_published(file, catalogue, options={"tlc_window": 64})
    write_network(changed, imported / "nafnet.test.safetensors", catalogue)
    assert not is_published("nafnet.test")


def test_a_profile_finds_its_published_weights_on_another_machine(
    tmp_path, cached, catalogue, monkeypatch
):
    """The profile refers to the published file, not to the network file that was made from it."""
    here = network_file("nafnet.test", catalogue, "deblurrer")
    part = ProfilePart(
        component="nafnet", options=OPTIONS, distribution="b2b-plugin-nafnet", version="0.1.0"
    )
    profile = CameraProfile(
        translator=None, deblurrer=part, domain="gopro", scales=(), strategy="reblur",
        published=PublishedWeights(name="nafnet.test", sha256=fingerprint(here)),
        created=datetime.now(UTC).isoformat(),
    )  # fmt: skip
    save_profile(tmp_path / "p.safetensors", profile, translator=None, deblurrer=None)

    class LaterDate(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime(2031, 1, 1, tzinfo=tz)

    monkeypatch.setattr("b2b_core.importing.opening.datetime", LaterDate)
    before = here.read_bytes()
    here.unlink()

    def find(name):
        return network_file(name, catalogue, "deblurrer")

    loaded = load_profile(tmp_path / "p.safetensors", catalogue, find)
    assert here.read_bytes() != before  # made later, and yet the same weights
    expected = torch.load(cached, weights_only=True)["params"]
    weight = loaded.deblurrer.state_dict()["intro.weight"]
    assert torch.equal(weight, expected["intro.weight"])
    other = evolve(profile, published=PublishedWeights(name="nafnet.test", sha256="0" * 64))
    save_profile(tmp_path / "q.safetensors", other, translator=None, deblurrer=None)
    with pytest.raises(B2bError, match="are not those that the profile was made with"):
        load_profile(tmp_path / "q.safetensors", catalogue, find)

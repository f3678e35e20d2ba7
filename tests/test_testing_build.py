"""Level 1 of the conformance kit: each check is failed by a component that breaks just that."""

from __future__ import annotations

import os
import random
import socket
import sys
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from attrs import evolve, field, frozen
from torch import nn

from b2b_core.specs import DeblurrerSpec, LossSpec
from b2b_core.testing import toys
from b2b_core.testing.cases import ComponentCase
from b2b_core.testing.run import component_items, results

SHARED = nn.Parameter(torch.zeros(3))


@frozen
class Config:
    """One option."""

    width: int = 8


@frozen
class Unplain:
    """An option that is no plain data."""

    start: Mapping[str, object] = field(factory=lambda: {"at": {1, 2}})


@frozen
class Forgetful:
    """An option that does not come back."""

    width: int = field(default=8, converter=lambda value: value + 1)


@frozen
class Mistyped:
    """A default of another type than the option's."""

    width: int = "wide"


def deblurrer(_config):
    """Return a good network."""
    return toys.Deblurrer()


GOOD = DeblurrerSpec(name="acme", config=Config, factory=deblurrer, summary="s")


class Deblurrer(toys.Deblurrer):
    """A good network, to be broken."""


def raising(_config):
    """Fail."""
    raise RuntimeError("no such thing")


def exiting(_config):
    """Leave."""
    raise SystemExit(2)


def connecting(_config):
    """Ask the network, and swallow that it is refused."""
    with suppress(OSError):
        socket.create_connection(("127.0.0.1", 9), timeout=1)
    return toys.Deblurrer()


def reading(_config):
    """Look for a file beside the user."""
    if Path("weights.pth").exists():
        raise AssertionError("there is none")
    with suppress(FileNotFoundError):
        Path("weights.pth").read_bytes()
    return toys.Deblurrer()


def reading_absolutely(_config):
    """Look for a file beside the user by its whole path."""
    with suppress(FileNotFoundError):
        (Path.cwd() / "options" / "a.yml").read_text()
    return toys.Deblurrer()


def moving(_config):
    """Go elsewhere."""
    os.chdir("/")
    return toys.Deblurrer()


def seeding(seed):
    """Return a factory that calls `seed`."""

    def build(_config):
        made = toys.Deblurrer()
        seed(0)
        return made

    return build


def functional(_config):
    """Return what is no network."""
    return lambda image: image


def unseeded(_config):
    """Draw weights from the system."""
    made = toys.Deblurrer()
    made.conv.bias.data.fill_(random.SystemRandom().random())
    return made


def always_the_same(_config):
    """Draw weights from a seed of one's own."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return toys.Deblurrer()


def doubled(_config):
    """Choose a number format."""
    return toys.Deblurrer().double()


def elsewhere(_config):
    """Choose a device."""
    return toys.Deblurrer().to("meta")


def sharing(_config):
    """Learn something that all networks have in common."""
    made = toys.Deblurrer()
    made.offset = SHARED
    return made


def unstored(_config):
    """Depend on random numbers that are not stored."""
    made = toys.Deblurrer()
    made.register_buffer("noise", torch.randn(3), persistent=False)
    return made


def renamed(_config):
    """Have other names each time."""
    made = toys.Deblurrer()
    made.add_module(f"layer{random.randrange(10**9)}", nn.Conv2d(3, 3, 1))
    return made


#: Check -> what is wrong, part of the message, part of the mend.
BROKEN = [
    ("config-round-trip", {"config": Unplain}, "no plain data", "tuples, mappings"),
    ("config-round-trip", {"config": Forgetful}, "width", "tuples, mappings"),
    ("config-round-trip", {"config": Mistyped}, "not taken back", "fully annotated"),
    ("builds", {"factory": raising}, "RuntimeError: no such thing", "without options"),
    ("builds", {"factory": exiting}, "SystemExit", "without options"),
    ("builds-offline", {"factory": connecting}, "127.0.0.1", "resolved by the core"),
    ("builds-anywhere", {"factory": reading}, "opens 'weights.pth'", "Path(__file__)"),
    ("builds-anywhere", {"factory": reading_absolutely}, "a.yml", "Path(__file__)"),
    ("builds-anywhere", {"factory": moving}, "directory to /", "Path(__file__)"),
    ("leaves-seeds-alone", {"factory": seeding(torch.manual_seed)}, "torch", "manual_seed"),
    ("leaves-seeds-alone", {"factory": seeding(random.seed)}, "random", "manual_seed"),
    ("leaves-seeds-alone", {"factory": seeding(np.random.seed)}, "numpy", "manual_seed"),
    ("is-network", {"factory": functional}, "no torch.nn.Module", "torch.nn.Module"),
    ("seeded-weights", {"factory": unseeded}, "differ in 'conv.bias'", "initialisers"),
    ("seeded-weights", {"factory": always_the_same}, "equal weights", "fixed seed"),
    ("cpu-float32", {"factory": doubled}, "torch.float64", ".half()"),
    ("own-parameters", {"factory": sharing}, "'offset'", "in __init__"),
    ("weights-round-trip", {"factory": unstored}, "'noise'", "persistent buffers"),
]
BREAKS = {*(check for check, *_ in BROKEN), "satisfies-protocol", "unknown-option-refused"}


def failed(spec):
    """Return the results of level 1 that have to be mended, by check."""
    made = results(component_items(ComponentCase(spec, "acme"), (1,)))
    return {result.check: result for result in made if result.bad}


def test_a_good_component_passes():
    """Nothing is said against a component that keeps all promises; nothing is skipped."""
    made = list(results(component_items(ComponentCase(GOOD, "acme"), (1,))))
    assert {result.status for result in made} == {"passed"}
    assert len(made) == 12


@pytest.mark.parametrize(("check", "wrong", "what", "mend"), BROKEN)
def test_builds_are_checked(check, wrong, what, mend):
    """One wrong thing in a factory fails one check, which says where and how to mend it."""
    found = failed(evolve(GOOD, **wrong))
    assert list(found) == [check]
    assert what in found[check].what
    assert mend in found[check].mend
    assert found[check].where


def test_a_config_that_takes_everything_is_refused():
    """A mapping as config class would accept misspelt options."""
    found = failed(LossSpec(name="acme", config=dict, factory=lambda _: print, summary="s"))
    assert list(found) == ["unknown-option-refused"]
    assert "no_such_option" in found["unknown-option-refused"].what
    assert "catch-all" in found["unknown-option-refused"].mend


def test_a_product_without_the_methods_of_its_kind_is_refused():
    """The missing methods are named."""

    class Half(nn.Module):
        def pairs(self, _root, _split):
            return []

    from b2b_core.specs import DomainSpec

    spec = DomainSpec(
        name="acme", config=Config, factory=lambda _: Half(), summary="s", layout="DIR"
    )
    found = failed(spec)
    assert list(found) == ["satisfies-protocol"]
    assert "default_root is missing" in found["satisfies-protocol"].what
    assert "b2b_core.contracts.Domain" in found["satisfies-protocol"].where


@pytest.mark.parametrize(
    ("factory", "check", "what"),
    [
        (elsewhere, "cpu-float32", "is on meta"),
        (renamed, "weights-round-trip", "cannot be stored and read"),
    ],
)
def test_faults_with_consequences(factory, check, what):
    """Some faults break several promises; the check that names the cause is among them."""
    assert what in failed(evolve(GOOD, factory=factory))[check].what


def test_warnings_are_errors_where_the_user_says_so(monkeypatch):
    """They are silent by default, and what a filter of Python's command line makes of them else."""

    def warning(_config):
        warnings.warn("soon gone", FutureWarning, stacklevel=1)
        return toys.Deblurrer()

    spec = evolve(GOOD, factory=warning)
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        monkeypatch.setattr(sys, "warnoptions", [])
        assert not failed(spec)
        monkeypatch.setattr(sys, "warnoptions", ["error::FutureWarning"])
        assert "FutureWarning: soon gone" in failed(spec)["builds"].what


def test_what_cannot_be_built_is_said_once():
    """The other checks are skipped and name the one that failed."""
    made = list(results(component_items(ComponentCase(evolve(GOOD, factory=raising), "a"), (1, 2))))
    assert [result.check for result in made if result.bad] == ["builds"]
    reasons = {result.reason for result in made if result.status == "skipped"}
    assert reasons == {"it cannot be built: see the check 'builds'"}
    (builds,) = (result for result in made if result.bad)
    assert builds.where.startswith(__file__)


def test_checking_leaves_no_trace():
    """Working directory and random states are what they were."""
    torch.manual_seed(3)
    random.seed(3)
    np.random.seed(3)
    before = (torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist())
    home = Path.cwd()
    for factory in (moving, seeding(random.seed), deblurrer):
        failed(evolve(GOOD, factory=factory))
    assert Path.cwd() == home
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]
    assert np.random.get_state()[1].tolist() == before[2]


def test_the_network_works_again_after_a_check():
    """Only while something is built are sockets refused."""
    failed(GOOD)
    server = socket.create_server(("127.0.0.1", 0))
    with server, socket.create_connection(server.getsockname()[:2], timeout=5) as client:
        assert client.getpeername() == server.getsockname()

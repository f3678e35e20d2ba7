"""Unwrapping: entries, moving averages, prefixes, and what is refused."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import pytest
import torch

from b2b_core.errors import UsageError
from b2b_core.importing.unwrap import WRAPPERS, unwrap, without_prefixes

HERE = Path("some.pth")
NET = OrderedDict({"a.weight": torch.ones(2), "a.bias": torch.zeros(1)})
OTHER = {"b": torch.ones(3)}
OPTIMISER = {"state": {0: {"step": torch.ones(1)}}, "param_groups": [{"lr": 1e-3}]}


def names(content, member=None):
    """Return the names that are found."""
    return list(unwrap(content, member, HERE).tensors)


@pytest.mark.parametrize("wrapper", [*WRAPPERS, "generator"])
def test_every_known_wrapper_and_a_single_unknown_one(wrapper):
    """The network is found beside an optimiser's state, a step and settings."""
    content = {"epoch": 3, "optimizer": OPTIMISER, wrapper: NET, "args": {"lr": 0.1}}
    found = unwrap(content, None, HERE)
    assert dict(found.tensors) == dict(NET)
    assert found.remarks == ()


def test_a_bare_state_dict_is_taken_as_it_is():
    """Entries that are no tensors, such as a version, do not count."""
    assert names({**NET, "version": 2, "name": "net"}) == list(NET)


def test_wrappers_in_wrappers():
    """`state_dict` around `params` is opened twice."""
    assert names({"state_dict": {"params": NET}, "epoch": 1}) == list(NET)


@pytest.mark.parametrize("ema", ["params_ema", "params-ema"])
def test_the_moving_average_is_preferred(ema):
    """Where both are there the average is taken, which is said; `member` takes the other."""
    content = {"params": OTHER, ema: NET}
    found = unwrap(content, None, HERE)
    assert list(found.tensors) == list(NET)
    assert found.remarks == (
        f"taken from '{ema}', not from 'params' (--member NAME takes another)",
    )
    assert names(content, "params") == list(OTHER)


def test_several_networks():
    """G is taken before D; two unknown names have to be decided; either can be said."""
    assert names({"netD": OTHER, "netG": NET}) == list(NET)
    assert names({"netD": OTHER, "netG": NET}, "netD") == list(OTHER)
    content = {"first": NET, "second": OTHER}
    with pytest.raises(UsageError, match=r"several networks: first, second.*--member"):
        unwrap(content, None, HERE)
    assert names(content, "second") == list(OTHER)
    assert names({"checkpoint": content}, "second") == list(OTHER)


def test_a_member_can_be_the_beginning_of_names():
    """A checkpoint of a whole training holds several networks under prefixes."""
    content = {"state_dict": {"net.a": torch.ones(1), "loss.vgg.b": torch.ones(1)}}
    assert names(content, "net") == ["a"]
    assert names(content, "loss.vgg") == ["b"]


def test_a_member_that_is_not_there():
    """The line says what there is."""
    with pytest.raises(UsageError, match=r"no member 'ema'.*'params', 'a'"):
        unwrap({"params": NET}, "ema", HERE)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([torch.ones(1)], "list"),
        (torch.ones(1), "Tensor"),
        ({}, "dict"),
        ({"optimizer": OPTIMISER, "epoch": 1}, "dict"),
        (3, "int"),
    ],
)
def test_what_holds_no_network(content, words):
    """A file without named tensors is refused with what it holds."""
    with pytest.raises(UsageError, match=f"no named tensors of a network, only {words}"):
        unwrap(content, None, HERE)


def test_content_that_contains_itself():
    """A pickle may hold a mapping that is its own entry; that ends."""
    content: dict[str, object] = {"a": torch.ones(1)}
    content["model"] = content
    assert names(content) == ["a"]


def test_prefixes_are_taken_off_one_by_one():
    """A doubly wrapped discriminator gives all three forms; the shortest has no common word."""
    doubly = {f"module.module.{name}": value for name, value in NET.items()}
    found = [(removed, list(tensors)) for removed, tensors in without_prefixes(doubly)]
    assert found[0] == ("", list(doubly))
    assert found[1] == ("module.", [f"module.{name}" for name in NET])
    assert found[2] == ("module.module.", list(NET))
    assert [removed for removed, _ in found[3:]] == ["module.module.a."]
    assert len(list(without_prefixes({"a.b": torch.ones(1), "c": torch.ones(1)}))) == 1

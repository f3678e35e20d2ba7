"""Level 1: a component is built with its defaults, on the CPU, and does nothing else meanwhile."""

from __future__ import annotations

import inspect
import traceback

from b2b_core.testing.cases import ComponentCase
from b2b_core.testing.check import Check, component_check, fail

#: Kinds that are networks.
NETWORKS = ("translator", "deblurrer", "discriminator", "kernel-extractor", "feature-extractor")


@component_check(1, "see that the factory works without options, and that its imports are there")
def builds(case: ComponentCase) -> None:
    """Check that the factory makes a component from the defaults."""
    error = case.built().error
    if error is not None:
        fail(f"the factory fails: {type(error).__name__}: {error}", where=place_of(error))


@component_check(1, "fetch nothing in a constructor; published weights are resolved by the core")
def builds_offline(case: ComponentCase) -> None:
    """Check that building reaches for no network."""
    network = case.built().watch.network
    if network:
        fail(f"building it reaches for the network ({network[0]})", where="factory")


@component_check(
    1, "find a file that ships with the plugin by Path(__file__); take others as an option"
)
def builds_anywhere(case: ComponentCase) -> None:
    """Check that building does not depend on the working directory, and leaves it as it is."""
    watch = case.built().watch
    if watch.opened:
        fail(f"building it opens '{watch.opened[0]}' in the working directory", where="factory")
    if watch.moved:
        fail(f"building it changes the working directory to {watch.moved}", where="factory")


@component_check(1, "do not call manual_seed or seed; make a generator of your own where needed")
def leaves_seeds_alone(case: ComponentCase) -> None:
    """Check that building sets no global seed: the user's decides what is drawn."""
    case.product(1, copy=1)
    case.product(2)
    first, second = case.built(1, copy=1).states, case.built(2).states
    for name in first:
        if first[name] == second[name]:
            fail(f"building it sets the seed of {name}'s global generator", where="factory")


@component_check(1, "give it the methods of its Protocol in b2b_core.contracts")
def satisfies_protocol(case: ComponentCase) -> None:
    """Check that the product has the methods of its kind's contract."""
    from b2b_core import contracts

    name = "".join(part.title() for part in case.spec.kind.split("-"))
    product = case.product()
    if not isinstance(product, getattr(contracts, name)):
        fail(
            f"{type(product).__qualname__} is no {name}: {_missing(product, name)} missing",
            where=f"b2b_core.contracts.{name}",
        )


@component_check(1, "derive the class from torch.nn.Module", *NETWORKS)
def is_network(case: ComponentCase) -> None:
    """Check that a network is a `torch.nn.Module`."""
    from torch import nn

    product = case.product()
    if not isinstance(product, nn.Module):
        fail(f"{type(product).__qualname__} is no torch.nn.Module", where="factory")


def place_of(error: BaseException) -> str:
    """Return "file:line" where an exception was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""


def _missing(product: object, protocol: str) -> str:
    from b2b_core import contracts

    contract: object = getattr(contracts, protocol)
    names = [name for name in dir(contract) if not name.startswith("_")]
    names += inspect.get_annotations(contract) if isinstance(contract, type) else ()
    absent = [name for name in ["__call__", *names] if not hasattr(product, name)]
    return f"{', '.join(dict.fromkeys(absent))} {'is' if len(absent) == 1 else 'are'}"


CHECKS: tuple[Check[ComponentCase], ...] = (
    builds,
    builds_offline,
    builds_anywhere,
    leaves_seeds_alone,
    satisfies_protocol,
    is_network,
)

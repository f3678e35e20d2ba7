"""Level 2 of the conformance kit on one spec, for the tests that break each of its checks."""

from __future__ import annotations

from attrs import frozen

from b2b_core.testing.cases import ComponentCase
from b2b_core.testing.run import component_items, results


@frozen
class Config:
    """No options."""


COMMON = {"name": "acme", "config": Config, "summary": "s"}


def made(spec):
    """Return the results of level 2 by check."""
    return {r.check: r for r in results(component_items(ComponentCase(spec, "acme"), (2,)))}


def sound(spec):
    """Assert that a network passes every check, the numerical ones among them."""
    found = made(spec)
    assert {result.status for result in found.values()} == {"passed"}, found
    assert {"deterministic", "bfloat16", "channels-last"} <= found.keys(), found


def only(spec, check, what, mend):
    """Assert that just this check fails, and what it says."""
    found = {name: result for name, result in made(spec).items() if result.bad}
    assert list(found) == [check], found
    # with messages: pytest rewrites no asserts of helper modules
    assert what in found[check].what, found[check].what
    assert mend in found[check].mend, found[check].mend
    assert found[check].where, found[check]
    return found[check]

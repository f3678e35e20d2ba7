"""Build a component the way the core does, and see what else that does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from b2b_core.testing.audit import Watch, watching
from b2b_core.testing.randomness import put_back, seed_all, states

if TYPE_CHECKING:
    from b2b_core.specs import Spec


@frozen(eq=False, kw_only=True)
class Build:
    """One product, or the error that was raised instead."""

    product: object
    error: BaseException | None
    watch: Watch
    #: Generator of random numbers -> its state after the build.
    states: dict[str, bytes]


def build(spec: Spec[Any, Any], seed: int) -> Build:
    """Build a component with its defaults: in an empty working directory, without network.

    All generators of random numbers start from `seed`; they are put back afterwards.
    """
    product: object = None
    error: BaseException | None = None
    with put_back(), watching() as watch:
        seed_all(seed)
        try:
            product = spec.factory(spec.config())
        except (Exception, SystemExit) as raised:
            error = raised
        after = states()
    return Build(product=product, error=error, watch=watch, states=after)

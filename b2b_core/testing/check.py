"""A check: a statement about a plugin, and what mends the plugin where it is false."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

from attrs import frozen

if TYPE_CHECKING:
    from b2b_core.specs import Spec
    from b2b_core.testing.cases import ComponentCase, PluginCase, WeightsCase

CaseT = TypeVar("CaseT")


class CheckFailedError(Exception):
    """The statement is false; `mend` overrides the check's own."""

    def __init__(self, what: str, where: str, mend: str | None) -> None:
        super().__init__(what)
        self.what, self.where, self.mend = what, where, mend


class CheckSkippedError(Exception):
    """The statement cannot be judged here; the text says why."""


def fail(what: str, *, where: object = "", mend: str | None = None) -> NoReturn:
    """End the check: it failed. Without `mend`, the check's own remedy is shown."""
    raise CheckFailedError(what, str(where), mend)


def skip(reason: str) -> NoReturn:
    """End the check: it cannot be made here."""
    raise CheckSkippedError(reason)


def _always(_spec: Spec[Any, Any]) -> bool:
    return True


@frozen(kw_only=True)
class Check(Generic[CaseT]):
    """One check. It returns if the statement is true, and ends with `fail` or `skip` otherwise."""

    #: Words joined by hyphens: what `Spec.expected_failures` names.
    name: str
    #: 0 static, 1 build, 2 behaviour, 3 weights.
    level: int
    #: What to do about a failure, unless the failure says it better.
    mend: str
    run: Callable[[CaseT], None]
    #: Kinds of component that it is for; empty: all.
    kinds: tuple[str, ...] = ()
    #: Further condition on the spec.
    only: Callable[[Spec[Any, Any]], bool] = _always

    @property
    def says(self) -> str:
        """The statement, in one line."""
        first = (self.run.__doc__ or "").strip().splitlines()[0]
        return first.removeprefix("Check that ").rstrip(".")

    def applies(self, spec: Spec[Any, Any]) -> bool:
        """Tell whether a component has to pass it."""
        return (not self.kinds or spec.kind in self.kinds) and self.only(spec)


def plugin_check(mend: str) -> Callable[[Callable[[PluginCase], None]], Check[PluginCase]]:
    """Make a check of a distribution, level 0; its name is that of the function."""
    return lambda run: Check(name=_name(run), level=0, mend=mend, run=run)


def component_check(
    level: int, mend: str, *kinds: str, only: Callable[[Spec[Any, Any]], bool] = _always
) -> Callable[[Callable[[ComponentCase], None]], Check[ComponentCase]]:
    """Make a check of a component of one of `kinds`; its name is that of the function."""
    return lambda run: Check(
        name=_name(run), level=level, mend=mend, run=run, kinds=kinds, only=only
    )


def weights_check(mend: str) -> Callable[[Callable[[WeightsCase], None]], Check[WeightsCase]]:
    """Make a check of published weights, level 3; its name is that of the function."""
    return lambda run: Check(name=_name(run), level=3, mend=mend, run=run)


def _name(function: Callable[..., None]) -> str:
    return function.__name__.strip("_").replace("_", "-")

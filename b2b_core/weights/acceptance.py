"""Which terms the user accepted: weights that are not free for commercial use need it."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from attrs import field, frozen

from b2b_core.errors import UsageError

if TYPE_CHECKING:
    from b2b_core.preferences import Place
    from b2b_core.registry import WeightsRow

#: Comma-separated names of accepted licences.
ENVIRONMENT = "B2B_ACCEPT_LICENCE"


def _folded(names: frozenset[str]) -> frozenset[str]:
    return frozenset(name.strip().casefold() for name in names) - {""}


@frozen
class Acceptance:
    """Names of licences, as the index prints them, and of weights, that somebody accepted.

    A licence's name accepts every file under it. Weights whose licence is "none stated" or
    "unknown" have none that could be accepted; for them their own name stands.
    """

    names: frozenset[str] = field(default=frozenset(), converter=_folded)

    def covers(self, row: WeightsRow) -> bool:
        """Tell whether the weights may be fetched."""
        if row.free_for_commercial_use:
            return True
        return bool({row.name.casefold(), row.accepted_as.casefold()} & self.names)

    def demand(self, row: WeightsRow) -> None:
        """Raise unless the weights may be fetched.

        Raises:
            UsageError: with the licence, what it means, its source and the command that accepts it.
        """
        if self.covers(row):
            return
        from b2b_core.registry.licences import meaning

        command = f"b2b weights fetch {row.name} --accept-licence {shlex.quote(row.accepted_as)}"
        raise UsageError(
            f"the weights '{row.name}' are not fetched: licence {row.licence}, "
            f"{meaning(row.licence)}",
            where=row.source or next(iter(row.urls), None),
            mend=f"if you accept that: {command}",
        )


def accepted(*names: str) -> Acceptance:
    """Return what `names`, the environment and the user's own `b2b.toml` accept.

    A project's `b2b.toml` cannot accept anything: its folder may be somebody else's.

    Raises:
        UsageError: if the user's `[licences]` is not like `accept = ["NAME"]`.
    """
    from b2b_core.preferences import places

    said = [*names, *os.environ.get(ENVIRONMENT, "").split(",")]
    for place in places():
        said += _of_user(place) if place.name == "user" else []
    return Acceptance(frozenset(said))


def _of_user(place: Place) -> list[str]:
    from b2b_core.config import structure
    from b2b_core.preferences import read_layer

    table = read_layer(place).data.get("licences", {})
    return list(structure(Licences, table, where=f"[licences] in {place.path}").accept)


@frozen
class Licences:
    """The table `[licences]` of the user's `b2b.toml`."""

    accept: tuple[str, ...] = ()

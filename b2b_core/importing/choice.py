"""Choose what a file is to be used as, or refuse it with the nearest layouts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from b2b_core.errors import UsageError
from b2b_core.importing.published import published_row
from b2b_core.importing.recognise import Match, fitting, nearest, shapes_of
from b2b_core.importing.unwrap import without_prefixes
from b2b_core.names import means
from b2b_core.specs import HOOK_OF_KIND

if TYPE_CHECKING:
    from torch import Tensor

    from b2b_core.catalogue import Catalogue

#: Taken where a file can be several kinds of component and nobody says which.
PREFERRED = "deblurrer"


class Chosen(NamedTuple):
    """A match, the tensors under the network's names, the kinds to choose from, and remarks."""

    match: Match
    tensors: Mapping[str, Tensor]
    kinds: tuple[str, ...]
    remarks: list[str]


def choose(
    catalogue: Catalogue, tensors: Mapping[str, Tensor], sha256: str, *, kind: str | None,
    component: str | None, where: Path,
) -> Chosen:  # fmt: skip
    """Return the component that takes these tensors; prefixes of all names are tried without.

    Raises:
        UsageError: if none does (with the nearest layouts), or if it has to be said which.
    """
    for removed, named in without_prefixes(tensors):
        matches = fitting(catalogue, shapes_of(named))
        if matches:
            remarks = [f"'{removed}' was taken off the names"] if removed else []
            kinds = tuple(k for k in HOOK_OF_KIND if k in {match.kind for match in matches})
            match = _of_kind(matches, kinds, sha256, kind, component, where)
            return Chosen(match, named, kinds, remarks)
    raise _unknown(catalogue, tensors, where)


def _of_kind(
    matches: Sequence[Match], kinds: Sequence[str], sha256: str, kind: str | None,
    component: str | None, where: Path,
) -> Match:  # fmt: skip
    names = ", ".join(sorted({match.offer.spec.name for match in matches}))
    if component is not None:
        matches = [match for match in matches if _is_named(match, component)]
    if kind is None:
        kind = _default_kind(matches or (), kinds, sha256)
    matches = [match for match in matches if match.kind == kind]
    if not matches:
        wanted = f"{kind} '{component}'" if component else kind
        raise UsageError(
            f"the file holds the weights of {names} ({' or '.join(kinds)}), not of a {wanted}",
            where=where,
        )
    if len(matches) > 1:
        claims = " or ".join(match.full_name for match in matches)
        raise UsageError(
            f"{len(matches)} components take this file", where=where, mend=f"--component {claims}"
        )
    return matches[0]


def _default_kind(matches: Sequence[Match], kinds: Sequence[str], sha256: str) -> str:
    rows = (published_row(sha256, match.offer.spec.name) for match in matches)
    known = [row.kind for row in rows if row is not None and row.kind in kinds]
    if known:
        return known[0]
    return PREFERRED if PREFERRED in kinds else kinds[0]


def _is_named(match: Match, said: str) -> bool:
    distribution, _, name = said.rpartition(":")
    same = match.offer.spec.name == name
    return same and (not distribution or means(distribution, match.offer.distribution))


def _unknown(catalogue: Catalogue, tensors: Mapping[str, Tensor], where: Path) -> UsageError:
    """Say how far the file is from the nearest layouts, under whichever prefix is nearest."""
    ranked = [nearest(catalogue, shapes_of(named)) for _, named in without_prefixes(tensors)]
    best = max(ranked, key=lambda matches: matches[0].comparison.share if matches else 0.0)
    if not best:
        return UsageError(
            "no installed plugin knows this network: none of its names is in any layout",
            where=where,
            mend="b2b list-plugins shows what is installed; --member NAME takes another part",
        )
    return UsageError(
        f"no installed plugin knows this network; nearest: {', then '.join(map(str, best))}",
        where=where,
        mend="get the file again if it should be one of these",
    )

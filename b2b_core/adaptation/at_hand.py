"""Which known domains have their pairs and their deblurrer at hand, and how to get the rest.

Nothing is fetched, and what a plugin does wrong stops nothing, unless the user named its domain.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from b2b_core.adaptation.settings import DomainSettings
from b2b_core.catalogue.offers import of_kind
from b2b_core.data.domains import open_domain
from b2b_core.data.pairs import PairSet
from b2b_core.describe.component import name_to_say
from b2b_core.describe.published import weights_document
from b2b_core.errors import B2bError, UsageError
from b2b_core.importing.open import network_file
from b2b_core.registry import DomainRow, load_registry
from b2b_core.weights import resolve_weights

if TYPE_CHECKING:
    from b2b_core.catalogue import Catalogue


@frozen(kw_only=True, eq=False)
class KnownDomain:
    """An installed domain."""

    name: str
    #: Its name again, with what the user said of it: root, options, deblurrer.
    said: DomainSettings
    #: Name or file of its deblurrer; None where it has none.
    deblurrer: str | None
    #: Its training pairs, or None with the reason.
    pairs: PairSet | None = None
    reason: str = ""


def known_domains(catalogue: Catalogue, said: Sequence[DomainSettings]) -> list[KnownDomain]:
    """Return all installed domains; of the pairs only the headers are read.

    Args:
        catalogue: the installed components.
        said: what the user says of some of them.

    Raises:
        UsageError: if a domain of `said` is not installed or its pairs are not there, or if no
            domain has its pairs at hand.
    """
    wanted = {id(catalogue.spec("domain", one.name)): one for one in said}
    domains: list[KnownDomain] = []
    for offer in of_kind(catalogue.offers, "domain"):
        named = wanted.get(id(offer.spec))
        settings = evolve(named or DomainSettings(), name=name_to_say(offer, catalogue))
        domains.append(_opened(catalogue, settings, insisted=named is not None))
    if not any(domain.pairs for domain in domains):
        example = domains[0].name if domains else "NAME"
        raise UsageError(
            "no known domain has its pairs at hand",
            mend=f"say where they are, such as --domain-root {example}=DIR (b2b list domain "
            "--available lists all domains)",
        )
    return domains


def deblurrer_file(domain: KnownDomain, catalogue: Catalogue) -> Path:
    """Return the network file of a domain's deblurrer, without fetching anything.

    Raises:
        UsageError: if it has none or it is not at hand; says how to get it.
        B2bError: if the file is damaged.
    """
    name = domain.deblurrer
    if name is None:
        raise UsageError(
            "no deblurrer of its own",
            mend=f"b2b train deblurrer --domain {domain.name} makes one from its pairs",
        )
    row = load_registry().weights_named(name)
    mend = "" if row is None else str(weights_document(row, catalogue)["mend"])
    if mend:
        raise UsageError(f"its deblurrer '{name}' is not at hand", mend=mend)
    return network_file(resolve_weights(name, catalogue, offline=True), catalogue, "deblurrer")


def in_one_line(error: Exception) -> str:
    """Return what went wrong, whoever's code it is in."""
    text = str(error) if isinstance(error, B2bError) else f"{type(error).__name__}: {error}"
    return " ".join(text.split())


def _opened(catalogue: Catalogue, said: DomainSettings, *, insisted: bool) -> KnownDomain:
    own = catalogue.spec("domain", said.name).deblurrer
    domain = KnownDomain(name=said.name, said=said, deblurrer=said.deblurrer or own)
    try:
        built = catalogue.build("domain", said.name, said.options)
        if said.root is None and built.default_root() is None:
            return evolve(domain, reason=_how_to_get(said.name))
        pairs = open_domain(catalogue, said.name, said.root, "train", 1, said.options)
    except Exception as error:
        if insisted:
            raise
        return evolve(domain, reason=in_one_line(error))
    return evolve(domain, pairs=pairs)


def _how_to_get(name: str) -> str:
    row = load_registry().component_named("domain", name)
    source = f" (from {row.url})" if isinstance(row, DomainRow) and row.url else ""
    return f"no pairs at hand: --domain-root {name}=DIR{source}"

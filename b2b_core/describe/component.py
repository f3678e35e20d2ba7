"""One component as plain data: what a person asks before choosing it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import attrs

from b2b_core.catalogue import Catalogue
from b2b_core.catalogue.offers import Offer
from b2b_core.describe.example import example_of
from b2b_core.describe.facts import facts_of
from b2b_core.describe.published import weights_document
from b2b_core.describe.settings import settings_of
from b2b_core.errors import UsageError
from b2b_core.registry import load_registry

T = TypeVar("T")


def component_document(offer: Offer, catalogue: Catalogue) -> dict[str, object]:
    """Return everything that is known of a component without building it.

    `faults` says what could not be found out, because a plugin's spec is odd.
    """
    spec, faults = offer.spec, list[str]()
    weights = [row for row in load_registry().weights if (row.kind, row.component) == _key(offer)]
    said = name_to_say(offer, catalogue)
    return {
        **summary_document(offer, catalogue),
        "citation": str(spec.citation),
        "facts": _survived("facts", lambda: facts_of(spec), dict[str, object](), faults),
        # names of the published files that `b2b weights import` recognises
        "layouts": _survived("layouts", lambda: _layouts(offer), list[str](), faults),
        "settings": _survived(
            "settings", lambda: _settings(offer), list[dict[str, object]](), faults
        ),
        "weights": [weights_document(row, catalogue) for row in weights],
        "example": _survived("example", lambda: example_of(spec, said), "", faults),
        "faults": faults,
    }


def summary_document(offer: Offer, catalogue: Catalogue) -> dict[str, object]:
    """Return what a list of components says of one."""
    spec = offer.spec
    owner = next(p for p in catalogue.plugins if p.distribution == offer.distribution)
    return {
        "kind": spec.kind,
        "name": spec.name,
        "distribution": offer.distribution,
        "state": owner.state,
        "summary": str(spec.summary),
        "licence": str(spec.licence),
        "default": is_default(offer, catalogue),
        # the file that makes it the default
        "default_of": _default_of(offer) if is_default(offer, catalogue) else "",
    }


def is_default(offer: Offer, catalogue: Catalogue) -> bool:
    """Tell whether a component is taken where neither the user nor a strategy names one."""
    kind, name = _key(offer)
    return load_registry().defaults.get(kind) == name and _is_meant(offer, catalogue)


def _default_of(offer: Offer) -> str:
    return load_registry().default_sources.get(offer.spec.kind, "")


def name_to_say(offer: Offer, catalogue: Catalogue) -> str:
    """Return the name that means this component: qualified where the bare one does not."""
    name = offer.spec.name
    return name if _is_meant(offer, catalogue) else f"{offer.distribution}:{name}"


def _layouts(offer: Offer) -> list[str]:
    return [layout.name for layout in offer.spec.layouts]


def _settings(offer: Offer) -> list[dict[str, object]]:
    return [attrs.asdict(setting) for setting in settings_of(offer.spec.config)]


def _survived(what: str, made: Callable[[], T], otherwise: T, faults: list[str]) -> T:
    """Return what `made` makes; if the plugin's code or data stand in the way, note that."""
    try:
        return made()
    except Exception as error:
        text = " ".join(f"{type(error).__name__}: {error}".split())
        faults.append(f"its {what} cannot be told: {text}")
        return otherwise


def _is_meant(offer: Offer, catalogue: Catalogue) -> bool:
    try:
        return catalogue.owner(*_key(offer)).distribution == offer.distribution
    except UsageError:
        return False


def _key(offer: Offer) -> tuple[str, str]:
    return offer.spec.kind, offer.spec.name

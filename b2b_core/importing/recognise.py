"""Recognise a network by the names and shapes of its tensors, with the plugins' layouts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from attrs import frozen

from b2b_core.config import structure, unstructure
from b2b_core.errors import B2bError
from b2b_core.importing.comparison import Comparison, compare

if TYPE_CHECKING:
    from torch import nn

    from b2b_core.catalogue import Catalogue
    from b2b_core.catalogue.offers import Offer
    from b2b_core.layouts import Layout, Shapes


@frozen(eq=False, kw_only=True)
class Match:
    """A component that a file was held against."""

    offer: Offer
    layout: Layout[Any]
    #: All options of the component, as plain data.
    options: Mapping[str, object]
    #: The component, built without memory for its tensors where it allows that.
    network: nn.Module
    comparison: Comparison
    #: Why the options could not be read from the shapes; empty if they could.
    reason: str = ""

    @property
    def kind(self) -> str:
        """Kind of the component, such as "deblurrer"."""
        return self.offer.spec.kind

    @property
    def full_name(self) -> str:
        """Name that means this component, whatever else is installed."""
        return f"{self.offer.distribution}:{self.offer.spec.name}"

    @property
    def fits(self) -> bool:
        """Whether the file is this component's."""
        return self.comparison.fits and not self.reason

    def __str__(self) -> str:
        """Return layout, share of the names and differences in words."""
        share = f"{100 * self.comparison.share:.0f} % of names and shapes"
        why = "; ".join(filter(None, [self.reason, str(self.comparison)]))
        return f"{self.layout.name} ({share}: {why})"


def fitting(catalogue: Catalogue, found: Shapes) -> list[Match]:
    """Return the components that take exactly these tensors, each once; empty if none does."""
    matches: dict[tuple[str, str], Match] = {}
    for offer, layout in _layouts(catalogue):
        if (offer.spec.kind, offer.distribution + offer.spec.name) in matches:
            continue
        match = _tried(catalogue, offer, layout, found) if layout.may_be(found) else None
        if match is not None and match.fits:
            matches[offer.spec.kind, offer.distribution + offer.spec.name] = match
    return list(matches.values())


def nearest(catalogue: Catalogue, found: Shapes, at_most: int = 3) -> list[Match]:
    """Return the layouts that have most in common with these tensors, the nearest first.

    Those none of whose keys is there are left out.
    """
    best: dict[str, Match] = {}
    for offer, layout in _layouts(catalogue):
        related = layout.name not in best and any(key in found for key in layout.keys)
        match = _tried(catalogue, offer, layout, found) if related else None
        if match is not None and match.comparison.agreeing:
            best[layout.name] = match
    ranked = sorted(best.values(), key=lambda match: -match.comparison.share)
    return ranked[:at_most]


def held_against(
    catalogue: Catalogue, offer: Offer, layout: Layout[Any], found: Shapes,
    said: Mapping[str, object] | None = None,
) -> Match:  # fmt: skip
    """Read the options from the shapes, build the component and compare it with the file.

    Args:
        catalogue: builds the component.
        offer: the component.
        layout: one of its layouts.
        found: names and shapes of the file.
        said: options that the shapes do not show; they win.

    Raises:
        UsageError: if an option that was said is wrong.
    """
    spec, reason = offer.spec, ""
    try:
        config = layout.read(found)
    except (ValueError, LookupError) as error:
        config, reason = spec.config(), str(error)
    options = unstructure(config)
    if said:
        checked = structure(spec.config, {**options, **said}, where=f"{spec.kind} {spec.name}")
        options = unstructure(checked)
    network = _built(catalogue, spec.kind, f"{offer.distribution}:{spec.name}", options)
    return Match(
        offer=offer, layout=layout, options=options, network=network, reason=reason,
        comparison=compare(found, shapes_of(network.state_dict()), layout),
    )  # fmt: skip


def shapes_of(tensors: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Return the names and shapes of named tensors."""
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def _layouts(catalogue: Catalogue) -> Iterator[tuple[Offer, Layout[Any]]]:
    """Yield all layouts, those with most keys first, then by kind, name and distribution."""
    pairs = [(offer, layout) for offer in catalogue.offers for layout in offer.spec.layouts]

    def order(pair: tuple[Offer, Layout[Any]]) -> tuple[int, str, str, str, str]:
        offer, layout = pair
        spec = offer.spec
        return (-len(layout.keys), spec.kind, spec.name, offer.distribution, layout.name)

    yield from sorted(pairs, key=order)


def _tried(catalogue: Catalogue, offer: Offer, layout: Layout[Any], found: Shapes) -> Match | None:
    """Return the match; None where the plugin fails, which is logged and stops no other."""
    from b2b_core.log import get_logger

    try:
        return held_against(catalogue, offer, layout, found)
    except Exception as error:
        get_logger("plugins").warning(
            "a layout failed", plugin=offer.distribution, layout=layout.name, error=str(error)
        )
        return None


def _built(catalogue: Catalogue, kind: str, name: str, options: Mapping[str, object]) -> nn.Module:
    """Build a component on torch's meta device, which has shapes and no numbers, or else really."""
    import torch

    try:
        with torch.device("meta"):
            built = catalogue.build(kind, name, options)
    except B2bError:  # not every network can be built without numbers
        built = catalogue.build(kind, name, options)
    if not isinstance(built, torch.nn.Module):
        raise B2bError(f"the {kind} '{name}' has layouts, but is no network", where=name)
    return built

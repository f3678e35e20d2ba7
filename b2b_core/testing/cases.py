"""What is checked: a distribution, a component, a file of published weights."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from b2b_core.catalogue import Catalogue, Plugin, Switches, discover
from b2b_core.catalogue.metadata import Found, installed
from b2b_core.errors import UsageError
from b2b_core.names import PREFIX, means, normalised, suggestion
from b2b_core.testing.building import Build, build
from b2b_core.testing.check import skip
from b2b_core.testing.probe import SECONDS, Probe, probe

if TYPE_CHECKING:
    from torch import nn

    from b2b_core.registry import WeightsRow
    from b2b_core.specs import Spec
    from b2b_core.weights.inventory import Holding


def isolated_catalogue(distribution: str, seconds: float = SECONDS) -> Catalogue:
    """Return the catalogue of one installed distribution and nothing else.

    Args:
        distribution: its name, with or without `b2b-plugin-`.
        seconds: that importing its light modules may take.

    Raises:
        UsageError: if it is not installed; names the closest one.
    """
    return discover(Switches(only=(found_named(distribution).name,), seconds=seconds))


def found_named(said: str) -> Found:
    """Return the installed plugin that `said`, with or without `b2b-plugin-`, means.

    Raises:
        UsageError: if there is none; names the closest one.
    """
    everything = installed()
    matches = [found for found in everything if means(said, found.name)]
    exact = [found for found in matches if found.name == normalised(said)]
    if not matches:
        names = [found.name for found in everything]
        known = [*names, *(name.removeprefix(PREFIX) for name in names)]
        mend = suggestion(said, known, none="no plugin is installed")
        raise UsageError(f"there is no plugin '{said}'", mend=mend)
    return (exact or matches)[0]


class PluginCase:
    """An installed distribution.

    Args:
        found: its metadata.
        seconds: that importing its light modules may take.
    """

    def __init__(self, found: Found, seconds: float = SECONDS) -> None:
        self.found = found
        self._seconds = seconds

    @cached_property
    def probe(self) -> Probe:
        """What importing it does, in a process of its own."""
        return probe(self.found, self._seconds)

    @cached_property
    def catalogue(self) -> Catalogue:
        """It alone; only asked for once the probe has shown that it can be imported here."""
        return isolated_catalogue(self.found.name, self._seconds)

    @property
    def plugin(self) -> Plugin:
        """Its state in a catalogue of its own."""
        name = self.found.name
        return next(one for one in self.catalogue.plugins if one.distribution == name)

    @cached_property
    def components(self) -> tuple[ComponentCase, ...]:
        """Its components; none if it cannot be loaded."""
        if not self.probe.usable or not self.plugin.works:
            return ()
        return tuple(
            ComponentCase(offer.spec, self.found.name, self.catalogue)
            for offer in self.catalogue.offers
            if offer.distribution == self.found.name
        )

    @cached_property
    def weights(self) -> tuple[WeightsCase, ...]:
        """The published weights that it ships, or that are for its components."""
        from b2b_core.registry import load_registry

        if not self.components:
            return ()
        mine = {(case.spec.kind, case.spec.name) for case in self.components}
        return tuple(
            WeightsCase(row, self.found.name, self.catalogue)
            for row in load_registry().weights
            if normalised(row.distribution or "") == self.found.name
            or (not row.distribution and (row.kind, row.component) in mine)
        )

    def forget(self) -> None:
        """Free nothing: metadata are small."""


class ComponentCase:
    """A component; what is built of it is kept until `forget`.

    Args:
        spec: its description.
        distribution: the plugin that offers it.
        catalogue: that plugin alone; asked about weights.
    """

    def __init__(
        self, spec: Spec[Any, Any], distribution: str, catalogue: Catalogue | None = None
    ) -> None:
        self.spec, self.distribution = spec, distribution
        self.catalogue = catalogue
        self._builds: dict[tuple[int, int], Build] = {}
        self._kept: dict[str, object] = {}

    def built(self, seed: int = 1, copy: int = 0) -> Build:
        """Return a build with defaults, or the error of one; made once per seed and copy."""
        if (seed, copy) not in self._builds:
            self._builds[seed, copy] = build(self.spec, seed)
        return self._builds[seed, copy]

    def product(self, seed: int = 1, copy: int = 0) -> Any:  # noqa: ANN401 - of any kind
        """Return what the factory makes; skip the check if it makes nothing."""
        made = self.built(seed, copy)
        if made.error is not None:
            skip("it cannot be built: see the check 'builds'")
        return made.product

    def network(self, seed: int = 1, copy: int = 0) -> nn.Module:
        """Return the product in evaluation mode; skip the check if it is no network."""
        from torch import nn

        product = self.product(seed, copy)
        if not isinstance(product, nn.Module):
            skip("it is no torch.nn.Module: see the check 'is-network'")
        return product.eval()

    def awake(self) -> nn.Module:
        """Return a network whose parameters are all at work, in evaluation mode.

        Many networks start as the identity, because some of their parameters start at zero; what
        the others do would show in nothing. These get small random values, as one step of training
        would give them.
        """
        woken: nn.Module = self.kept("awake", lambda: _woken(self.network(1, copy=2)))
        return woken.eval()

    def kept(self, key: str, make: Callable[[], object]) -> Any:  # noqa: ANN401 - the caller knows
        """Return what `make` gives, made once: what several checks look at."""
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]

    def forget(self) -> None:
        """Free the memory of what was built."""
        self._builds.clear()
        self._kept.clear()


def _woken(network: nn.Module) -> nn.Module:
    import torch

    draw = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            if not parameter.any():
                parameter.copy_(0.1 * torch.randn(parameter.shape, generator=draw))
    return network


class WeightsCase:
    """Published weights, as a row of the index.

    Args:
        row: what the index says.
        distribution: the plugin that is checked.
        catalogue: that plugin alone.
    """

    def __init__(self, row: WeightsRow, distribution: str, catalogue: Catalogue) -> None:
        self.row, self.distribution, self.catalogue = row, distribution, catalogue

    @cached_property
    def held(self) -> Holding:
        """Where the file is, if it is at hand; nothing is ever fetched."""
        from b2b_core.weights.acceptance import Acceptance
        from b2b_core.weights.inventory import holding

        return holding(self.row, self.catalogue, Acceptance())

    @property
    def path(self) -> Path:
        """The file; skip the check if it is not at hand."""
        path = self.held.path
        if path is None or not path.is_file():
            skip(f"needs the weights {self.row.name}: {self.held.state}")
        return path

    def forget(self) -> None:
        """Free nothing: files are read again by each check."""

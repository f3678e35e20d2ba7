"""All checks, in the order in which they are made."""

from __future__ import annotations

from b2b_core.testing.cases import ComponentCase, PluginCase, WeightsCase
from b2b_core.testing.check import Check
from b2b_core.testing.checks import (
    builds,
    demos,
    distribution,
    domains,
    extractors,
    facts,
    imports,
    layouts,
    losses,
    metrics,
    networks,
    options,
    parameters,
    published,
    sizes,
    specs,
    strategies,
)

#: Of a distribution.
PLUGIN_CHECKS: tuple[Check[PluginCase], ...] = (*distribution.CHECKS, *imports.CHECKS)

#: Of a component, by level.
COMPONENT_CHECKS: tuple[Check[ComponentCase], ...] = (
    *specs.CHECKS,
    *facts.CHECKS,
    *options.CHECKS,
    *builds.CHECKS,
    *parameters.CHECKS,
    *layouts.CHECKS,
    *sizes.CHECKS,
    *networks.CHECKS,
    *extractors.CHECKS,
    *losses.CHECKS,
    *metrics.CHECKS,
    *domains.CHECKS,
    *demos.CHECKS,
    *strategies.CHECKS,
    *published.CHECKS,
)

#: Of published weights.
WEIGHTS_CHECKS: tuple[Check[WeightsCase], ...] = published.WEIGHTS

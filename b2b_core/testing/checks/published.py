"""Level 3: published weights, and the names by which domains ask for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from attrs import fields_dict

from b2b_core.errors import B2bError, UsageError
from b2b_core.specs import DomainSpec
from b2b_core.testing.cases import ComponentCase, WeightsCase
from b2b_core.testing.check import (
    Check,
    CheckFailedError,
    component_check,
    fail,
    skip,
    weights_check,
)
from b2b_core.testing.checks.distribution import spdx_problem

if TYPE_CHECKING:
    from torch import nn

    from b2b_core.specs import Spec


@weights_check("return the file from the hook b2b_resolve_weights, and see that the wheel holds it")
def weights_at_hand(case: WeightsCase) -> None:
    """Check that weights that the index says a plugin ships are there; others may be."""
    held = case.held
    if case.row.distribution and held.shipped_by is None:
        fail(f"the index says that it ships '{case.row.name}'", where="b2b_resolve_weights")
    if held.shipped_by and (held.path is None or not held.path.is_file()):
        fail(f"the file of the weights '{case.row.name}' is missing", where=held.path or "")
    if held.path is None:
        skip(f"needs the weights {case.row.name}: {held.state}")


@weights_check(
    "write sha256 and bytes of the file that ships into registry.toml, or ship that file"
)
def weights_hash(case: WeightsCase) -> None:
    """Check that the file is the one whose sha256 and length the index knows."""
    from b2b_core.weights.inventory import fault_in, mend_of

    row, path = case.row, case.path
    if row.distribution and row.sha256 is None:
        fail(f"the index knows no sha256 of '{row.name}'", where="registry.toml")
    mend = None if case.held.shipped_by else mend_of(case.held)
    if row.bytes is not None and case.held.state == "damaged":
        fail(
            f"it has {path.stat().st_size} bytes, the index says {row.bytes}", where=path, mend=mend
        )
    if problem := fault_in(case.held):
        fail(problem, where=path, mend=mend)


@weights_check("write an SPDX expression in registry.toml, or 'none stated'")
def weights_licence(case: WeightsCase) -> None:
    """Check that the index says under which licence the weights are."""
    from b2b_core.registry.licences import NO_LICENCE

    problem = spdx_problem(case.row.licence)
    if problem and case.row.licence not in NO_LICENCE:
        fail(problem, where=f"registry.toml, weights {case.row.name}")


@weights_check("make the file again with the component's present options and names")
def weights_load(case: WeightsCase) -> None:
    """Check that the file fits the component, strictly, and that its header agrees."""
    from b2b_core.networks import read_network_header

    row = case.row
    if case.path.suffix == ".safetensors":
        header = read_network_header(case.path)
        if (header.kind, header.component) != (row.kind, row.component):
            fail(
                f"the file holds the {header.kind} '{header.component}', the index says "
                f"{row.kind} '{row.component}'",
                where=case.path,
            )
    _loaded(case)


@weights_check("train again, or find out which operation differs: the output has to be usable")
def weights_output(case: WeightsCase) -> None:
    """Check that the loaded network changes pictures, and gives what it should."""
    import torch

    from b2b_core.testing.checks.sizes import problem_at
    from b2b_core.testing.networks import inputs_of, quiet_outputs, size_of

    try:
        spec, network = _loaded(case)
    except CheckFailedError:
        skip("they cannot be loaded: see the check 'weights-load'")
    rule = size_of(spec)
    size = (rule.fit(72), rule.fit(56))
    if spec.kind in ("translator", "deblurrer", "kernel-extractor"):
        problem = problem_at(spec, network, size)
        if problem:
            fail(f"at {size[0]}x{size[1]} {problem}", where=case.path)
    inputs = inputs_of(spec, 1, size)
    made, again = (quiet_outputs(spec, network, inputs) for _ in range(2))
    if not all(torch.isfinite(image).all() for image in made):
        fail("the output is NaN or infinite", where=case.path)
    if not all(map(torch.equal, made, again)):
        fail("two calls give two outputs", where=case.path)
    if made[-1].shape == inputs[0].shape and torch.equal(made[-1], inputs[0]):
        fail("the network leaves pictures as they are", where=case.path)


@component_check(3, "name weights that are published for this kind, or ship them", "domain")
def domain_weights(case: ComponentCase) -> None:
    """Check that the weights that a domain names exist, and are of the right kind."""
    from b2b_core.registry import load_registry

    spec = case.spec
    assert isinstance(spec, DomainSpec)
    for name, kind in ((spec.deblurrer, "deblurrer"), (spec.extractor, "kernel-extractor")):
        if name is None:
            continue
        row = load_registry().weights_named(name)
        found = row.kind if row else _shipped_kind(case, name)
        if found is None:
            fail(f"neither the index nor the plugin knows the weights '{name}'", where=spec.name)
        if found != kind:
            fail(f"the weights '{name}' are those of a {found}, not of a {kind}", where=spec.name)


def _shipped_kind(case: ComponentCase, name: str) -> str | None:
    from b2b_core.networks import read_network_header

    answers = case.catalogue.answers("b2b_resolve_weights", name=name) if case.catalogue else []
    return read_network_header(answers[0][1]).kind if answers else None


def _loaded(case: WeightsCase) -> tuple[Spec[Any, Any], nn.Module]:
    """Return the component's spec and the network with its weights; all plugins may be needed."""
    from b2b_core.catalogue import discover
    from b2b_core.importing.open import network_file
    from b2b_core.networks import load_network

    row, catalogue, path = case.row, discover(), case.path
    try:
        spec = catalogue.spec(row.kind, row.component)
    except UsageError as error:
        skip(f"needs the {row.kind} '{row.component}': {error.mend or error.what}")
    try:
        if "weights" not in fields_dict(spec.config):
            file = network_file(path, catalogue, row.kind)
            return spec, load_network(file, catalogue, row.kind)[1]
        network = catalogue.build(row.kind, row.component, {"weights": str(path)})
    except B2bError as error:
        fail(error.what, where=error.where or path, mend=error.mend)
    return spec, cast("nn.Module", network)


WEIGHTS: tuple[Check[WeightsCase], ...] = (
    weights_at_hand,
    weights_hash,
    weights_licence,
    weights_load,
    weights_output,
)
CHECKS: tuple[Check[ComponentCase], ...] = (domain_weights,)

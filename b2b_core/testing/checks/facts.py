"""Level 0: what the spec of one kind says, as far as it can be wrong by itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise

from b2b_core.config import structure
from b2b_core.errors import B2bError
from b2b_core.names import suggestion
from b2b_core.specs import (
    HOOK_OF_KIND,
    DeblurrerSpec,
    DiscriminatorSpec,
    DomainSpec,
    KernelExtractorSpec,
    LossSpec,
    MetricSpec,
    StrategySpec,
    TranslatorSpec,
)
from b2b_core.testing.cases import ComponentCase
from b2b_core.testing.check import Check, component_check, fail
from b2b_core.testing.checks.specs import default_config
from b2b_core.training.presets import with_preset

#: What a loss may be for.
ROLES = ("adversarial", "reconstruction", "penalty", "fidelity")
_WORD = re.compile(r"[a-z][a-z0-9_]*")
_WEIGHTS = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\.[a-z0-9]+(-[a-z0-9]+)*")


@component_check(
    0,
    "list the scales coarse to fine, such as scales=(0.25, 0.5, 1.0)",
    "translator",
    "discriminator",
)
def scales(case: ComponentCase) -> None:
    """Check that scales increase, lie in (0, 1], and end in 1."""
    spec = case.spec
    assert isinstance(spec, TranslatorSpec | DiscriminatorSpec)
    found = tuple(spec.scales)
    rising = all(coarse < fine for coarse, fine in pairwise(found))
    if not found or not rising or found[0] <= 0 or found[-1] != 1:
        fail(f"the scales {found} are not increasing up to 1.0", where="scales")


@component_check(
    0,
    "write whole numbers of pixels, such as size=SizeRule(multiple_of=8)",
    "translator",
    "deblurrer",
    "kernel-extractor",
)
def size_rule(case: ComponentCase) -> None:
    """Check that the size rule is made of positive whole numbers."""
    spec = case.spec
    assert isinstance(spec, TranslatorSpec | DeblurrerSpec | KernelExtractorSpec)
    for name in ("multiple_of", "minimum"):
        value: object = getattr(spec.size, name)
        if type(value) is not int or value < 1:
            fail(f"{name} is {value!r}, not a positive whole number", where="size")


@component_check(0, f"choose from {', '.join(ROLES)}", "loss")
def loss_role(case: ComponentCase) -> None:
    """Check that the role is one that strategies know."""
    spec = case.spec
    assert isinstance(spec, LossSpec)
    if spec.role not in ROLES:
        fail(f"the role '{spec.role}' is none that strategies know", where="role")


@component_check(0, 'name the tensors that it reads, such as needs=("output", "target")', "loss")
def loss_needs(case: ComponentCase) -> None:
    """Check that a loss says which tensors it is called with."""
    spec = case.spec
    assert isinstance(spec, LossSpec)
    if not spec.needs or len(set(spec.needs)) != len(spec.needs):
        fail(f"the names {spec.needs!r} are not distinct names of tensors", where="needs")
    for name in spec.needs:
        if not _WORD.fullmatch(name):
            fail(f"'{name}' is no name of a tensor", where="needs")


@component_check(0, "say colour, rounding and window, such as protocol='rgb-uint8'", "metric")
def metric_protocol(case: ComponentCase) -> None:
    """Check that a metric names the protocol by which it is measured."""
    spec = case.spec
    assert isinstance(spec, MetricSpec)
    if not spec.protocol.strip():
        fail("it names no protocol, without which its numbers mean nothing", where="protocol")


@component_check(
    0, "describe the tree below the root, such as layout='DIR/{blurry,sharp}/NAME'", "domain"
)
def domain_facts(case: ComponentCase) -> None:
    """Check that a domain describes its layout, and counts and names what it should."""
    spec = case.spec
    assert isinstance(spec, DomainSpec)
    if not spec.layout.strip():
        fail("it does not say how its files have to lie", where="layout")
    for split, count in spec.counts.items():
        if split not in ("train", "test") or count < 1:
            mend = "write counts={'train': N, 'test': N}"
            fail(f"counts has {split!r}: {count!r}", where="counts", mend=mend)
    for kind in ("deblurrer", "extractor"):
        name: str | None = getattr(spec, kind)
        if name is not None and not _WEIGHTS.fullmatch(name):
            mend = f"write the name of published weights, such as {kind}='unet.{spec.name}'"
            fail(f"'{name}' is no name of published weights", where=kind, mend=mend)


@component_check(0, "name kinds of component as b2b list does", "strategy")
def strategy_needs(case: ComponentCase) -> None:
    """Check that a strategy needs known kinds, and has defaults for what it needs only."""
    spec = case.spec
    assert isinstance(spec, StrategySpec)
    for kind in (*spec.needs, *spec.defaults):
        if kind not in HOOK_OF_KIND:
            mend = suggestion(kind, HOOK_OF_KIND)
            fail(f"there is no kind '{kind}'", where="needs, defaults", mend=mend)
    for kind in spec.defaults:
        if kind not in spec.needs:
            mend = f"add '{kind}' to needs, or remove its default"
            fail(
                f"it has a default for a {kind}, which it does not need",
                where="defaults",
                mend=mend,
            )
    if type(spec.margin) is not int or spec.margin < 0:
        mend = "write a whole number of pixels"
        fail(f"the margin is {spec.margin!r}", where="margin", mend=mend)


@component_check(0, "write the presets with options that the config class has", "strategy")
def strategy_presets(case: ComponentCase) -> None:
    """Check that every preset of a strategy is accepted by its config class."""
    spec = case.spec
    assert isinstance(spec, StrategySpec)
    presets: Mapping[str, Mapping[str, object]] = spec.presets
    if presets:
        default_config(case)
    for name in presets:
        try:
            structure(spec.config, with_preset(spec, {"preset": name}), where=f"preset {name}")
        except B2bError as error:
            fail(f"the preset '{name}': {error.what}", where="presets", mend=error.mend)


CHECKS: tuple[Check[ComponentCase], ...] = (
    scales,
    size_rule,
    loss_role,
    loss_needs,
    metric_protocol,
    domain_facts,
    strategy_needs,
    strategy_presets,
)

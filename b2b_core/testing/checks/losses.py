"""Level 2: losses and what they are called with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from b2b_core.specs import LossSpec, Spec
from b2b_core.testing.cases import ComponentCase
from b2b_core.testing.check import Check, component_check, fail

if TYPE_CHECKING:
    from torch import Tensor

#: Names of tensors that are maps of a discriminator's logits.
LOGITS = ("fake", "real", "logits", "d_fake", "d_real")


def _is_adversarial(spec: Spec[Any, Any]) -> bool:
    return isinstance(spec, LossSpec) and spec.role == "adversarial"


@component_check(
    2, "return {'name': scalar, ...}, computed from the tensors of `needs` alone", "loss"
)
def loss_terms(case: ComponentCase) -> None:
    """Check that the tensors that `needs` names are enough, and give named finite scalars."""
    import torch

    terms = _called(case, _needs(case))
    for name, value in terms.items():
        if value.ndim != 0:
            fail(
                f"the term '{name}' has shape {tuple(value.shape)}",
                where="__call__",
                mend="return its mean, which does not grow with the picture",
            )
        if not torch.isfinite(value):
            fail(
                f"the term '{name}' is {float(value.detach())}",
                where="__call__",
                mend="guard logarithms and divisions, or compute them in a stable form",
            )


@component_check(
    2, "compute with torch from its inputs on: no .item(), .detach() or no_grad", "loss"
)
def loss_gradients(case: ComponentCase) -> None:
    """Check that every term has a finite slope with respect to something that learns."""
    import torch

    for name in _called(case, _needs(case)):
        tensors, leaves = named_tensors(_needs(case))
        term = _called(case, tensors)[name]
        if not term.requires_grad:
            fail(f"no gradient comes from the term '{name}'", where="__call__")
        found: list[Tensor | None] = [*torch.autograd.grad(term, leaves, allow_unused=True)]
        slopes = [slope for slope in found if slope is not None]
        if not any(bool(slope.any()) for slope in slopes):
            fail(f"the gradient of the term '{name}' is zero everywhere", where="__call__")
        if not all(bool(torch.isfinite(slope).all()) for slope in slopes):
            fail(
                f"the gradient of the term '{name}' is NaN or infinite",
                where="__call__",
                mend="guard roots and norms, whose slope is infinite at zero",
            )


@component_check(
    2,
    "return 'generator' given 'fake', and 'discriminator' too given 'real' as well",
    "loss",
    only=_is_adversarial,
)
def adversarial_terms(case: ComponentCase) -> None:
    """Check that an adversarial loss has the terms that strategies ask for."""
    for names, wanted in ((("fake",), "generator"), (("fake", "real"), "discriminator")):
        try:
            found = list(_called(case, names))
        except KeyError as error:
            fail(f"given {' and '.join(names)} it asks for {error}", where="__call__")
        if wanted not in found:
            fail(
                f"given {' and '.join(names)} it returns {', '.join(found)}, no '{wanted}'",
                where="__call__",
            )


def _needs(case: ComponentCase) -> tuple[str, ...]:
    assert isinstance(case.spec, LossSpec)
    return case.spec.needs


def _called(
    case: ComponentCase, given: tuple[str, ...] | Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Return the terms; the check fails if they are no named tensors."""
    import torch

    tensors = given if isinstance(given, Mapping) else named_tensors(given)[0]
    made: object = case.product()(tensors)
    what = type(made).__name__
    if not isinstance(made, dict) or not made:
        fail(f"it returns {what}, not a dictionary of terms", where="__call__")
    terms = cast("dict[object, object]", made)
    for name, value in terms.items():
        if not isinstance(name, str) or not isinstance(value, torch.Tensor):
            fail(f"the term {name!r} is {type(value).__name__}, not a tensor", where="__call__")
    return cast("dict[str, Tensor]", terms)


def named_tensors(names: tuple[str, ...]) -> tuple[dict[str, Tensor], list[Tensor]]:
    """Return plausible tensors by name, and the leaves that they were computed from.

    Logits (`fake`, `real`, `logits`) are maps `(2, 1, 8, 8)`; `inputs` are pictures that require a
    gradient, and `logits` then come from them through a small convolution; everything else is
    pictures `(2, 3, 16, 16)`.
    """
    import torch
    from torch.nn import functional as F

    from b2b_core.testing.inputs import pictures

    draw = torch.Generator().manual_seed(0)
    kernel = torch.randn(1, 3, 3, 3, generator=draw).requires_grad_()
    tensors: dict[str, Tensor] = {}
    for seed, name in enumerate(names):
        if name in LOGITS:
            tensors[name] = torch.randn(2, 1, 8, 8, generator=draw).requires_grad_()
        else:
            tensors[name] = pictures(2, 16, 16, seed).requires_grad_()
    leaves = [*tensors.values(), kernel]
    if {"inputs", "logits"} <= tensors.keys():
        # a network that is bent, so that its slope has a slope
        tensors["logits"] = F.conv2d(tensors["inputs"].square(), kernel)
    return tensors, leaves


CHECKS: tuple[Check[ComponentCase], ...] = (loss_terms, loss_gradients, adversarial_terms)

"""How a network of each kind is called: pictures in, tensors out, whatever its contract is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil
from typing import Any, cast

import torch
from attrs import frozen
from torch import Tensor, nn

from b2b_core.contracts import BlurCode
from b2b_core.specs import DiscriminatorSpec, SizeRule, Spec
from b2b_core.testing.check import fail
from b2b_core.testing.inputs import blurred, pictures, pyramid

#: Sides of the pictures that most checks use, before the size rule; high and narrow.
HEIGHT, WIDTH = 64, 48
#: Smallest side of a pyramid's level that a discriminator is tried with.
SMALLEST_LEVEL = 24

#: Takes a network and what it is called with.
Forward = Callable[[Any, Sequence[Tensor]], object]


@frozen
class Manner:
    """How a kind of network is called."""

    forward: Forward
    #: What the output has to be, for people.
    returns: str


def _call(network: Any, inputs: Sequence[Tensor]) -> object:  # noqa: ANN401 - any network
    return network(inputs[0])


def _call_one(network: Any, inputs: Sequence[Tensor]) -> object:  # noqa: ANN401
    made = network(inputs[0])
    return [made] if isinstance(made, Tensor) else made


def _call_pyramid(network: Any, inputs: Sequence[Tensor]) -> object:  # noqa: ANN401
    return network(list(inputs))


def _extract_and_reblur(network: Any, inputs: Sequence[Tensor]) -> object:  # noqa: ANN401
    code = network.extract(*inputs)
    if not isinstance(code, BlurCode):
        return code
    deviation = [] if code.sigma is None else [code.sigma]
    return [network.reblur(inputs[0], code.mean), code.mean, *deviation]


MANNERS = {
    "translator": Manner(_call, "a list of tensors, coarse to fine"),
    "deblurrer": Manner(_call_one, "one tensor"),
    "discriminator": Manner(_call_pyramid, "a list of maps of logits"),
    "kernel-extractor": Manner(_extract_and_reblur, "a BlurCode and a tensor"),
    "feature-extractor": Manner(_call, "a list of feature maps"),
}


def size_of(spec: Spec[Any, Any]) -> SizeRule:
    """Return the size rule, or that any size will do."""
    rule: SizeRule = getattr(spec, "size", SizeRule())
    return rule


def usual_size(spec: Spec[Any, Any]) -> tuple[int, int]:
    """Return height and width of the pictures that most checks use."""
    if isinstance(spec, DiscriminatorSpec):
        least = ceil(SMALLEST_LEVEL / spec.scales[0])
        return max(HEIGHT, least + least // 3), max(WIDTH, least)
    return size_of(spec).fit(HEIGHT), size_of(spec).fit(WIDTH)


def inputs_of(
    spec: Spec[Any, Any], count: int, size: tuple[int, int] | None = None, seed: int = 0
) -> list[Tensor]:
    """Return what a network of a kind is called with: `count` pictures of `size`."""
    image = pictures(count, *(size or usual_size(spec)), seed)
    if isinstance(spec, DiscriminatorSpec):
        return pyramid(image, spec.scales)
    if spec.kind == "kernel-extractor":
        return [image, blurred(image)]
    return [image]


def outputs_of(spec: Spec[Any, Any], network: nn.Module, inputs: Sequence[Tensor]) -> list[Tensor]:
    """Call the network and return its outputs; the check fails if they are no tensors."""
    manner = MANNERS[spec.kind]
    made = manner.forward(network, inputs)
    what = type(made).__name__
    if not isinstance(made, list | tuple) or not made:
        fail(f"it returns {what}, not {manner.returns}", where="forward")
    tensors: list[Tensor] = []
    for item in cast("Sequence[object]", made):
        if not isinstance(item, Tensor):
            wrong = type(item).__name__
            fail(f"it returns {wrong} among its outputs, not {manner.returns}", where="forward")
        tensors.append(item)
    return tensors


@torch.no_grad()
def quiet_outputs(
    spec: Spec[Any, Any], network: nn.Module, inputs: Sequence[Tensor]
) -> list[Tensor]:
    """Do as `outputs_of`, without gradients."""
    return outputs_of(spec, network, inputs)


def distance(found: Sequence[Tensor], wanted: Sequence[Tensor]) -> float:
    """Return the largest difference, relative to the mean magnitude of the tensor it is in."""
    return max(float(_difference(*pair).max()) for pair in zip(found, wanted, strict=True))


def mean_distance(found: Sequence[Tensor], wanted: Sequence[Tensor]) -> float:
    """Return the mean difference, relative to the mean magnitude; that of the worst tensor."""
    return max(float(_difference(*pair).mean()) for pair in zip(found, wanted, strict=True))


def _difference(one: Tensor, other: Tensor) -> Tensor:
    scale = other.float().abs().mean() + 1e-3
    return (one.float() - other.float()).abs() / scale

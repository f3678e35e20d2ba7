"""Level 2: how every network behaves, whatever it is for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from b2b_core.testing.cases import ComponentCase
from b2b_core.testing.check import Check, component_check, fail
from b2b_core.testing.checks.builds import NETWORKS
from b2b_core.testing.checks.parameters import TRAINED

if TYPE_CHECKING:
    from torch import Tensor

#: Largest difference, relative to the mean magnitude, of two ways to compute the same in float32;
#: b2b's own networks differ by 3e-5 at most.
ROUNDING = 1e-3
#: Mean difference of bfloat16, which has 8 bits; b2b's own networks differ by 0.04 at most.
HALF = 0.1


@component_check(
    2, "guard logarithms, roots and divisions; keep the input's number format", *NETWORKS
)
def finite_float32(case: ComponentCase) -> None:
    """Check that float32 pictures, also black and white ones, give finite float32."""
    import torch

    from b2b_core.testing.networks import inputs_of, quiet_outputs

    usual = inputs_of(case.spec, 1)
    tried = {
        "ordinary": usual,
        "black": [torch.zeros_like(image) for image in usual],
        "white": [torch.ones_like(image) for image in usual],
    }
    for name, inputs in tried.items():
        for made in quiet_outputs(case.spec, case.awake(), inputs):
            if made.dtype != torch.float32:
                fail(f"float32 goes in, {made.dtype} comes out", where="forward")
            if not torch.isfinite(made).all():
                fail(f"{name} pictures give NaN or infinity", where="forward")


@component_check(
    2, "compute each picture by itself: no statistics over the batch in eval mode", *NETWORKS
)
def batch_independence(case: ComponentCase) -> None:
    """Check that two pictures at once give what they give one by one."""
    import torch

    from b2b_core.testing.networks import distance, inputs_of, quiet_outputs

    network, spec = case.awake(), case.spec
    both = inputs_of(spec, 2)
    together = quiet_outputs(spec, network, both)
    alone = [quiet_outputs(spec, network, [image[i : i + 1] for image in both]) for i in (0, 1)]
    joined = [torch.cat(parts) for parts in zip(*alone, strict=True)]
    _same_shapes(together, joined)
    if (apart := distance(together, joined)) > ROUNDING:
        fail(
            f"a picture comes out differently beside another one (by {apart:.2g})", where="forward"
        )


@component_check(
    2, "switch dropout and noise off in eval mode; keep no state between calls", *NETWORKS
)
def deterministic(case: ComponentCase) -> None:
    """Check that in eval mode one picture always gives one output, whatever the random state is."""
    import torch

    from b2b_core.testing.networks import inputs_of, quiet_outputs
    from b2b_core.typed_torch import random

    inputs, made = inputs_of(case.spec, 1), list[list["Tensor"]]()
    with random.fork_rng(devices=[]):
        for seed in (1, 2):
            random.manual_seed(seed)
            made.append(quiet_outputs(case.spec, case.awake(), inputs))
    if not all(torch.equal(*pair) for pair in zip(*made, strict=True)):
        fail("the same picture gives two different outputs in eval mode", where="forward")


@component_check(2, "remove what is never used, or freeze it with requires_grad_(False)", *TRAINED)
def gradients(case: ComponentCase) -> None:
    """Check that every trainable parameter gets a finite gradient."""
    import torch

    from b2b_core.testing.networks import inputs_of, outputs_of

    network = case.awake().train()
    try:
        made = outputs_of(case.spec, network, inputs_of(case.spec, 2))
        loss = torch.stack([(image.float() * _weights(image)).sum() for image in made]).sum()
        torch.autograd.backward(loss)
        learned = [(name, p.grad) for name, p in network.named_parameters() if p.requires_grad]
    finally:
        network.zero_grad(set_to_none=True)
        network.eval()
    none = [name for name, gradient in learned if gradient is None]
    if none:
        shown = ", ".join(none[:3]) + (", ..." if len(none) > 3 else "")
        fail(f"{len(none)} of {len(learned)} parameters get no gradient: {shown}", where="forward")
    for name, gradient in learned:
        if gradient is not None and not torch.isfinite(gradient).all():
            mend = "guard roots, norms and divisions, whose slope is infinite at zero"
            fail(f"the gradient of '{name}' is NaN or infinite", where="forward", mend=mend)


@component_check(
    2,
    "compute without torch.no_grad, detach and rounding from the picture on",
    "feature-extractor",
    "deblurrer",
    "translator",
    "discriminator",
)
def gradient_of_picture(case: ComponentCase) -> None:
    """Check that a gradient reaches the picture, as behind another network that learns."""
    import torch

    from b2b_core.testing.networks import inputs_of, outputs_of

    inputs = [image.requires_grad_() for image in inputs_of(case.spec, 1)]
    made = outputs_of(case.spec, case.awake(), inputs)
    loss = torch.stack([(image.float() * _weights(image)).sum() for image in made]).sum()
    if not loss.requires_grad:
        fail("the output does not depend on the picture, as far as gradients tell", where="forward")
    gradients: list[Tensor | None] = [*torch.autograd.grad(loss, inputs, allow_unused=True)]
    for gradient in gradients:
        if gradient is None or not torch.isfinite(gradient).all() or not gradient.any():
            fail("the gradient of the picture is missing, zero or not finite", where="forward")


@component_check(
    2, "compute what is sensitive in float32: with torch.autocast(enabled=False)", *NETWORKS
)
def bfloat16(case: ComponentCase) -> None:
    """Check that under bfloat16 autocast the outputs are finite and near those of float32."""
    import torch

    from b2b_core.testing.networks import inputs_of, mean_distance, quiet_outputs

    network, spec, inputs = case.awake(), case.spec, inputs_of(case.spec, 1)
    wanted = quiet_outputs(spec, network, inputs)
    with torch.autocast("cpu", torch.bfloat16):
        made = quiet_outputs(spec, network, inputs)
    if not all(torch.isfinite(image).all() for image in made):
        fail("bfloat16 gives NaN or infinity", where="forward")
    _same_shapes(made, wanted)
    if (apart := mean_distance(made, wanted)) > HALF:
        fail(f"bfloat16 gives something else than float32 (by {apart:.2g})", where="forward")


@component_check(2, "use reshape for view, and never rely on strides", *NETWORKS)
def channels_last(case: ComponentCase) -> None:
    """Check that the layout in which the core keeps networks changes nothing but the speed."""
    import torch

    from b2b_core.testing.networks import distance, inputs_of, quiet_outputs

    spec, network, inputs = case.spec, case.awake(), inputs_of(case.spec, 2)
    wanted = quiet_outputs(spec, network, inputs)
    layout = torch.channels_last
    network.to(memory_format=layout)  # type: ignore[call-overload]
    made = quiet_outputs(
        spec, network, [image.contiguous(memory_format=layout) for image in inputs]
    )
    _same_shapes(made, wanted)
    if (apart := distance(made, wanted)) > ROUNDING:
        fail(f"channels_last gives something else (by {apart:.2g})", where="forward")


def _weights(image: Tensor) -> Tensor:
    """Return fixed random numbers of the shape of an output: no gradient cancels by symmetry."""
    import torch

    draw = torch.Generator().manual_seed(0)
    return torch.randn(image.shape, generator=draw)


def _same_shapes(found: Sequence[Tensor], wanted: Sequence[Tensor]) -> None:
    one, other = ([tuple(image.shape) for image in images] for images in (found, wanted))
    if one != other:
        fail(f"{one} comes out in one way and {other} in another", where="forward")


CHECKS: tuple[Check[ComponentCase], ...] = (
    finite_float32,
    batch_independence,
    deterministic,
    gradients,
    gradient_of_picture,
    bfloat16,
    channels_last,
)

"""Level 1: the weights of a fresh network."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from b2b_core.config import structure, unstructure
from b2b_core.errors import B2bError
from b2b_core.testing.cases import ComponentCase
from b2b_core.testing.check import Check, component_check, fail, skip
from b2b_core.testing.checks.builds import NETWORKS
from b2b_core.testing.checks.options import is_plain, is_taken_back
from b2b_core.testing.checks.specs import default_config

if TYPE_CHECKING:
    from torch import Tensor, nn

    from b2b_core.specs import Spec

#: Kinds that are trained, and stored in network files or checkpoints.
TRAINED = ("translator", "deblurrer", "discriminator", "kernel-extractor")


@component_check(
    1,
    "draw first weights with torch's own initialisers, never from time or a fixed seed",
    *NETWORKS,
)
def seeded_weights(case: ComponentCase) -> None:
    """Check that the seed, and nothing else, decides the first weights."""
    first, again = _tensors(case.network()), _tensors(case.network(1, copy=1))
    for name, tensor in first.items():
        if not _equal(tensor, again.get(name)):
            fail(f"two builds with one seed differ in '{name}'", where="factory")
    other = _tensors(case.network(2))
    learned = {name for name, value in case.network().named_parameters() if value.requires_grad}
    if learned and all(_equal(first[name], other.get(name)) for name in learned):
        fail("two builds with different seeds have equal weights", where="factory")


@component_check(
    1, "leave device and number format to the core: no .cuda(), .to() or .half()", *NETWORKS
)
def cpu_float32(case: ComponentCase) -> None:
    """Check that a fresh network lies on the CPU, its parameters in float32."""
    import torch

    network = case.network()
    for name, tensor in _tensors(network).items():
        if tensor.device.type != "cpu":
            fail(f"'{name}' is on {tensor.device}", where="factory")
    for name, parameter in network.named_parameters():
        if parameter.dtype != torch.float32:
            fail(f"'{name}' is {parameter.dtype}", where="factory")


@component_check(1, "make the layers in __init__, not in the class or the module", *NETWORKS)
def own_parameters(case: ComponentCase) -> None:
    """Check that two networks that are built share no parameter."""
    places = {value.data_ptr() for value in case.network().parameters() if value.numel()}
    for name, value in case.network(1, copy=1).named_parameters():
        if value.numel() and value.data_ptr() in places:
            fail(f"two builds share the parameter '{name}'", where="factory")


@component_check(
    1,
    "keep everything that is learned in parameters and persistent buffers, under "
    "names that do not depend on the build",
    *TRAINED,
)
def weights_round_trip(case: ComponentCase) -> None:
    """Check that a network that is stored and read has the same weights, bit for bit."""
    from b2b_core.networks import load_network, save_network

    network, spec = case.network(2), case.spec
    options = unstructure(default_config(case))
    if not is_plain(options) or not is_taken_back(spec.config, options):
        skip("its options cannot be stored: see the check 'config-round-trip'")
    with tempfile.TemporaryDirectory(prefix="b2b-check-") as folder:
        path = Path(folder, "network.safetensors")
        try:
            save_network(
                path,
                network,
                kind=spec.kind,
                component=spec.name,
                options=options,
                facts={},
                distribution=case.distribution,
                version="0",
            )
            _, loaded = load_network(path, _Builder(spec), spec.kind)
        except (B2bError, AttributeError, TypeError, ValueError, RuntimeError) as error:
            what = error.what if isinstance(error, B2bError) else str(error)
            fail(f"its weights cannot be stored and read: {what}", where="state_dict")
    # buffers that are not stored, too: one that is drawn at random would be another one
    back = _tensors(loaded)
    for name, tensor in _tensors(network).items():
        if not _equal(tensor, back.get(name)):
            fail(f"'{name}' is another one after it was stored and read", where="state_dict")


class _Builder:
    """What a network file is built with."""

    def __init__(self, spec: Spec[Any, Any]) -> None:
        self._spec = spec

    def build(self, kind: str, name: str, options: Mapping[str, Any], /) -> Any:  # noqa: ANN401
        """Build the component; kind and name are its own."""
        return self._spec.factory(structure(self._spec.config, options, where=f"{kind} {name}"))


def _tensors(network: nn.Module) -> dict[str, Tensor]:
    return {**dict(network.named_parameters()), **dict(network.named_buffers())}


def _equal(one: Tensor, other: Tensor | None) -> bool:
    import torch

    if other is None or one.dtype != other.dtype or one.shape != other.shape:
        return False
    return torch.equal(one, other)


CHECKS: tuple[Check[ComponentCase], ...] = (
    seeded_weights,
    cpu_float32,
    own_parameters,
    weights_round_trip,
)

"""Level 1: the layouts of published files agree with the network that is built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from b2b_core.testing.cases import ComponentCase
from b2b_core.testing.check import Check, component_check, fail

if TYPE_CHECKING:
    from b2b_core.layouts import Shapes
    from b2b_core.specs import Spec


def _has_layouts(spec: Spec[Any, Any]) -> bool:
    return bool(spec.layouts)


@component_check(
    1,
    "make Layout.read infer every option that shapes show, from the network's own",
    only=_has_layouts,
)
def layouts_read_own(case: ComponentCase) -> None:
    """Check that a file of the network as built is recognised, and builds the same network."""
    shapes = _shapes(case.product())
    fitting = [layout for layout in case.spec.layouts if layout.may_be(shapes)]
    if not fitting:
        names = ", ".join(layout.name for layout in case.spec.layouts)
        fail(
            f"no layout ({names}) has its 'keys' among the parameters of the network as built",
            where="layouts",
            mend="let the default options be those of a published file, or mend Layout.keys",
        )
    for layout in fitting:
        again = _shapes(case.spec.factory(layout.read(shapes)))
        other = {
            name for name in shapes.keys() | again.keys() if shapes.get(name) != again.get(name)
        }
        if other:
            fail(
                f"layout '{layout.name}' reads options that build another network: "
                f"{len(other)} tensors differ, such as {min(other)}",
                where="Layout.read",
            )


def _shapes(network: Any) -> Shapes:  # noqa: ANN401 - a product of any kind
    return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}


CHECKS: tuple[Check[ComponentCase], ...] = (layouts_read_own,)

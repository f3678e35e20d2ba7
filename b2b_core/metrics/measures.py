"""The metrics of an evaluation: the core's own, and those of plugins by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from attrs import frozen
from torch import Tensor

from b2b_core.metrics.blur import BLUR_PROTOCOL, blur_effect
from b2b_core.metrics.psnr import PSNR_PROTOCOL, psnr
from b2b_core.metrics.ssim import SSIM2D_PROTOCOL, SSIM3D_PROTOCOL, ssim, ssim3d

if TYPE_CHECKING:
    from b2b_core.catalogue import Catalogue


@frozen
class Measure:
    """A metric with what must be said of its numbers."""

    #: Heading of its column.
    name: str
    protocol: str
    higher_is_better: bool
    needs_reference: bool
    #: `(B, 3, H, W)` and the reference, or None where none is needed, to `(B,)`.
    score: Callable[[Tensor, Any], Tensor]

    @property
    def described(self) -> str:
        """Name, protocol and direction, for the line below a table."""
        direction = "higher" if self.higher_is_better else "lower"
        return f"{self.name} {self.protocol} ({direction} is better)"


BUILT_IN = (
    Measure("PSNR", PSNR_PROTOCOL, True, True, psnr),
    Measure("SSIM", SSIM2D_PROTOCOL, True, True, ssim),
    Measure("SSIM-3D", SSIM3D_PROTOCOL, True, True, ssim3d),
    Measure("blur effect", BLUR_PROTOCOL, False, False, blur_effect),
)


def measures(catalogue: Catalogue, names: Iterable[str], *, reference: bool) -> list[Measure]:
    """Return the core's metrics and those of plugins that `names` says.

    Without `reference`, those that need one are left out.

    Raises:
        UsageError: if no plugin, or more than one, offers a metric of a name.
    """
    chosen = list(BUILT_IN)
    for name in names:
        spec = catalogue.spec("metric", name)
        metric = catalogue.build("metric", name)
        chosen.append(
            Measure(name, spec.protocol, spec.higher_is_better, spec.needs_reference, metric)
        )
    return [measure for measure in chosen if reference or not measure.needs_reference]

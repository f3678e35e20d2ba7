"""Level 2: demonstrations."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from b2b_core.errors import B2bError
from b2b_core.testing.cases import ComponentCase
from b2b_core.testing.check import Check, component_check, fail

if TYPE_CHECKING:
    from b2b_core.contracts import Demo


@component_check(
    2, "ship the pictures in the package, in folders below Path(__file__).parent", "demo"
)
def demo_pictures(case: ComponentCase) -> None:
    """Check that both sets have pictures, and every test picture has its reference."""
    from b2b_core.images.files import find_pictures
    from b2b_core.metrics.pairing import pair_up

    demo: Demo = case.product()
    try:
        for folder in (demo.blurry, demo.sharp):
            find_pictures(folder)
        pair_up(demo.test_blurry, demo.test_sharp)
    except B2bError as error:
        fail(error.what, where=error.where or "test_blurry, test_sharp", mend=error.mend)


@component_check(2, "return what a configuration file of b2b adapt would hold", "demo")
def demo_settings(case: ComponentCase) -> None:
    """Check that the whole and the quick settings are those of an adaptation."""
    from b2b_core.adaptation.settings import read_settings

    demo: Demo = case.product()
    for quick in (False, True):
        settings: dict[str, Any] = dict(demo.settings(quick=quick))
        data = {"blurry": str(demo.blurry), "sharp": str(demo.sharp), **settings.get("data", {})}
        try:
            read_settings({**settings, "data": data})
        except B2bError as error:
            fail(f"settings(quick={quick}): {error.what}", where="settings", mend=error.mend)


@component_check(2, "say what the camera is, and take the bound from a measurement", "demo")
def demo_facts(case: ComponentCase) -> None:
    """Check that a demo says what it shows, and what paired training reaches on it."""
    demo: Demo = case.product()
    if not demo.description.strip():
        fail("it does not say what its camera is", where="description")
    bound = demo.upper_bound
    if not (math.isfinite(bound.psnr) and 0 < bound.ssim <= 1 and bound.card.strip()):
        fail(f"{bound} is no measurement with its card", where="upper_bound")


CHECKS: tuple[Check[ComponentCase], ...] = (demo_pictures, demo_settings, demo_facts)

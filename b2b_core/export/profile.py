"""From a camera profile, or a deblurrer's weights, to an ONNX file."""

from __future__ import annotations

from pathlib import Path

from b2b_core import __version__
from b2b_core.catalogue import Catalogue
from b2b_core.errors import UsageError
from b2b_core.export.onnx_file import Checked, export_onnx, require_onnx
from b2b_core.export.whole import Whole
from b2b_core.inference.restore import open_pipeline
from b2b_core.specs import SizeRule


def export_profile(
    profile: Path,
    target: Path,
    catalogue: Catalogue,
    *,
    part: str = "all",
    fixed: tuple[int, int] | None = None,
) -> tuple[Checked, dict[str, str]]:
    """Write a profile's networks to `target`; return the check and the file's properties.

    Args:
        profile: a camera profile, or what `b2b deblur` takes in its place.
        target: the ONNX file.
        catalogue: the installed components.
        part: "all", "translator" or "deblurrer".
        fixed: height and width of the only pictures that it is for.

    Raises:
        UsageError: if it has no such part, or packages are missing.
        B2bError: as `export_onnx`.
    """
    require_onnx()
    pipeline = open_pipeline(profile, catalogue, device="cpu", precision="float32")
    translator, deblurrer = pipeline.networks
    if part == "translator" and translator is None:
        raise UsageError("it has no translator", where=profile, mend="export --part deblurrer")
    network = Whole(
        None if part == "deblurrer" else translator, None if part == "translator" else deblurrer
    )
    properties = {
        "b2b.version": __version__,
        "b2b.part": part,
        "b2b.profile": profile.name,
        "b2b.sizes": _sizes(pipeline.size, fixed),
        "b2b.range": "RGB, [0, 1]",
    }
    checked = export_onnx(network.eval(), target, pipeline.size, fixed=fixed, properties=properties)
    return checked, properties


def _sizes(rule: SizeRule, fixed: tuple[int, int] | None) -> str:
    if fixed:
        return f"{fixed[1]}x{fixed[0]}"
    return f"multiples of {rule.multiple_of}, at least {rule.fit(rule.minimum)}"

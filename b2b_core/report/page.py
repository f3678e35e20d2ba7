"""Write the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from attrs import frozen
from jinja2 import Environment, PackageLoader, StrictUndefined

from b2b_core.atomic import replacing
from b2b_core.images.read import Pixels
from b2b_core.images.tensors import to_tensor
from b2b_core.metrics.psnr import PSNR_PROTOCOL, psnr
from b2b_core.report.pictures import Crop, data_uri, most_detail
from b2b_core.report.table import number


@frozen(eq=False)
class Example:
    """One scene in several states."""

    name: str
    #: Label -> pixels `(H, W, 3)` uint8, all of one size, in the order in which they are shown.
    pictures: Mapping[str, Pixels]
    #: Label of the picture that the others are compared with; without it no PSNR is shown.
    reference: str | None = None


@frozen
class _Shown:
    label: str
    figure: str
    whole: str
    zoomed: str


@frozen
class _Scene:
    name: str
    shown: list[_Shown]
    #: Position of the crop in percent of the picture: left, top, width, height.
    box: tuple[float, float, float, float]

    @property
    def centre(self) -> tuple[float, float]:
        """Fixed point of the enlargement on hovering, in percent: the crop stays in view."""
        left, top, width, height = self.box
        return left * 100 / max(100 - width, 1e-6), top * 100 / max(100 - height, 1e-6)


def write_report(
    path: Path,
    *,
    title: str,
    rows: Sequence[Mapping[str, str | float | None]],
    protocol: str = "",
    notes: Sequence[str] = (),
    examples: Sequence[Example] = (),
    made: Mapping[str, str] | None = None,
) -> None:
    """Write one self-contained HTML file; it needs no network, no script and no other file.

    Args:
        path: file to write; its folder is made if missing.
        title: heading of the page.
        rows: the table: column -> text or number; the first row's columns are the table's.
        protocol: how the numbers of the table were measured.
        notes: sentences below the heading.
        examples: pictures, shown side by side with a zoomed square below.
        made: heading -> text of "how it was made", such as the command and the configuration.

    Raises:
        ValueError: if the pictures of an example differ in size or are not uint8.
    """
    environment = Environment(
        loader=PackageLoader("b2b_core", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = number
    text = environment.get_template("page.html.j2").render(
        title=title,
        columns=list(rows[0]) if rows else [],
        rows=rows,
        protocol=protocol,
        notes=notes,
        scenes=[_scene(example) for example in examples],
        made=made or {},
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _scene(example: Example) -> _Scene:
    pictures = example.pictures
    if len({pixels.shape for pixels in pictures.values()}) != 1:
        raise ValueError(f"the pictures of '{example.name}' differ in size")
    if any(pixels.dtype != np.uint8 for pixels in pictures.values()):
        raise ValueError(f"the pictures of '{example.name}' must be uint8")
    guide = pictures[example.reference or list(pictures)[-1]]
    crop, (height, width) = most_detail(guide), guide.shape[:2]
    shown = [
        _Shown(label, _figure(example, label), data_uri(pixels), _zoomed(crop, pixels))
        for label, pixels in pictures.items()
    ]
    box = (
        100 * crop.left / width,
        100 * crop.top / height,
        100 * crop.side / width,
        100 * crop.side / height,
    )
    return _Scene(example.name, shown, box)


def _zoomed(crop: Crop, pixels: Pixels) -> str:
    return data_uri(crop.of(pixels))


def _figure(example: Example, label: str) -> str:
    """Return the PSNR of a picture, or that it is what the others are compared with."""
    if example.reference is None:
        return ""
    if label == example.reference:
        return "reference"
    image, reference = (
        to_tensor(example.pictures[name])[None] for name in (label, example.reference)
    )
    return f"{number(psnr(image, reference).item())} dB PSNR ({PSNR_PROTOCOL})"

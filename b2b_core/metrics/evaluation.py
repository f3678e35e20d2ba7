"""Scores of several ways to restore the same pictures, one picture in memory at a time."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from attrs import define, field
from torch import Tensor

from b2b_core.errors import B2bError, UsageError
from b2b_core.images.read import Pixels, read_picture
from b2b_core.images.tensors import to_pixels, to_tensor
from b2b_core.metrics.measures import Measure
from b2b_core.metrics.pairing import Couple
from b2b_core.progress import Progress

#: Image `(3, H, W)` in [0, 1] to image of the same size.
Way = Callable[[Tensor], Tensor]
CPU = torch.device("cpu")


@define(eq=False)
class Evaluation:
    """All scores, and some pictures to look at."""

    measures: Sequence[Measure]
    #: Way -> picture's name -> metric -> score.
    scores: dict[str, dict[str, dict[str, float]]]
    #: Picture's name -> way or "reference" -> `(H, W, 3)` uint8.
    shown: dict[str, dict[str, Pixels]] = field(factory=dict[str, dict[str, Pixels]])

    def means(self, way: str) -> dict[str, float]:
        """Return the mean of each metric over the pictures."""
        images = self.scores[way].values()
        return {
            measure.name: sum(image[measure.name] for image in images) / len(images)
            for measure in self.measures
        }

    @property
    def protocol(self) -> str:
        """What must be said with the numbers."""
        names = [*next(iter(self.scores.values()))]
        digest = hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()
        said = "; ".join(measure.described for measure in self.measures)
        return f"{said}; means over {len(names)} whole pictures (list {digest[:12]})"

    def document(self) -> dict[str, object]:
        """Return everything but the pictures as plain data; what is not finite becomes None."""
        return {
            "schema": 1,
            "protocol": self.protocol,
            "ways": {
                way: {
                    "means": _finite(self.means(way)),
                    "pictures": {name: _finite(image) for name, image in images.items()},
                }
                for way, images in self.scores.items()
            },
        }


def evaluate(
    couples: Sequence[Couple],
    ways: Mapping[str, Way],
    measures: Sequence[Measure],
    *,
    show: int = 0,
    device: torch.device = CPU,
) -> Evaluation:
    """Restore every picture in every way and score it as a file of the input's depth holds it.

    Args:
        couples: pictures with their references.
        ways: label -> what is done to the picture.
        measures: metrics; those that need a reference only where every picture has one.
        show: of how many pictures the results are kept, spread over the list.
        device: where the metrics are computed.

    Raises:
        B2bError: if a picture cannot be read or restored.
        UsageError: if a picture and its reference differ in size, or are too small for a metric.
    """
    evaluation = Evaluation(measures, {way: {} for way in ways})
    kept = {couples[index].name for index in _spread(len(couples), show)}
    with Progress("measuring", total=len(couples)) as bar:
        for done, couple in enumerate(couples, 1):
            image, reference, dtype = _read(couple)
            shown = {}
            for label, way in ways.items():
                pixels = to_pixels(way(image), dtype)
                try:
                    scores = _score(to_tensor(pixels), reference, measures, device)
                except B2bError as error:
                    raise UsageError(error.what, where=couple.picture, mend=error.mend) from error
                evaluation.scores[label][couple.name] = scores
                shown[label] = to_pixels(to_tensor(pixels))
            if reference is not None:
                shown["reference"] = to_pixels(reference)
            if couple.name in kept:
                evaluation.shown[couple.name] = shown
            bar.update(done)
    return evaluation


def _read(couple: Couple) -> tuple[Tensor, Tensor | None, np.dtype[np.generic]]:
    pixels = read_picture(couple.picture).pixels
    if couple.reference is None:
        return to_tensor(pixels), None, pixels.dtype
    reference = read_picture(couple.reference).pixels
    if reference.shape != pixels.shape:
        sizes = [f"{width}x{height}" for height, width, _ in (pixels.shape, reference.shape)]
        raise UsageError(
            f"'{couple.name}' has {sizes[0]} pixels, its reference {sizes[1]}",
            where=couple.picture,
            mend="compare pictures of one size; nothing is resized here",
        )
    return to_tensor(pixels), to_tensor(reference), pixels.dtype


def _score(
    image: Tensor, reference: Tensor | None, measures: Sequence[Measure], device: torch.device
) -> dict[str, float]:
    truth = None if reference is None else reference[None].to(device)
    image = image[None].to(device)
    return {measure.name: float(measure.score(image, truth)) for measure in measures}


def _spread(count: int, wanted: int) -> list[int]:
    """Return `wanted` of `count` numbers, evenly spread."""
    wanted = min(count, wanted)
    return [index * count // wanted for index in range(wanted)]


def _finite(scores: Mapping[str, float]) -> dict[str, float | None]:
    return {name: score if math.isfinite(score) else None for name, score in scores.items()}

"""Scores of several ways to deblur the same test pairs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from attrs import define, field
from numpy.typing import NDArray
from torch import Tensor

from b2b_core.images.files import find_pictures
from b2b_core.images.read import read_picture
from b2b_core.images.tensors import to_pixels, to_tensor
from b2b_core.inference.pipeline import Pipeline
from b2b_core.metrics.psnr import psnr
from b2b_core.metrics.ssim import ssim
from b2b_core.progress import Progress

#: How the demo's numbers are made; printed with them.
PROTOCOL = (
    "RGB, rounded to 8 bits, whole pictures; PSNR of all channels together, "
    "SSIM 2-D Gaussian 11x11, sigma 1.5, valid; means over pictures"
)


@define
class Scores:
    """Per-picture numbers of one way, by name of the picture."""

    psnr: dict[str, float] = field(factory=dict[str, float])
    ssim: dict[str, float] = field(factory=dict[str, float])

    def means(self) -> dict[str, float]:
        """Return the mean PSNR in dB and the mean SSIM."""
        return {
            "psnr": sum(self.psnr.values()) / len(self.psnr),
            "ssim": sum(self.ssim.values()) / len(self.ssim),
        }


@define
class Measured:
    """All scores, and the pictures that the report shows."""

    scores: dict[str, Scores]
    #: Picture's name -> way -> `(H, W, 3)` uint8.
    pictures: dict[str, dict[str, NDArray[np.uint8]]]


def measure(blurry: Path, sharp: Path, ways: Mapping[str, Pipeline], keep: int) -> Measured:
    """Deblur every test picture in every way and score it against its reference.

    Args:
        blurry: folder of inputs.
        sharp: folder of references of the same names.
        ways: name -> pipeline.
        keep: of how many pictures the results are kept for the report.
    """
    names = {path.stem: path for path in find_pictures(blurry)}
    references = {path.stem: path for path in find_pictures(sharp)}
    measured = Measured({"blurry": Scores(), **{way: Scores() for way in ways}}, {})
    with Progress("measuring on test pictures", len(names)) as bar:
        for done, (name, path) in enumerate(names.items(), 1):
            image = to_tensor(read_picture(path).pixels)
            reference = to_tensor(read_picture(references[name]).pixels)
            results = {"blurry": image}
            results |= {way: pipeline.deblur(image) for way, pipeline in ways.items()}
            for way, result in results.items():
                _score(measured.scores[way], name, result, reference)
            if len(measured.pictures) < keep:
                shown = {**results, "sharp original": reference}
                measured.pictures[name] = {k: to_pixels(v, np.uint8) for k, v in shown.items()}
            bar.update(done)
    return measured


def _score(scores: Scores, name: str, result: Tensor, reference: Tensor) -> None:
    scores.psnr[name] = float(psnr(result[None], reference[None]))
    scores.ssim[name] = float(ssim(result[None], reference[None]))

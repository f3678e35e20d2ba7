"""Which files a camera and a known domain consist of, and how each is made, one by one.

Every file is a function of the listed pictures and of its own name: not of the order, and not of
which files were made before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
from attrs import frozen
from PIL import Image

from b2b_core.bench.cameras.base import Camera, Levels, rng_of
from b2b_core.bench.cameras.encode import png
from b2b_core.bench.inputs import Input
from b2b_core.bench.known import StraightMotion

Inputs = Mapping[str, Sequence[Input]]


@frozen
class Shot:
    """One file: where it lies below the folder that is rendered, and its bytes."""

    path: str
    make: Callable[[], bytes]


def simulated(camera: Camera, inputs: Inputs, exposures: int) -> Iterator[Shot]:
    """Yield B, S, the test pairs and the paired exposures of a simulated camera."""
    blurry, sharp = inputs.get("camera-blurry", []), inputs.get("camera-sharp", [])
    end = camera.suffix
    for one in blurry:
        yield Shot(f"blurry/{one.scene}{end}", partial(_expose, camera, one, "blurry", blur=True))
    for one in sharp:
        yield Shot(f"sharp/{one.scene}{end}", partial(_expose, camera, one, "sharp", blur=False))
    for one in inputs.get("test", []):
        taken = partial(_expose, camera, one, "test", blur=True)
        yield Shot(f"test/blurry/{one.scene}{end}", taken)
        yield Shot(f"test/sharp/{one.scene}.png", partial(_reference, camera, one))
    for one in chain(blurry, sharp):
        yield Shot(f"pairs/sharp/{one.scene}.png", partial(_reference, camera, one))
        for number in range(exposures):
            taken = partial(_expose, camera, one, f"pair-{number}", blur=True)
            yield Shot(f"pairs/blurry/{one.scene}/{number}{end}", taken)


def known(inputs: Inputs, motion: StraightMotion) -> Iterator[Shot]:
    """Yield the known domain's pairs, `{blurry,sharp}/SCENE/NAME.png`."""
    for one in inputs.get("known", []):
        for number in range(motion.variants):
            name = f"{one.scene}/{number}.png"
            yield Shot(f"sharp/{name}", partial(_original, one))
            yield Shot(f"blurry/{name}", partial(_moved, one, motion, number))


def _expose(camera: Camera, one: Input, purpose: str, *, blur: bool) -> bytes:
    rng = rng_of(purpose, one.name)
    return camera.encode(camera.expose(levels(one.path), rng, blur=blur), rng)


def _reference(camera: Camera, one: Input) -> bytes:
    return png(camera.reference(levels(one.path)))


def _original(one: Input) -> bytes:
    return png(levels(one.path))


def _moved(one: Input, motion: StraightMotion, number: int) -> bytes:
    return png(motion.move(levels(one.path), rng_of("known", one.name, str(number))))


def levels(path: Path) -> Levels:
    """Return a picture's pixels `(H, W, 3)`."""
    with Image.open(path) as image:
        return np.array(image.convert("RGB"))

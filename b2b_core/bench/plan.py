"""Which files a camera and a known domain consist of, and how each is made, one by one.

Every file is a function of the listed pictures and of its own name: not of the order, and not of
which files were made before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import chain
from pathlib import Path

import numpy as np
from attrs import frozen
from PIL import Image

from b2b_core.bench.cameras.base import Camera, Levels, rng_of
from b2b_core.bench.cameras.encode import png
from b2b_core.bench.inputs import Input
from b2b_core.bench.known import StraightMotion, Video, average, half_size

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


def taken(inputs: Inputs) -> Iterator[Shot]:
    """Yield the same of pictures that a real camera took, at half their size.

    B and S are cut into a left and a right half, so that some can be held out; a pair for the upper
    bound is a blurry picture of B's or S's scenes with its sharp partner.
    """
    for role, folder in (("camera-blurry", "blurry"), ("camera-sharp", "sharp")):
        for one in inputs.get(role, []):
            for side in (0, 1):
                yield Shot(f"{folder}/{_flat(one)}-{side}.png", partial(_half, one, side))
    pairs = {
        "test/blurry": ["test"],
        "test/sharp": ["test-original"],
        "pairs/blurry": ["camera-blurry", "camera-sharp-blurry"],
        "pairs/sharp": ["camera-blurry-original", "camera-sharp"],
    }
    for folder, roles in pairs.items():
        for one in chain.from_iterable(inputs.get(role, []) for role in roles):
            yield Shot(f"{folder}/{_flat(one)}.png", partial(_half, one))


def known(inputs: Inputs, motion: StraightMotion, video: Video) -> Iterator[Shot]:
    """Yield the known domain's pairs, `{blurry,sharp}/SCENE/NAME.png`."""
    for one in inputs.get("known", []):
        for number in range(motion.variants):
            name = f"{one.scene}/{number}.png"
            yield Shot(f"sharp/{name}", partial(_original, one))
            yield Shot(f"blurry/{name}", partial(_moved, one, motion, number))
    frames = inputs.get("known-video", [])
    for first, length in video.windows(len(frames)):
        window = [one.path for one in frames[first : first + length]]
        name = f"{frames[0].scene}/{first:02d}-{length:02d}.png"
        yield Shot(f"sharp/{name}", partial(_middle, window))
        yield Shot(f"blurry/{name}", partial(_averaged, window))


def _flat(one: Input) -> str:
    return one.name.replace("/", "-")


def _expose(camera: Camera, one: Input, purpose: str, *, blur: bool) -> bytes:
    rng = rng_of(purpose, one.name)
    return camera.encode(camera.expose(_levels(one.path), rng, blur=blur), rng)


def _reference(camera: Camera, one: Input) -> bytes:
    return png(camera.reference(_levels(one.path)))


def _original(one: Input) -> bytes:
    return png(_levels(one.path))


def _moved(one: Input, motion: StraightMotion, number: int) -> bytes:
    return png(motion.move(_levels(one.path), rng_of("known", one.name, str(number))))


def _middle(window: Sequence[Path]) -> bytes:
    return png(half_size(_levels(window[len(window) // 2])))


def _averaged(window: Sequence[Path]) -> bytes:
    return png(average([half_size(_frame(path)) for path in window]))


def _half(one: Input, side: int | None = None) -> bytes:
    small = half_size(_levels(one.path))
    if side is not None:
        middle = small.shape[1] // 2
        small = np.ascontiguousarray(small[:, :middle] if side == 0 else small[:, middle:])
    return png(small)


def _levels(path: Path) -> Levels:
    with Image.open(path) as image:
        return np.array(image.convert("RGB"))


@cache
def _frame(path: Path) -> Levels:
    """Return a frame of a video; several windows share it."""
    return _levels(path)

"""Pictures that a real video camera took: frames, and averages of consecutive ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache, partial
from pathlib import Path

import numpy as np
from attrs import frozen

from b2b_core.bench.cameras.base import Levels
from b2b_core.bench.cameras.encode import png
from b2b_core.bench.cameras.light import light_to_srgb, srgb_to_light
from b2b_core.bench.inputs import Input
from b2b_core.bench.plan import Inputs, Shot, levels
from b2b_core.bench.registration import registered
from b2b_core.errors import UsageError

#: A blurry picture's role and that of its sharp partner.
_PAIRED = (
    ("camera-blurry", "camera-blurry-original"),
    ("camera-sharp-blurry", "camera-sharp"),
)


@frozen
class Frames:
    """The camera `frames`: how its test pictures are made of a fast video, as GoPro's pairs are."""

    #: How many frames are averaged into one; odd, so that one is the middle.
    lengths: tuple[int, ...] = (7, 9, 11, 13)
    #: Frames from one window's beginning to the next's.
    stride: int = 6

    def windows(self, frames: int) -> list[tuple[int, int]]:
        """Return (first frame, length) of all windows that fit among `frames`."""
        return [
            (first, length)
            for length in self.lengths
            for first in range(0, frames - length + 1, self.stride)
        ]


def taken(inputs: Inputs, frames: Frames) -> Iterator[Shot]:
    """Yield B, S, the test pairs and the pairs for the upper bound, all at half their size.

    B and S are cut into a left and a right half, so that some can be held out. A pair is a blurry
    picture of B's or S's scenes with its sharp partner, moved to the middle of the motion. A test
    pair is an average of consecutive frames with the frame in its middle.

    Raises:
        UsageError: if a blurry picture of a pair has no sharp partner.
    """
    for role, folder in (("camera-blurry", "blurry"), ("camera-sharp", "sharp")):
        for one in inputs.get(role, []):
            for side in (0, 1):
                yield Shot(f"{folder}/{_flat(one)}-{side}.png", partial(_half, one, side))
    for of_blurry, of_sharp in _PAIRED:
        partners = {one.name: one for one in inputs.get(of_sharp, [])}
        for one in inputs.get(of_blurry, []):
            if one.name not in partners:
                raise UsageError(
                    f"no partner of '{one.file}' in the list of pictures",
                    mend=f"add a row of the role {of_sharp}, scene '{one.scene}', of the same name",
                )
            yield Shot(f"pairs/blurry/{_flat(one)}.png", partial(_whole, one))
            moved = partial(_registered, partners[one.name], one)
            yield Shot(f"pairs/sharp/{_flat(one)}.png", moved)
    video = inputs.get("test-video", [])
    for first, length in frames.windows(len(video)):
        window = [one.path for one in video[first : first + length]]
        name = f"{video[0].scene}-{first:02d}-{length:02d}.png"
        yield Shot(f"test/sharp/{name}", partial(_middle, window))
        yield Shot(f"test/blurry/{name}", partial(_averaged, window))


def average(pictures: Sequence[Levels]) -> Levels:
    """Average frames of one size in light."""
    total = sum((srgb_to_light(one) for one in pictures), np.zeros(pictures[0].shape))
    return light_to_srgb(total / len(pictures))


def half_size(picture: Levels) -> Levels:
    """Return a picture at half its size, each pixel the mean of four; odd rows are cut off."""
    height, width = picture.shape[0] // 2, picture.shape[1] // 2
    squares = picture[: 2 * height, : 2 * width].reshape(height, 2, width, 2, -1)
    return np.asarray(squares.mean((1, 3)).round(), np.uint8)


def _flat(one: Input) -> str:
    return one.name.replace("/", "-")


def _half(one: Input, side: int) -> bytes:
    small = half_size(levels(one.path))
    middle = small.shape[1] // 2
    return png(np.ascontiguousarray(small[:, :middle] if side == 0 else small[:, middle:]))


def _whole(one: Input) -> bytes:
    return png(half_size(levels(one.path)))


def _registered(sharp: Input, blurry: Input) -> bytes:
    return png(half_size(registered(levels(sharp.path), levels(blurry.path))))


def _middle(window: Sequence[Path]) -> bytes:
    return png(half_size(_frame(window[len(window) // 2])))


def _averaged(window: Sequence[Path]) -> bytes:
    return png(average([half_size(_frame(path)) for path in window]))


@cache
def _frame(path: Path) -> Levels:
    """Return a frame of a video; several windows share it."""
    return levels(path)

"""A set of pictures, decoded once and held as 8-bit tensors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import overload

from attrs import frozen
from torch import Tensor

from b2b_core.data.decoded import decode
from b2b_core.data.scenes import scene_of
from b2b_core.data.seeding import numpy_rng
from b2b_core.errors import UsageError
from b2b_core.images.files import find_pictures
from b2b_core.images.jpeg import JpegCoding, read_coding

#: Decoded pictures together take at most this many bytes; larger sets keep a window of each.
MEMORY_BUDGET = 3 * 2**30


@frozen(eq=False)
class TrainingPicture:
    """One picture: `pixels` is `(3, H, W)` uint8, RGB."""

    path: Path
    scene: str
    pixels: Tensor
    #: How the file was compressed, or None where it is lossless.
    coding: JpegCoding | None = None

    def as_float(self) -> Tensor:
        """Return `(1, 3, H, W)` float32 in [0, 1]."""
        return self.pixels[None].float() / 255


class PictureSet(Sequence[TrainingPicture]):
    """Pictures of one role (B, S, ...), in a fixed order."""

    def __init__(self, pictures: Sequence[TrainingPicture], role: str) -> None:
        self._pictures = list(pictures)
        self.role = role

    def __len__(self) -> int:
        return len(self._pictures)

    @overload
    def __getitem__(self, index: int) -> TrainingPicture: ...
    @overload
    def __getitem__(self, index: slice) -> PictureSet: ...
    def __getitem__(self, index: int | slice) -> TrainingPicture | PictureSet:
        """Return one picture, or a set of some."""
        if isinstance(index, slice):
            return PictureSet(self._pictures[index], self.role)
        return self._pictures[index]

    def of_scenes(self, scenes: set[str]) -> PictureSet:
        """Return the pictures whose scene is one of `scenes`."""
        return PictureSet([p for p in self if p.scene in scenes], self.role)

    @property
    def scenes(self) -> list[str]:
        """The scenes, each once, sorted."""
        return sorted({picture.scene for picture in self})

    @property
    def shortest_side(self) -> int:
        """The shortest side of any picture, in pixels: larger crops do not fit."""
        return min(min(picture.pixels.shape[1:]) for picture in self)

    @property
    def codings(self) -> list[JpegCoding]:
        """The JPEG codings of the files that have one."""
        return [p.coding for p in self if p.coding is not None]

    @property
    def habitual_codings(self) -> list[JpegCoding]:
        """The codings of a camera that compresses: a few JPEG files among others are no habit."""
        codings = self.codings
        return codings if 2 * len(codings) > len(self) else []


def load_pictures(folder: Path, role: str, smallest: int, seed: int = 0) -> PictureSet:
    """Decode all pictures below `folder`.

    Args:
        folder: searched with its sub-folders.
        role: what the pictures are, for messages: "blurry" or "sharp".
        smallest: crop size in pixels; smaller pictures are refused by name.
        seed: where the window lies if the set exceeds `MEMORY_BUDGET`.

    Raises:
        UsageError: missing or empty folder, or pictures smaller than the crop.
        B2bError: a picture that cannot be read.
    """
    paths = find_pictures(folder)
    share = MEMORY_BUDGET // len(paths)
    pictures: list[TrainingPicture] = []
    small: list[Path] = []
    for number, path in enumerate(paths):
        pixels = decode(path)
        if min(pixels.shape[1:]) < smallest:
            small.append(path)
            continue
        window = _window(pixels, share, smallest, seed, number)
        pictures.append(TrainingPicture(path, scene_of(path, folder), window, read_coding(path)))
    if small:
        raise UsageError(
            f"{len(small)} {role} picture(s) smaller than the crop of {smallest} pixels, "
            f"the first is {small[0].name}",
            where=folder,
            mend=f"remove them or use a smaller crop (--set data.crop={max(16, smallest // 2)})",
        )
    return PictureSet(pictures, role)


def _window(pixels: Tensor, share: int, smallest: int, seed: int, number: int) -> Tensor:
    """Cut one window of at most `share` bytes out of a picture too large for the budget."""
    height, width = pixels.shape[1:]
    if 3 * height * width <= share:
        return pixels.contiguous()
    side = max(smallest, int((share / 3) ** 0.5))
    h, w = min(side, height), min(side, width)
    rng = numpy_rng(seed, "window", number)
    top, left = int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1))
    return pixels[:, top : top + h, left : left + w].clone()

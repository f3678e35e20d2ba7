"""Random crops, each a pure function of (seed, stream, step, slot)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from b2b_core.data.pictures import PictureSet
from b2b_core.data.seeding import numpy_rng
from b2b_core.errors import UsageError


class CropSampler:
    """Draws batches of square crops from a picture set.

    Args:
        pictures: at least one.
        crop: side in pixels.
        seed: the run's seed.
        stream: name of this use of randomness; two samplers with one name draw alike.

    Raises:
        UsageError: if a picture is smaller than `crop`.
    """

    def __init__(self, pictures: PictureSet, crop: int, seed: int, stream: str) -> None:
        for picture in pictures:
            if min(picture.pixels.shape[1:]) < crop:
                raise UsageError(
                    f"a {pictures.role} picture is smaller than the {crop} pixels that a crop "
                    "and its margin need",
                    where=picture.path,
                    mend="remove it, or use a smaller --set data.crop=N",
                )
        self._pictures = pictures
        self._crop = crop
        self._seed = seed
        self._stream = stream

    def indices(self, step: int, size: int, among: Sequence[int] | None = None) -> list[int]:
        """Return which pictures the batch of `step` shows."""
        pool = range(len(self._pictures)) if among is None else among
        return [
            pool[int(numpy_rng(self._seed, self._stream, step, slot).integers(len(pool)))]
            for slot in range(size)
        ]

    def scenes(self, step: int, size: int) -> list[int]:
        """Return the number of the scene, in `PictureSet.scenes`, of each crop of `step`."""
        number = {scene: index for index, scene in enumerate(self._pictures.scenes)}
        return [number[self._pictures[i].scene] for i in self.indices(step, size)]

    def batch(self, step: int, size: int, among: Sequence[int] | None = None) -> Tensor:
        """Return `(size, 3, crop, crop)` float32 in [0, 1].

        Args:
            step: training step.
            size: number of crops.
            among: indices of the pictures to draw from (a curriculum); all by default.
        """
        crops: list[Tensor] = []
        for slot, index in enumerate(self.indices(step, size, among)):
            pixels = self._pictures[index].pixels
            rng = numpy_rng(self._seed, self._stream, step, slot, 1)
            top = int(rng.integers(pixels.shape[1] - self._crop + 1))
            left = int(rng.integers(pixels.shape[2] - self._crop + 1))
            crops.append(pixels[:, top : top + self._crop, left : left + self._crop])
        return torch.stack(crops).float() / 255

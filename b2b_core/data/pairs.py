"""The known domain's blurry-sharp pairs, decoded once, drawn as aligned crops."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import overload

import torch
from attrs import frozen
from torch import Tensor

from b2b_core.contracts import Pair
from b2b_core.data.seeding import numpy_rng
from b2b_core.errors import UsageError
from b2b_core.images.read import read_picture
from b2b_core.images.tensors import to_tensor


@frozen(eq=False)
class LoadedPair:
    """Aligned pictures `(3, H, W)` uint8, RGB."""

    blurry: Tensor
    sharp: Tensor
    scene: str


class PairSet(Sequence[LoadedPair]):
    """Pairs of one domain and split, in a fixed order."""

    def __init__(self, pairs: Sequence[LoadedPair], domain: str) -> None:
        self._pairs = list(pairs)
        self.domain = domain

    def __len__(self) -> int:
        return len(self._pairs)

    @overload
    def __getitem__(self, index: int) -> LoadedPair: ...
    @overload
    def __getitem__(self, index: slice) -> list[LoadedPair]: ...
    def __getitem__(self, index: int | slice) -> LoadedPair | list[LoadedPair]:
        """Return one pair, or a list of some."""
        return self._pairs[index]

    def __iter__(self) -> Iterator[LoadedPair]:
        return iter(self._pairs)

    def batch(
        self, crop: int, size: int, seed: int, stream: str, step: int
    ) -> tuple[Tensor, Tensor]:
        """Return aligned crops (sharp, blurry), each `(size, 3, crop, crop)` float32 in [0, 1].

        A pure function of (seed, stream, step).
        """
        sharp, blurry = list[Tensor](), list[Tensor]()
        for slot in range(size):
            rng = numpy_rng(seed, stream, step, slot)
            pair = self._pairs[int(rng.integers(len(self._pairs)))]
            height, width = pair.sharp.shape[1:]
            top = int(rng.integers(height - crop + 1))
            left = int(rng.integers(width - crop + 1))
            window = (slice(None), slice(top, top + crop), slice(left, left + crop))
            sharp.append(pair.sharp[window])
            blurry.append(pair.blurry[window])
        return torch.stack(sharp).float() / 255, torch.stack(blurry).float() / 255


def load_pairs(pairs: Sequence[Pair], domain: str, smallest: int, root: Path) -> PairSet:
    """Decode a domain's pairs.

    Raises:
        UsageError: if there is none, or the two pictures of one differ in size, or one is
            smaller than `smallest` pixels on a side.
        B2bError: if a picture cannot be read.
    """
    if not pairs:
        raise UsageError(
            f"domain '{domain}' has no pairs here", where=root, mend="give another --domain-root"
        )
    loaded: list[LoadedPair] = []
    for pair in pairs:
        blurry, sharp = _pixels(pair.blurry), _pixels(pair.sharp)
        if blurry.shape != sharp.shape:
            raise UsageError(
                f"the pair of {pair.blurry.name} has two sizes, {_size(blurry)} blurry and "
                f"{_size(sharp)} sharp",
                where=pair.blurry,
                mend="make both the same size or remove the pair",
            )
        if min(blurry.shape[1:]) < smallest:
            raise UsageError(
                f"a pair of {_size(blurry)} pixels is smaller than the crop of {smallest}",
                where=pair.blurry,
                mend="use a smaller crop (--set data.crop=...)",
            )
        loaded.append(LoadedPair(blurry, sharp, pair.scene))
    return PairSet(loaded, domain)


def _pixels(path: Path) -> Tensor:
    return (to_tensor(read_picture(path).pixels) * 255).round().to(torch.uint8)


def _size(pixels: Tensor) -> str:
    return f"{pixels.shape[2]}x{pixels.shape[1]}"

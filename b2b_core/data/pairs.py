"""The known domain's blurry-sharp pairs, decoded when they are drawn, as aligned crops."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import overload

import torch
from attrs import frozen
from torch import Tensor

from b2b_core.contracts import Pair
from b2b_core.data.decoded import WORKERS, DecodedPictures, at_once
from b2b_core.data.seeding import numpy_rng
from b2b_core.errors import B2bError, UsageError
from b2b_core.images.read import picture_size
from b2b_core.memory import physical_memory


def decoded_budget() -> int:
    """Return how many bytes of pictures a set keeps: a quarter of the machine's memory."""
    return physical_memory() // 4


@frozen(eq=False)
class LoadedPair:
    """Aligned pictures `(3, H, W)` uint8, RGB."""

    blurry: Tensor
    sharp: Tensor
    scene: str


class PairSet(Sequence[LoadedPair]):
    """Pairs of one domain and split, in a fixed order.

    Pairs that are files are decoded when they are asked for: one by an index, all in turn by a loop
    over the set. Up to `decoded_budget()` bytes of pictures stay decoded, those asked for last;
    slices and `of_scenes` decode nothing and share them.

    Args:
        pairs: in memory, as files, or another set.
        domain: its name.
    """

    def __init__(self, pairs: Sequence[LoadedPair] | Sequence[Pair], domain: str) -> None:
        whole = pairs if isinstance(pairs, PairSet) else None
        self._pairs: list[LoadedPair | Pair] = list(pairs) if whole is None else whole._pairs
        self._decoded: DecodedPictures = (
            DecodedPictures(decoded_budget()) if whole is None else whole._decoded
        )
        self.domain = domain

    def __len__(self) -> int:
        return len(self._pairs)

    @overload
    def __getitem__(self, index: int) -> LoadedPair: ...
    @overload
    def __getitem__(self, index: slice) -> PairSet: ...
    def __getitem__(self, index: int | slice) -> LoadedPair | PairSet:
        """Return one pair, or a set of some, of which nothing is decoded.

        Raises:
            B2bError: if a picture cannot be read; see `load`.
        """
        if isinstance(index, slice):
            return self._part(self._pairs[index])
        return self.load([index])[0]

    def __iter__(self) -> Iterator[LoadedPair]:
        for first in range(0, len(self), WORKERS):
            yield from self.load(range(first, min(first + WORKERS, len(self))))

    @property
    def scenes(self) -> list[str]:
        """The scenes, each once, sorted; nothing is decoded for it."""
        return sorted({pair.scene for pair in self._pairs})

    def of_scenes(self, scenes: Collection[str]) -> PairSet:
        """Return the pairs whose scene is one of `scenes`; nothing is decoded for it."""
        return self._part([pair for pair in self._pairs if pair.scene in scenes])

    def at_least(self, side: int) -> PairSet:
        """Return the pairs with no side shorter than `side` pixels; of files the header is read.

        Raises:
            B2bError: if a header cannot be read.
        """
        sizes = at_once(_size_of, self._pairs)
        return self._part(
            [pair for pair, size in zip(self._pairs, sizes, strict=True) if min(size) >= side]
        )

    def load(self, indices: Iterable[int]) -> list[LoadedPair]:
        """Return pairs, decoding what is not in memory, several files at the same time.

        Raises:
            B2bError: if a picture cannot be read, or is no longer as it was when the set was made.
        """
        chosen = [self._pairs[index] for index in indices]
        files = [pair for pair in chosen if not isinstance(pair, LoadedPair)]
        pixels = self._decoded.of(path for pair in files for path in (pair.blurry, pair.sharp))
        return [
            pair
            if isinstance(pair, LoadedPair)
            else _aligned(pair, pixels[pair.blurry], pixels[pair.sharp])
            for pair in chosen
        ]

    def batch(
        self, crop: int, size: int, seed: int, stream: str, step: int
    ) -> tuple[Tensor, Tensor]:
        """Return aligned crops (sharp, blurry), each `(size, 3, crop, crop)` float32 in [0, 1].

        A pure function of (seed, stream, step), whatever is in memory.

        Raises:
            B2bError: if a picture cannot be read; see `load`.
        """
        rngs = [numpy_rng(seed, stream, step, slot) for slot in range(size)]
        drawn = self.load([int(rng.integers(len(self))) for rng in rngs])
        sharp, blurry = list[Tensor](), list[Tensor]()
        for rng, pair in zip(rngs, drawn, strict=True):
            height, width = pair.sharp.shape[1:]
            top = int(rng.integers(height - crop + 1))
            left = int(rng.integers(width - crop + 1))
            window = (slice(None), slice(top, top + crop), slice(left, left + crop))
            sharp.append(pair.sharp[window])
            blurry.append(pair.blurry[window])
        return torch.stack(sharp).float() / 255, torch.stack(blurry).float() / 255

    def _part(self, pairs: list[LoadedPair | Pair]) -> PairSet:
        part = PairSet(self, self.domain)
        part._pairs = pairs
        return part


def load_pairs(pairs: Sequence[Pair], domain: str, smallest: int, root: Path) -> PairSet:
    """Return a domain's pairs as a set; of each file only the header is read.

    Raises:
        UsageError: if there is none, or the two pictures of one differ in size, or one is
            smaller than `smallest` pixels on a side.
        B2bError: if a header cannot be read.
    """
    if not pairs:
        raise UsageError(
            f"domain '{domain}' has no pairs here", where=root, mend="give another --domain-root"
        )
    paths = list(dict.fromkeys(path for pair in pairs for path in (pair.blurry, pair.sharp)))
    sizes = dict(zip(paths, at_once(picture_size, paths), strict=True))
    for pair in pairs:
        _check(pair, sizes[pair.blurry], sizes[pair.sharp], smallest)
    return PairSet(pairs, domain)


def _check(pair: Pair, blurry: tuple[int, int], sharp: tuple[int, int], smallest: int) -> None:
    """Refuse a pair by the (height, width) of its pictures."""
    if blurry != sharp:
        raise UsageError(
            f"the pair of {pair.blurry.name} has two sizes, {_size(blurry)} blurry and "
            f"{_size(sharp)} sharp",
            where=pair.blurry,
            mend="make both the same size or remove the pair",
        )
    if min(blurry) < smallest:
        raise UsageError(
            f"a pair of {_size(blurry)} pixels is smaller than the crop of {smallest}",
            where=pair.blurry,
            mend="use a smaller crop (--set data.crop=...)",
        )


def _aligned(pair: Pair, blurry: Tensor, sharp: Tensor) -> LoadedPair:
    if blurry.shape != sharp.shape:
        raise B2bError(
            f"the two pictures of a pair have {_size(blurry.shape[1:])} and "
            f"{_size(sharp.shape[1:])} pixels",
            where=pair.blurry,
            mend=f"{pair.sharp} was replaced, or turned in a way that its header does not tell",
        )
    return LoadedPair(blurry, sharp, pair.scene)


def _size_of(pair: LoadedPair | Pair) -> tuple[int, int]:
    """Return (height, width)."""
    if isinstance(pair, LoadedPair):
        return pair.sharp.shape[1], pair.sharp.shape[2]
    return picture_size(pair.sharp)


def _size(size: Sequence[int]) -> str:
    return f"{size[1]}x{size[0]}"

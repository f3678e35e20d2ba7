"""Pictures of a set that is larger than memory: decoded when asked for, the latest kept."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from b2b_core.errors import B2bError, UsageError
from b2b_core.images.read import read_picture
from b2b_core.images.tensors import to_tensor

#: Files that are read at the same time; decoders leave Python's lock alone.
WORKERS = min(8, os.cpu_count() or 1)

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


class DecodedPictures:
    """Decoded files; beyond `budget` bytes those that nobody asked for the longest are let go.

    Threads may share it.

    Args:
        budget: bytes that are kept from one call to the next; the pictures that a call returns
            come on top, as long as the caller holds them.
    """

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self._kept = OrderedDict[Path, Tensor]()
        self._bytes = 0
        self._lock = Lock()

    @property
    def nbytes(self) -> int:
        """Bytes of the pixels that are kept, at most `budget`."""
        return self._bytes

    def of(self, paths: Iterable[Path]) -> dict[Path, Tensor]:
        """Return the pixels `(3, H, W)`, uint8, RGB, of each file; several are decoded at once.

        Raises:
            B2bError: if a file cannot be read, or is no longer there.
        """
        with self._lock:
            asked = dict.fromkeys(paths)
            missing = [path for path in asked if path not in self._kept]
            fresh = dict(zip(missing, at_once(_present, missing), strict=True))
            found = {path: fresh[path] if path in fresh else self._kept[path] for path in asked}
            for path, pixels in found.items():
                self._keep(path, pixels)
            return found

    def _keep(self, path: Path, pixels: Tensor) -> None:
        if path not in self._kept:
            self._bytes += pixels.nbytes
        self._kept[path] = pixels
        self._kept.move_to_end(path)
        while self._bytes > self.budget:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= oldest.nbytes


def decode(path: Path) -> Tensor:
    """Decode a file to pixels `(3, H, W)`, uint8, RGB; 16-bit samples are rounded.

    Raises:
        UsageError: if the file does not exist.
        B2bError: if it cannot be read.
    """
    pixels = read_picture(path).pixels
    if pixels.dtype == np.uint8:
        return torch.as_tensor(np.array(pixels.transpose(2, 0, 1), order="C"))
    return (to_tensor(pixels) * 255).round().to(torch.uint8)


def at_once(work: Callable[[ItemT], ResultT], items: Sequence[ItemT]) -> list[ResultT]:
    """Return what `work` returns for each item, a few at the same time, in the items' order.

    Raises what `work` raises, that of the first item that fails.
    """
    if len(items) < 2:
        return [work(item) for item in items]
    with ThreadPoolExecutor(min(WORKERS, len(items))) as pool:
        return list(pool.map(work, items))


def _present(path: Path) -> Tensor:
    try:
        return decode(path)
    except UsageError as error:  # it was there when the set was put together
        raise B2bError(
            "a picture of the data set is no longer there",
            where=path,
            mend="put it back and repeat the command",
        ) from error

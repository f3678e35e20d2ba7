"""The pipeline: unknown blur, translator, known blur, deblurrer, sharp picture."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from b2b_core.errors import B2bError, UsageError
from b2b_core.images.sizes import crop_to, pad_to
from b2b_core.inference.compiled import TOLERANCE, TOLERANCE_HALF, Chain, Compiled
from b2b_core.inference.memory import affordable_pixels, is_out_of_memory, release
from b2b_core.inference.tiling import LEAST_OVERLAP, even_tile, largest_tile, overlap_of, run_tiled
from b2b_core.log import get_logger
from b2b_core.specs import SizeRule
from b2b_core.training.precision import Numerics

#: Smallest side of a tile in pixels.
SMALLEST_TILE = 2 * LEAST_OVERLAP


class Pipeline:
    """Deblurs pictures of any size.

    Args:
        translator: image to pyramid, coarse to fine; None to deblur without one.
        deblurrer: image to image of the same size.
        size: the sizes that both networks take.
        device: "auto", "cpu", "cuda" or "cuda:N"; the networks are moved there.
        precision: "bf16", "float32", or "auto": bf16 where the hardware is made for it.
        tile: side of tiles in pixels; None takes the whole picture if it fits into memory, and
            else the largest tiles that do.
        compiled: whether to compile the networks with `torch.compile`, once for every size of
            tile; see `Compiled` for what happens where that fails.

    Raises:
        UsageError: if the device is not there or the tile is too small.
    """

    def __init__(
        self,
        translator: nn.Module | None,
        deblurrer: nn.Module,
        size: SizeRule,
        *,
        device: str = "auto",
        precision: str = "auto",
        tile: int | None = None,
        compiled: bool = False,
    ) -> None:
        if tile is not None and tile < SMALLEST_TILE:
            raise UsageError(f"tiles of {tile} pixels are too small", mend=f"use {SMALLEST_TILE}+")
        self._numerics = Numerics(device, precision)
        self._translator = None if translator is None else self._numerics.place(translator).eval()
        self._deblurrer = self._numerics.place(deblurrer).eval()
        chain = Chain(self._translator, self._deblurrer).eval()
        tolerance = TOLERANCE_HALF if self._numerics.half else TOLERANCE
        self._run = Compiled(chain, tolerance) if compiled else chain
        self._size = size
        self._manual = tile
        self._limit: int | None = None
        self._said_tiles = False

    @property
    def device(self) -> torch.device:
        """Where the networks run."""
        return self._numerics.device

    @property
    def networks(self) -> tuple[nn.Module | None, nn.Module]:
        """The translator, if there is one, and the deblurrer."""
        return self._translator, self._deblurrer

    @property
    def size(self) -> SizeRule:
        """The sizes that both networks take."""
        return self._size

    @property
    def precision(self) -> str:
        """Number format of the networks: "bf16" or "float32"."""
        return "bf16" if self._numerics.half else "float32"

    @property
    def compiled(self) -> bool:
        """Whether the networks ran compiled, for pictures or tiles of some size at least."""
        return isinstance(self._run, Compiled) and self._run.active

    def tile_for(self, height: int, width: int) -> tuple[int, int]:
        """Return height and width of the tiles for a picture; its padded size if it fits whole."""
        whole = self._size.fit(height), self._size.fit(width)
        if self._manual is not None:
            sides = self._manual, self._manual
        else:
            sides = self._automatic(*whole)
        high, wide = (
            min(length, self._size.fit(side)) for length, side in zip(whole, sides, strict=True)
        )
        return high, wide

    def deblur(self, image: Tensor) -> Tensor:
        """Return `image` `(3, H, W)`, RGB in [0, 1], deblurred; same size, float32, in [0, 1].

        The picture and the result stay on the device of `image`; only tiles visit the networks'.

        Raises:
            B2bError: if memory does not suffice even for small tiles, or if a network gives
                values that are no numbers.
        """
        with torch.inference_mode():
            padded, size = pad_to(image.float()[None], self._size)
            restored = crop_to(self._in_memory(padded), size)[0]
            if not bool(restored.isfinite().all()):
                raise B2bError(
                    f"the networks gave values that are no numbers in {self.precision}",
                    mend="try --precision float32; if that fails too, the profile is damaged",
                )
            restored = restored.clamp(0, 1)
        return restored.clone()  # outside of inference mode: an ordinary tensor

    def _in_memory(self, padded: Tensor) -> Tensor:
        """Run tile by tile; automatic tiles are halved until memory suffices."""
        while True:
            tile = self.tile_for(*padded.shape[-2:])
            if tile != padded.shape[-2:]:
                self._warn_of(tile)
            try:
                return run_tiled(self._networks, padded, tile, overlap_of(max(tile)))
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                self._refuse_smaller(tile, error)
            release(self.device)
            self._limit = max(tile) // 2

    def _networks(self, tile: Tensor) -> Tensor:
        tile = tile.to(self.device).contiguous(memory_format=torch.channels_last)
        with self._numerics.autocast():
            restored: Tensor = self._run(tile)
        return restored

    def _automatic(self, height: int, width: int) -> tuple[int, int]:
        """Return the sides of the whole picture, or of the largest tiles that memory allows."""
        side = self._limit
        if side is None:
            whole = self._size.whole
            pixels = affordable_pixels(self.device, half=self._numerics.half, whole=whole)
            if height * width <= pixels:
                return height, width
            side = max(SMALLEST_TILE, math.isqrt(pixels))
            if whole:
                return largest_tile(height, width, max(pixels, side**2))
        overlap = overlap_of(side)
        return even_tile(height, side, overlap), even_tile(width, side, overlap)

    def _warn_of(self, tile: tuple[int, int]) -> None:
        """Say once that tiles change what networks give that look at the whole picture."""
        if not self._size.whole or self._said_tiles:
            return
        self._said_tiles = True
        mend = "more memory" if self._manual is None else "leaving --tile out"
        get_logger("tiles").warning(
            f"a network looks at the whole picture, and tiles of {tile[1]}x{tile[0]} change its"
            f" result; {mend} makes them larger"
        )

    def _refuse_smaller(self, tile: tuple[int, int], error: RuntimeError) -> None:
        """Raise if tiles may not or cannot get any smaller."""
        shape = f"{tile[1]}x{tile[0]}"
        if self._manual is not None:
            raise B2bError(
                f"not enough memory on {self.device} for tiles of {shape}",
                mend=f"use --tile {max(SMALLEST_TILE, max(tile) // 2)}, or leave --tile out",
            ) from error
        smaller = self._size.fit(max(tile) // 2)
        if max(tile) // 2 < SMALLEST_TILE or smaller >= max(tile):
            raise B2bError(
                f"not enough memory on {self.device}, even for tiles of {shape}",
                mend="close other programs, or use --device cpu",
            ) from error

"""What a simulated camera is, and the random numbers of its exposures."""

from __future__ import annotations

import hashlib
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
#: `(H, W, 3)` RGB.
Levels = NDArray[np.uint8]


class Camera(Protocol):
    """Ranges from which each exposure draws; lengths in pixels of the stored picture."""

    @property
    def suffix(self) -> str:
        """Suffix of the camera's files, with the dot."""
        ...

    def expose(self, scene: Levels, rng: np.random.Generator, *, blur: bool) -> Levels:
        """Take one picture of a scene given by its sharp original; same shape."""
        ...

    def encode(self, picture: Levels, rng: np.random.Generator) -> bytes:
        """Return the camera's file of an exposure."""
        ...

    def reference(self, scene: Levels) -> Levels:
        """Return what deblurring should give: the scene in this camera's look, without noise."""
        ...


def rng_of(*names: str) -> np.random.Generator:
    """Return the generator of one exposure: a function of its names, of no order and no state."""
    digest = hashlib.sha256("\n".join(names).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))

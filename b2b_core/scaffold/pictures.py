"""Draw the pictures of a demo: dead leaves, and a camera that is out of focus and noisy.

    python recipes/make_pictures.py PICTURES [PAIRS]

PICTURES gets the demo's pictures; PAIRS, if it is named, gets pairs of the same camera, which
`upper_bound.py` trains on. Needs numpy and Pillow.

Dead leaves (Lee, Mumford and Huang, Int. J. Computer Vision 2001) are disks of random size that
cover each other; their edges and sizes are distributed much like those of photographs. Whoever
draws them dedicates the pictures to the public domain (CC0).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Levels = NDArray[np.uint8]
#: Side of a picture in pixels, and the disks that are drawn on it.
SIDE, DISKS = 144, 250
#: Deviations of the camera's blur in pixels, and of its noise on the scale of [0, 1].
BLUR, NOISE = (1.2, 2.0), 0.015
#: Numbers of the scenes: the camera's blurry and sharp pictures, test pairs, and further pairs.
BLURRY, SHARP, TEST, PAIRS = range(16), range(16, 32), range(32, 36), range(36, 84)


def main(pictures: Path, pairs: Path | None = None) -> None:
    """Write the demo's pictures below `pictures`, and further pairs below `pairs`."""
    camera = pictures / "camera"
    for number in BLURRY:
        save(camera / "blurry" / f"{number:02d}.jpg", shot(number, blur=True)[1])
    for number in SHARP:
        save(camera / "sharp" / f"{number:02d}.jpg", shot(number, blur=False)[1])
    save_pairs(pictures / "test", TEST)
    if pairs is not None:
        save_pairs(pairs, PAIRS)


def save_pairs(folder: Path, numbers: range) -> None:
    """Write blurry pictures with the scenes that they show."""
    for number in numbers:
        scene, blurry = shot(number, blur=True)
        save(folder / "blurry" / f"{number:02d}.jpg", blurry)
        save(folder / "sharp" / f"{number:02d}.png", levels(scene))


def shot(number: int, *, blur: bool) -> tuple[NDArray[np.float64], Levels]:
    """Return a scene `(SIDE, SIDE, 3)` in [0, 1], and what the simulated camera stores of it."""
    rng = np.random.default_rng(number)
    scene = draw(rng)
    image = gaussian(scene, rng.uniform(*BLUR)) if blur else scene
    return scene, levels(image + NOISE * rng.standard_normal(image.shape))


def draw(rng: np.random.Generator) -> NDArray[np.float64]:
    """Return dead leaves `(SIDE, SIDE, 3)` in [0, 1]; the last disk lies on top."""
    y, x = np.mgrid[:SIDE, :SIDE]
    scene = np.full((SIDE, SIDE, 3), 0.5)
    for _ in range(DISKS):
        radius = 3.0 / (1 - 0.95 * rng.random()) ** 0.5
        row, column = rng.uniform(0, SIDE, 2)
        scene[(x - column) ** 2 + (y - row) ** 2 < radius**2] = rng.uniform(0.05, 0.95, 3)
    return scene


def gaussian(image: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """Return `image` `(H, W, 3)` under a Gaussian, its border mirrored."""
    offsets = np.arange(-8, 9)
    weights = np.exp(-0.5 * (offsets / sigma) ** 2)
    weights /= weights.sum()
    for axis in (0, 1):
        padding = [(8, 8) if axis == side else (0, 0) for side in range(3)]
        wide = np.pad(image, padding, mode="reflect")
        length = image.shape[axis]
        shifts = (np.take(wide, range(k, k + length), axis) for k in range(len(offsets)))
        image = sum((w * part for w, part in zip(weights, shifts, strict=True)), 0 * image)
    return image


def levels(image: NDArray[np.float64]) -> Levels:
    """Return 8-bit levels of values in [0, 1]."""
    return np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)


def save(path: Path, picture: Levels) -> None:
    """Store a picture; the quality is that of JPEG and means nothing to PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path, quality=92)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))

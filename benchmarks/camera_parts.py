"""Which parts of its chain R finds in cameras whose chain is known, and where its fit ends.

Cameras on photographs: a lens out of focus (1.2 to 2.6 pixels) under a short path (0.5 to 3), with
one thing changed each time. B and S show 40 scenes each, disjoint.

    python benchmarks/camera_parts.py --data ROOT [--only NAME ...] [--seed N]

ROOT is the data root of `b2b bench`; its CID22 training pictures are used.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from attrs import frozen

from b2b_core.bench.cameras.base import Levels
from b2b_core.bench.cameras.convolution import Blurrer
from b2b_core.bench.cameras.encode import decoded, jpeg
from b2b_core.bench.cameras.kernels import disk, hand_path, joined, splat
from b2b_core.bench.cameras.light import light_to_srgb, srgb_to_light, to_levels, with_noise
from b2b_core.bench.cameras.phone import saturated
from b2b_core.catalogue import discover
from b2b_core.data.decoded import decode
from b2b_core.data.pictures import PictureSet, TrainingPicture
from b2b_core.data.seeding import numpy_rng, seeded
from b2b_core.images.jpeg import read_coding
from b2b_core.training.precision import Numerics
from b2b_core.training.run import Run
from b2b_core.training.stage import run_stage
from b2b_plugin_reblur.camera import CameraModel
from b2b_plugin_reblur.config import CameraConfig
from b2b_plugin_reblur.spectrum_fit import SpectrumFit

SCENES, SIDE, SIZE = 40, 384, 21


@frozen
class Chain:
    """A camera behind its lens."""

    #: Blur in light (sRGB), or of stored values.
    light: bool = True
    #: Light of what is white, relative to white: 1 to this.
    lights: float = 1.0
    read: float = 0.002
    shot: float = 0.004
    #: JPEG quality of the files; 0: lossless.
    quality: int = 0

    def take(self, scene: Levels, rng: np.random.Generator, *, blur: bool) -> Levels:
        """Take one picture `(H, W, 3)`."""
        light = srgb_to_light(scene) if self.light else scene / 255.0
        light = saturated(light, rng.uniform(1, self.lights))
        if blur:
            path = splat(hand_path(rng, rng.uniform(0.5, 3.0)), SIZE)
            light = Blurrer(light, SIZE).blur(joined(path, disk(rng.uniform(1.2, 2.6), 9)))
        light = with_noise(light, rng, self.read, self.shot)
        return light_to_srgb(light) if self.light else to_levels(light)


CAMERAS = {
    "as usual": Chain(),
    "no noise": Chain(read=0.0, shot=0.0),
    "much noise": Chain(read=0.004, shot=0.010),
    "blur of stored values": Chain(light=False),
    "lights up to 3 times white": Chain(lights=3.0),
    "JPEG of quality 60": Chain(quality=60),
    "JPEG of quality 90": Chain(quality=90),
}


def main() -> None:
    """Print one row for each camera."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--data", type=Path, required=True, metavar="ROOT")
    options.add_argument("--only", nargs="*", default=list(CAMERAS), metavar="NAME")
    options.add_argument("--seed", type=int, default=0)
    said = options.parse_args()
    photographs = sorted((said.data / "photos" / "cid22" / "train").glob("*.png"))
    print("| camera | lights | noise | blur in light | compression | steps | E[r^2] | seconds |")
    print("|---|---|---|---|---|--:|--:|--:|")
    for name in said.only:
        with tempfile.TemporaryDirectory() as folder:
            print(row(name, CAMERAS[name], photographs, Path(folder), said.seed), flush=True)


def row(name: str, chain: Chain, photographs: list[Path], folder: Path, seed: int) -> str:
    """Fit R to a camera; return what was decided, by what, and how long it took."""
    blurry = taken(chain, photographs[: 2 * SCENES : 2], folder / "blurry", blur=True)
    sharp = taken(chain, photographs[1 : 2 * SCENES : 2], folder / "sharp", blur=False)
    run = Run(folder, seed, Numerics("cpu", "float32"), discover())
    # The fit reads nothing else of a job.
    job: Any = SimpleNamespace(blurry=blurry, sharp=sharp, run=run)
    config = CameraConfig()
    with seeded(seed, "initial-camera"):
        camera = CameraModel(config, blurry.habitual_codings)
    fit = SpectrumFit(job, camera, config)
    began = time.perf_counter()
    steps = run_stage(fit, run)
    parts = " | ".join(
        str(fit.findings[part]) for part in ("highlights", "noise", "response", "compression")
    )
    spread = camera.facts()["spread_px2"]
    return f"| {name} | {parts} | {steps} | {spread:.2f} | {time.perf_counter() - began:.0f} |"


def taken(chain: Chain, scenes: list[Path], folder: Path, *, blur: bool) -> PictureSet:
    """Return pictures of the middles of photographs."""
    folder.mkdir()
    pictures, rng = list[TrainingPicture](), numpy_rng(0, "camera-parts", int(blur))
    for scene in scenes:
        pixels = decode(scene).permute(1, 2, 0).numpy()
        top, left = (pixels.shape[0] - SIDE) // 2, (pixels.shape[1] - SIDE) // 2
        middle = pixels[top : top + SIDE, left : left + SIDE]
        picture = chain.take(middle, rng, blur=blur)
        path = folder / f"{scene.stem}.jpg"
        if chain.quality:
            path.write_bytes(jpeg(picture, chain.quality))
            picture = decoded(path.read_bytes())
        tensor = torch.from_numpy(picture.copy()).permute(2, 0, 1).contiguous()
        coding = read_coding(path) if chain.quality else None
        pictures.append(TrainingPicture(path, scene.stem, tensor, coding))
    return PictureSet(pictures, "blurry" if blur else "sharp")


if __name__ == "__main__":
    main()

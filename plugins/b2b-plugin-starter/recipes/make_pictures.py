"""Build the starter's pictures from a data root, reproducibly.

    python make_pictures.py DATA_ROOT OUT [--extent packaged|full]

writes `OUT/camera/{blurry,sharp}` (B and S of the simulated phone), `OUT/test/{blurry,sharp}`
(pairs of the phone that only ever measure) and `OUT/known/{blurry,sharp}` (the known domain's
pairs). `packaged` is what the plugin ships; `full` has many more known pairs, and, for the upper
bound only, `OUT/camera/original`: the sharp originals of B. Every input is listed in `inputs.csv`
with its role and sha256, and refused if it differs.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from b2b_plugin_starter.simulation.known import average, move
from b2b_plugin_starter.simulation.phone import Phone

INPUTS = Path(__file__).with_name("inputs.csv")
#: Blurred variants of each known picture; pairs that the plugin ships are every `STRIDE`-th.
VARIANTS, STRIDE = 4, 21
#: Exposures of each of the camera's scenes for the upper bound.
EXPOSURES = 3
#: Numbers of consecutive GoPro frames that are averaged into one.
WINDOWS = (5, 7, 9, 11)

Levels = NDArray[np.uint8]


@click.command()
@click.argument("data_root", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--extent", type=click.Choice(["packaged", "full"]), default="packaged")
def main(data_root: Path, out: Path, extent: str) -> None:
    """Render every picture of the starter."""
    inputs = read_inputs(data_root)
    phone = Phone()
    for path in inputs["camera-blurry"]:
        rng, levels = start(path)
        write_jpeg(out / "camera/blurry" / f"{path.stem}.jpg", phone, levels, rng, blur=True)
    for path in inputs["camera-sharp"]:
        rng, levels = start(path)
        write_jpeg(out / "camera/sharp" / f"{path.stem}.jpg", phone, levels, rng, blur=False)
    for path in inputs["test"]:
        rng, levels = start(path)
        name = f"kodak-{int(path.stem):02d}"
        write_jpeg(out / "test/blurry" / f"{name}.jpg", phone, levels, rng, blur=True)
        write_lossless(out / "test/sharp" / f"{name}.webp", levels)
    if extent == "full":
        write_camera_pairs(out / "camera-pairs", phone, inputs)
    pairs = [*moved_pairs(inputs["known"]), *averaged_pairs(inputs["known-video"])]
    for name, sharp, blurry in pairs if extent == "full" else pairs[::STRIDE]:
        write_lossless(out / "known/sharp" / f"{name}.webp", sharp)
        write_lossless(out / "known/blurry" / f"{name}.webp", blurry)


def read_inputs(data_root: Path) -> dict[str, list[Path]]:
    """Return the listed inputs by role, their hashes checked."""
    roles: dict[str, list[Path]] = {}
    with INPUTS.open(newline="") as stream:
        for row in csv.DictReader(stream):
            path = data_root / row["file"]
            if hashlib.sha256(path.read_bytes()).hexdigest() != row["sha256"]:
                raise click.ClickException(f"{path} is not the picture that was listed")
            roles.setdefault(row["role"], []).append(path)
    return roles


def write_camera_pairs(out: Path, phone: Phone, inputs: dict[str, list[Path]]) -> None:
    """Write what nobody has of a real camera: several exposures of each scene, with originals."""
    for path in [*inputs["camera-blurry"], *inputs["camera-sharp"]]:
        for variant in range(EXPOSURES):
            rng, levels = start(path, f"{path.stem}/{variant}")
            name = Path(path.stem) / f"{variant}.jpg"
            write_jpeg(out / "blurry" / name, phone, levels, rng, blur=True)
            write_lossless(out / "sharp" / name.with_suffix(".webp"), levels)


def start(path: Path, salt: str = "") -> tuple[np.random.Generator, Levels]:
    """Return a generator that depends on the picture's name (or on `salt`), and the picture."""
    seed = int.from_bytes(hashlib.sha256((salt or path.stem).encode()).digest()[:8], "big")
    with Image.open(path) as image:
        return np.random.default_rng(seed), np.array(image.convert("RGB"))


def moved_pairs(paths: list[Path]) -> Iterator[tuple[str, Levels, Levels]]:
    """Yield (name, sharp, blurry) of photographs under known motion; a scene is a picture."""
    for path in paths:
        rng, levels = start(path)
        for variant in range(VARIANTS):
            yield f"{path.stem}/{variant}", levels, move(levels, rng)


def averaged_pairs(frames: list[Path]) -> Iterator[tuple[str, Levels, Levels]]:
    """Yield (name, sharp, blurry) of averaged video frames; the sharp one is the middle frame.

    Quarters of the frames at half size keep the files small and the motion in the known range.
    """
    if not frames:
        return
    levels = [start(path)[1] for path in frames]
    small = [
        np.array(Image.fromarray(frame).resize((640, 360), Image.Resampling.BOX))
        for frame in levels
    ]
    for count in WINDOWS:
        for first in range(0, len(small) - count + 1, 3):
            name = f"{frames[0].parent.name}/{first:02d}-{count:02d}"
            yield name, small[first + count // 2], average(small[first : first + count])


def write_jpeg(
    path: Path, phone: Phone, levels: Levels, rng: np.random.Generator, *, blur: bool
) -> None:
    """Expose and store as the phone does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(phone.expose(levels, rng, blur=blur))
    picture.save(path, quality=phone.jpeg_quality(rng), subsampling=2)


def write_lossless(path: Path, levels: Levels) -> None:
    """Store without loss."""
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"lossless": True, "quality": 80, "method": 4} if path.suffix == ".webp" else {}
    Image.fromarray(levels).save(path, **options)


if __name__ == "__main__":
    main()

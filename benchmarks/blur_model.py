"""What the blur model R learned of the bench's simulated cameras, beside the truth.

    python benchmarks/blur_model.py RUN ...

RUN is a run folder of `b2b bench run`, such as runs/bench/runs/defocus/seed-0-0123456789ab. The
truth is the camera's own code, from which 400 kernels are drawn; the run knows nothing of it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from b2b_core.bench.cameras.defocus import Defocus
from b2b_core.bench.cameras.kernels import disk, hand_path, joined, splat
from b2b_core.bench.cameras.long_motion import LongMotion
from b2b_core.bench.cameras.phone import Phone
from b2b_core.training.checkpoint import load_checkpoint
from b2b_plugin_reblur.kernels import KernelDistribution

Array = NDArray[np.float64]
COUNT, SIZE = 400, 31


def main() -> None:
    """Print one table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("runs", nargs="+", type=Path, metavar="RUN")
    print("| camera | kernels | E[r^2] | its spread | width along | across | across / along |")
    print("|---|---|---|---|---|---|---|")
    for run in options.parse_args().runs:
        name = run.resolve().parent.name
        if name in TRUTH:
            rng = np.random.default_rng(0)
            print(row(name, "true", np.stack([TRUTH[name](rng) for _ in range(COUNT)])))
        print(row(name, "learned", learned(run)))


def learned(run: Path) -> Array:
    """Return kernels that the R of a run draws, `(COUNT, k, k)`."""
    state = load_checkpoint(run / "checkpoints" / "spectrum.pt")["parts"]["camera"]
    kernels = KernelDistribution(SIZE)
    prefix = "kernels."
    kernels.load_state_dict(
        {name.removeprefix(prefix): value for name, value in state.items() if prefix in name}
    )
    with torch.no_grad():
        draw = torch.Generator().manual_seed(0)
        return kernels.sample(COUNT, draw).double().numpy()


def defocus(rng: np.random.Generator) -> Array:
    """Draw one kernel of the camera `defocus`."""
    camera = Defocus()
    path = splat(hand_path(rng, rng.uniform(*camera.motion)), SIZE)
    return joined(path, disk(rng.uniform(*camera.radius), 9))


def long_motion(rng: np.random.Generator) -> Array:
    """Draw one kernel of the camera `long-motion`."""
    camera = LongMotion()
    return splat(hand_path(rng, rng.uniform(*camera.motion), camera.turning), SIZE)


def phone(rng: np.random.Generator) -> Array:
    """Draw the kernel of one place of a picture of 512x512 of the camera `phone`."""
    camera = Phone()
    path = hand_path(rng, rng.uniform(*camera.motion))
    sweep = np.deg2rad(rng.normal(0, camera.roll)) * np.linspace(-0.5, 0.5, len(path))
    place = rng.uniform(-2 / 3, 2 / 3, 2)
    moved = path + np.stack([-place[1] * 256 * sweep, place[0] * 256 * sweep], -1)
    radius = rng.uniform(*camera.defocus) + rng.normal(0, camera.tilt / 2, 2) @ place
    return joined(splat(moved, SIZE), disk(max(0.0, float(radius)), 13))


TRUTH: dict[str, Callable[[np.random.Generator], Array]] = {
    "defocus": defocus, "long-motion": long_motion, "phone": phone,
}  # fmt: skip


def row(name: str, what: str, kernels: Array) -> str:
    """Return the row of `(N, k, k)` kernels: means and, in brackets, deviations; in pixels."""
    along, across = widths(kernels)
    size = along**2 + across**2
    ratio = np.quantile(across / along, 0.5)
    return (
        f"| {name} | {what} | {size.mean():.2f} | {np.log(size).std():.2f} | "
        f"{along.mean():.2f} ({along.std():.2f}) | {across.mean():.2f} ({across.std():.2f}) | "
        f"{ratio:.2f} |"
    )


def widths(kernels: Array) -> tuple[Array, Array]:
    """Return the standard deviations of kernels' light along their longer and shorter axis."""
    offset = np.arange(kernels.shape[-1]) - kernels.shape[-1] // 2
    y, x = offset[:, None], offset[None]
    total = kernels.sum((-1, -2))

    def mean(weight: NDArray[np.int64]) -> Array:
        return np.asarray((kernels * weight).sum((-1, -2)) / total, np.float64)

    xx, yy = mean(x * x) - mean(x + 0 * y) ** 2, mean(y * y) - mean(y + 0 * x) ** 2
    xy = mean(x * y) - mean(x + 0 * y) * mean(y + 0 * x)
    half, gap = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    return np.sqrt(half + gap), np.sqrt((half - gap).clip(0))


if __name__ == "__main__":
    main()

"""Time and memory of every network on a picture of 1280x720, and what speed costs in quality.

    python benchmarks/networks.py --picture FILE [--threads 2] [--only nafnet-32,...]

Each row is a process of its own, so that its peak of memory is its own. The baseline is the same
network in plain float32 with torch's default memory layout, over the whole picture at once; b2b
chooses format and layout itself. Weights are random, scaled so that the network changes the
picture about as much as a deblurrer does (an RMS of 0.02): speed does not depend on them, and the
comparison of the results is one of numerics, not of quality.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

WIDTH, HEIGHT = 1280, 720
#: Name -> (component, options).
NETWORKS: dict[str, tuple[str, dict[str, Any]]] = {
    "unet": ("unet", {}),
    "nafnet-32": ("nafnet", {}),
    "nafnet-32, TLC 384": ("nafnet", {"tlc_window": 384}),
    "nafnet-64": ("nafnet", {"width": 64}),
    "mimo-unet": ("mimo-unet", {}),
    "mimo-unet+": ("mimo-unet", {"plus": True}),
    "restormer": ("restormer", {}),
}
#: Name -> settings of the pipeline; "plain" is the baseline.
WAYS: dict[str, dict[str, Any]] = {
    "plain": {},
    "b2b": {},
    "b2b, float32": {"precision": "float32"},
    "b2b, bf16": {"precision": "bf16"},
    "b2b, tiles of 384": {"tile": 384},
}


def main() -> None:
    """Measure every network in every way and print a table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--picture", type=Path, required=True, help="any photograph")
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--only", default="", help="comma list of networks")
    options.add_argument("--out", type=Path, default=Path("runs/networks"))
    options.add_argument("--one", nargs=2, metavar=("NETWORK", "WAY"), help=argparse.SUPPRESS)
    said = options.parse_args()
    said.out.mkdir(parents=True, exist_ok=True)
    if said.one:
        print(json.dumps(one(*said.one, said.picture, said.threads, said.out)))
        return
    import torch

    print(f"Python {platform.python_version()}, torch {torch.__version__}, ", end="")
    print(f"{said.threads} threads, {WIDTH}x{HEIGHT}\n")
    print("| network | way | s | times plain | peak GB | dB to plain | PSNR to sharp - plain's |")
    print("|---|---|---|---|---|---|---|")
    for network in [n for n in NETWORKS if not said.only or n in said.only.split(",")]:
        plain = 0.0
        for way in WAYS:
            command = [sys.executable, __file__, *sys.argv[1:], "--one", network, way]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                print(f"| {network} | {way} | failed: {done.stderr.strip().splitlines()[-1]} |")
                continue
            found = json.loads(done.stdout.splitlines()[-1])
            plain = plain or found["seconds"]
            print(
                f"| {network} | {way} ({found['precision']}, {found['tile']}) "
                f"| {found['seconds']:.1f} | {plain / found['seconds']:.2f} "
                f"| {found['gigabytes']:.2f} | {found['to_plain']} | {found['loss']} |",
                flush=True,
            )


def one(network: str, way: str, file: Path, threads: int, out: Path) -> dict[str, Any]:
    """Run one network in one way; the plain result is kept for the others to compare with."""
    import numpy as np
    import torch

    from b2b_core.catalogue import discover
    from b2b_core.inference.pipeline import Pipeline

    torch.set_num_threads(threads)
    catalogue = discover()
    component, settings = NETWORKS[network]
    torch.manual_seed(0)
    module = catalogue.build("deblurrer", component, settings)
    assert isinstance(module, torch.nn.Module)
    sharp, blurry = pictures(file)
    scale(module.eval(), blurry)
    kept = out / f"{network.replace(' ', '')}.npy"
    if way == "plain":
        restored, seconds = timed(lambda: module(blurry[None])[0].clamp(0, 1))
        precision, tile = "float32", "whole"
        np.save(kept, restored.numpy())
    else:
        size = catalogue.spec("deblurrer", component).size
        pipeline = Pipeline(None, module, size, device="cpu", **WAYS[way])
        restored, seconds = timed(lambda: pipeline.deblur(blurry))
        precision = pipeline.precision
        high, wide = pipeline.tile_for(HEIGHT, WIDTH)
        tile = "whole" if high >= HEIGHT and wide >= WIDTH else f"{wide}x{high}"
    reference = torch.from_numpy(np.load(kept))
    return {
        "seconds": seconds,
        "gigabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "precision": precision,
        "tile": tile,
        "to_plain": f"{decibel(restored, reference):.1f}" if way != "plain" else "",
        "loss": f"{decibel(restored, sharp) - decibel(reference, sharp):+.4f}",
    }


def pictures(file: Path) -> Any:
    """Return a sharp picture `(3, 720, 1280)` and the same, slightly blurred."""
    import torch
    from PIL import Image, ImageFilter

    image = Image.open(file).convert("RGB").resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    both = [image, image.filter(ImageFilter.GaussianBlur(1.5))]
    data = [torch.frombuffer(bytearray(p.tobytes()), dtype=torch.uint8) for p in both]
    return [d.reshape(HEIGHT, WIDTH, 3).permute(2, 0, 1).float() / 255 for d in data]


def scale(module: Any, blurry: Any) -> None:
    """Give the network seeded weights with which it changes the picture by an RMS of 0.02."""
    import torch

    generator = torch.Generator().manual_seed(0)
    for parameter in module.parameters():
        if parameter.ndim > 1 and not bool(parameter.any()):  # gates that start at zero
            parameter.data = 0.1 * torch.randn(parameter.shape, generator=generator)
    last = [m for m in module.modules() if isinstance(m, torch.nn.Conv2d) and m.out_channels == 3]
    crop = blurry[None, :, :256, :256]
    with torch.inference_mode():
        change = (module(crop) - crop).square().mean().sqrt()
        last[-1].weight.mul_(0.02 / change)
        if last[-1].bias is not None:
            last[-1].bias.mul_(0.02 / change)


def timed(run: Any) -> Any:
    """Return the result and the seconds of the second of two runs."""
    import torch

    with torch.inference_mode():
        run()
        began = time.perf_counter()
        result = run()
    return result, time.perf_counter() - began


def decibel(image: Any, reference: Any) -> float:
    """Return the PSNR in dB of pictures in [0, 1]."""
    return float(-10 * (image - reference).square().mean().log10())


if __name__ == "__main__":
    main()

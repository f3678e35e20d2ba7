"""Measure what paired training reaches on the demo's camera.

    python upper_bound.py PICTURES [--steps N] [--work DIR]

PICTURES is what `make_pictures.py ... --extent full` wrote. The known deblurrer is fine-tuned on
pairs of the camera (all scenes of B and S, several exposures each, with their clean originals),
then measured on the test pairs as the demo measures. The result is `weights/upper_bound.json`.
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from b2b_core.catalogue import discover
from b2b_core.demo.measure import PROTOCOL, measure
from b2b_core.inference.pipeline import Pipeline
from b2b_core.networks import load_network
from b2b_core.training.train_deblurrer import train_deblurrer
from b2b_plugin_starter.places import TEST, UPPER_BOUND


@click.command()
@click.argument("pictures", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--steps", default=2400, show_default=True)
@click.option("--work", type=click.Path(path_type=Path), default=Path("runs/upper-bound"))
def main(pictures: Path, steps: int, work: Path) -> None:
    """Train with pairs, measure, write the figure and how it was made."""
    catalogue = discover()
    work.mkdir(parents=True, exist_ok=True)
    out = work / "deblurrer.safetensors"
    root = pictures / "camera-pairs"
    if not out.exists():
        train_deblurrer(
            catalogue, domain="starter", root=root, component="unet", init="unet.starter",
            options={}, training={"steps": steps, "crop": 112, "lr": 1e-3, "ema": 0.995},
            device="auto", precision="auto", seed=0, out=out, work=work,
        )  # fmt: skip
    file, network = load_network(out, catalogue, "deblurrer")
    size = catalogue.spec("deblurrer", file.component).size
    ways = {"paired": Pipeline(None, network, size)}
    scores = measure(TEST / "blurry", TEST / "sharp", ways, 0).scores["paired"].means()
    trained_on, seconds = file.facts["trained_on"], float(file.facts["seconds"])
    card = (
        f"Paired upper bound: the starter's deblurrer, fine-tuned for {steps} steps "
        f"({seconds:.0f} s of training) on pairs of this camera ({trained_on}), which nobody "
        "has of a real one."
    )
    result = {**scores, "card": card, "protocol": PROTOCOL, "steps": steps, "seed": 0}
    UPPER_BOUND.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    click.echo(UPPER_BOUND.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()

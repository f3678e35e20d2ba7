"""Whether the judge that does not trust R is right: expected gains beside true ones.

    python benchmarks/surplus.py RUN ... [--chance N]

RUN is a finished run folder of `b2b bench run` whose profile holds a fine-tuned deblurrer. Each
run's network and R are tried on every camera: where the two differ, R is wrong on purpose. The true
gain comes from the camera's test pairs, which the judge never sees. A camera is that of the first
run of its recipe.
"""

from __future__ import annotations

import argparse
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from attrs import frozen
from torch import Tensor, nn

from b2b_core.catalogue import Catalogue, discover
from b2b_core.data.crops import CropSampler
from b2b_core.data.decoded import decode
from b2b_core.data.pictures import PictureSet, load_pictures
from b2b_core.data.seeding import torch_rng
from b2b_core.importing.open import network_file
from b2b_core.metrics import psnr
from b2b_core.metrics.pairing import pair_up
from b2b_core.networks import load_network
from b2b_core.profile import load_profile
from b2b_core.training.checkpoint import load_checkpoint
from b2b_core.training.precision import Numerics
from b2b_plugin_reblur import surplus
from b2b_plugin_reblur.camera import CameraModel
from b2b_plugin_reblur.config import CameraConfig
from b2b_plugin_reblur.heldout import restore

#: Side of crops, from the middle of test pictures and of R(S); how many of each.
SIDE, COUNT = 192, 16
NUMERICS = Numerics("cpu", "float32")


@frozen(eq=False)
class Unknown:
    """A run's camera: its unpaired pictures, its true test pairs, its known deblurrer alone."""

    blurry: PictureSet
    sharp: PictureSet
    test: tuple[Tensor, Tensor]
    alone: nn.Module


@frozen(eq=False)
class Learned:
    """What a run learned: R, and a deblurrer that undoes R."""

    model: CameraModel
    deblurrer: nn.Module


def main() -> None:
    """Print one table and what it comes to."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("runs", nargs="+", type=Path, metavar="RUN")
    options.add_argument("--chance", type=float, default=surplus.CHANCE,
                         help="standard errors of a surplus that are not counted")  # fmt: skip
    given = options.parse_args()
    surplus.CHANCE = given.chance
    runs = {_name(path): path for path in given.runs}
    catalogue = discover()
    learned = {name: learned_by(path, catalogue) for name, path in runs.items()}
    found = list[tuple[float, float, float]]()
    print("| camera | R and network of | gain on R(S) | penalty | expected | true gain |")
    print("|---|---|--:|--:|--:|--:|")
    cameras = {path.resolve().parent.name: path for path in reversed(runs.values())}
    for name, path in cameras.items():
        unknown = unknown_of(path, catalogue)
        for other, network in learned.items():
            own, penalty, true = judged(unknown, network)
            found.append((own, own - penalty, true))
            numbers = " | ".join(f"{n:+.2f}" for n in (own, -penalty, own - penalty, true))
            print(f"| {name} | {other} | {numbers} |", flush=True)
    own, expected, true = np.array(found).T
    for title, said in (("gain on R(S)", own), ("expected gain", expected)):
        right, alike = int((np.sign(said) == np.sign(true)).sum()), np.corrcoef(said, true)[0, 1]
        worst = true[said > 0].min(initial=0)
        print(
            f"{title}: the true sign in {right} of {len(true)} cases, correlation {alike:.2f}; "
            f"the worst that it lets pass costs {worst:+.2f} dB"
        )


def _name(run: Path) -> str:
    return f"{run.resolve().parent.name} {run.name.rpartition('-')[0]}"


def learned_by(run: Path, catalogue: Catalogue) -> Learned:
    """Read the network and the R that a run ended with."""
    data = _settings(run)["data"]
    codings = load_pictures(Path(data["blurry"]), "blurry", data["crop"]).habitual_codings
    model = CameraModel(CameraConfig(), codings)
    model.load_state_dict(load_checkpoint(run / "checkpoints" / "spectrum.pt")["parts"]["camera"])
    profile = load_profile(
        run / "profile.safetensors",
        catalogue,
        lambda name: network_file(name, catalogue, "deblurrer"),
    )
    return Learned(model.eval(), profile.deblurrer.eval())


def unknown_of(run: Path, catalogue: Catalogue) -> Unknown:
    """Read the pictures of a run's camera."""
    settings = _settings(run)
    blurry, sharp = Path(settings["data"]["blurry"]), Path(settings["data"]["sharp"])
    couples = pair_up(blurry.parent / "test" / "blurry", blurry.parent / "test" / "sharp")[:COUNT]
    name = settings["domain"]["deblurrer"]
    _, alone = load_network(network_file(name, catalogue, "deblurrer"), catalogue, "deblurrer")
    side = SIDE + 64
    return Unknown(
        blurry=load_pictures(blurry, "blurry", side), sharp=load_pictures(sharp, "sharp", side),
        test=(
            torch.stack([_middle(decode(couple.picture)) for couple in couples]),
            torch.stack([_middle(decode(couple.reference)) for couple in couples]),
        ),
        alone=alone.eval(),
    )  # fmt: skip


def judged(unknown: Unknown, learned: Learned) -> tuple[float, float, float]:
    """Return the gain on R(S), the penalty and the true gain, in dB."""
    run = SimpleNamespace(seed=0, numerics=NUMERICS)
    job: Any = SimpleNamespace(blurry=unknown.blurry, sharp=unknown.sharp, multiple=8, run=run)
    crops = CropSampler(unknown.sharp, SIDE + learned.model.margin, 0, "held-sharp")
    with torch.no_grad():
        made, target, _ = learned.model(crops.batch(0, COUNT), torch_rng(0, "held-out"))
    penalty = surplus.Surplus(job, learned.model).penalty(None, learned.deblurrer)
    return _gain(unknown, learned, made, target), penalty, _gain(unknown, learned, *unknown.test)


def _gain(unknown: Unknown, learned: Learned, blurry: Tensor, sharp: Tensor) -> float:
    after = psnr(restore(None, learned.deblurrer, blurry, NUMERICS), sharp)
    before = psnr(restore(None, unknown.alone, blurry, NUMERICS), sharp)
    return float((after - before).mean())


def _middle(pixels: Tensor) -> Tensor:
    top, left = ((side - SIDE) // 2 for side in pixels.shape[1:])
    return pixels[:, top : top + SIDE, left : left + SIDE].float() / 255


def _settings(run: Path) -> dict[str, Any]:
    return tomllib.loads((run / "config.toml").read_text())


if __name__ == "__main__":
    main()

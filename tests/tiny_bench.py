"""A bench of a few pixels: a data root of tiny photographs with its recipe and list."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from PIL import Image

from b2b_core.bench.library import read_recipes
from b2b_core.bench.recipe import Recipe
from b2b_core.bench.runner import Bench
from b2b_core.catalogue import discover
from b2b_core.hashing import sha256_of

CATALOGUE = discover()
ROLES = {"known": 3, "camera-blurry": 4, "camera-sharp": 4, "test": 2}
RECIPE = """
title = "a camera of a few pixels"
[pictures]
list = "list.csv"
source = "the moon"
[camera]
name = "defocus"
exposures = 2
[known]
motion = { variants = 2 }
options = { width = 8, levels = 2, blocks = 1 }
training = { steps = 3, batch = 2, crop = 32 }
[upper_bound]
training = { steps = 3, batch = 2, crop = 32 }
[adaptation]
data = { crop = 32, held_out = 0.25 }
run = { device = "cpu", precision = "float32" }
translator = { name = "unet", width = 8, levels = 2, blocks = 1 }
discriminator = { name = "laplacian-patchgan", width = 8 }
[adaptation.strategy]
name = "reblur"
mode = "finetune"
trial_steps = 1
camera = { spectrum_steps = 2, spectrum_batch = 2, crop = 24, kernel = 9 }
finetune = { steps = 2, batch = 2 }
task = { steps = 2, batch = 2 }
conversion = { steps = 2, batch = 2 }
"""


def write_root(root: Path) -> Path:
    """Write tiny photographs into a folder, with a recipe and its list beside them."""
    rng = np.random.default_rng(0)
    rows = []
    for role, count in ROLES.items():
        for number in range(count):
            file = root / f"{role}-{number}.png"
            coarse = rng.integers(0, 256, (18, 20, 3), dtype=np.uint8)
            Image.fromarray(coarse).resize((112, 104), Image.Resampling.BICUBIC).save(file)
            rows.append((role, file.name, file.stem, sha256_of(file)))
    with (root / "list.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([("role", "file", "scene", "sha256"), *rows])
    (root / "tiny.toml").write_text(RECIPE)
    return root


def tiny_recipe(root: Path) -> Recipe:
    """Return the recipe of a data root."""
    return read_recipes(root / "tiny.toml")[0]


def bench(root, out, **said):
    """Return a bench of the tiny data."""
    return Bench(root=root, out=out, catalogue=CATALOGUE, **said)

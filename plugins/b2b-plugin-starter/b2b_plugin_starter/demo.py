"""The demo `starter`: a simulated phone, its pictures and what paired training would reach."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from b2b_core.contracts import UpperBound
from b2b_plugin_starter.config import DemoConfig
from b2b_plugin_starter.places import CAMERA, TEST, UPPER_BOUND

#: Steps of (R, comparison, fine-tuning, G by task) for the whole demo and for the quick one.
FULL_STEPS = {"trial": 80, "finetune": 1300, "task": 900}
QUICK_STEPS = {"finetune": 250}
#: Minutes of training for each candidate, with what comes before it; slow machines do fewer steps.
FULL_MINUTES, QUICK_MINUTES = 10.0, 5.0


class StarterDemo:
    """What `b2b demo` runs by default."""

    description = (
        "The camera of this demo is simulated, on real photographs: a phone that is often out of "
        "focus, with blur that varies over the picture, lights that clip, noise that depends on "
        "the light, and JPEG files."
    )

    def __init__(self, config: DemoConfig) -> None:
        self._seed = config.seed
        self.blurry, self.sharp = CAMERA / "blurry", CAMERA / "sharp"
        self.test_blurry, self.test_sharp = TEST / "blurry", TEST / "sharp"
        bound = json.loads(UPPER_BOUND.read_text(encoding="utf-8"))
        self.upper_bound = UpperBound(bound["psnr"], bound["ssim"], bound["card"])

    def settings(self, *, quick: bool) -> Mapping[str, Any]:
        """Return the settings of the adaptation: the default strategy, shorter if `quick`."""
        return {
            "domain": {"name": "starter"},
            "run": {"seed": self._seed},
            "strategy": _quick() if quick else _full(),
        }


def _full() -> dict[str, Any]:
    """Train every candidate that is worth showing to its end."""
    steps = FULL_STEPS
    return {
        "name": "reblur",
        "mode": "auto",
        "minutes": FULL_MINUTES,
        "also": ["finetune", "task"],
        "trial_steps": steps["trial"],
        "finetune": {"steps": steps["finetune"]},
        "task": {"steps": steps["task"]},
    }


def _quick() -> dict[str, Any]:
    """Train what is best after few steps, without a comparison."""
    steps = QUICK_STEPS
    return {
        "name": "reblur",
        "mode": "finetune",
        "minutes": QUICK_MINUTES,
        "finetune": {"steps": steps["finetune"]},
    }

"""Where the plugin's own files lie."""

from collections.abc import Mapping
from pathlib import Path

_HERE = Path(__file__).parent

#: Pictures of the simulated phone: `blurry` and `sharp` are B and S, unpaired.
CAMERA = _HERE / "pictures" / "camera"
#: Pairs of the simulated phone that nothing is trained on.
TEST = _HERE / "pictures" / "test"
#: Pairs of the known domain.
KNOWN = _HERE / "pictures" / "known"

WEIGHTS: Mapping[str, Path] = {
    "unet.starter": _HERE / "weights" / "deblurrer.safetensors",
    "kernel-space.starter": _HERE / "weights" / "extractor.safetensors",
}
#: What paired training reaches on the demo's camera; written by the recipe `upper_bound.py`.
UPPER_BOUND = _HERE / "weights" / "upper_bound.json"

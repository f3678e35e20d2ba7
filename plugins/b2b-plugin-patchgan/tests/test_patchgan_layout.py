"""PatchGAN's names and shapes against the snapshot of the published file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from b2b_plugin_patchgan.config import PatchGanConfig
from b2b_plugin_patchgan.patchgan import PatchGan

LAYOUTS = Path(__file__).parent / "layouts"


@pytest.mark.parametrize(
    ("name", "config", "tensors", "parameters"),
    [
        ("patchgan", PatchGanConfig(), 10, 2_764_737),
        ("patchgan", PatchGanConfig(norm="none"), 10, 2_764_737),
    ],
)
def test_layout_equals_the_snapshot(name, config, tensors, parameters):
    """No published name and no shape changes unnoticed; the numbers are the published ones."""
    with torch.device("meta"):
        network = PatchGan(config)
    shapes = {key: list(tensor.shape) for key, tensor in network.state_dict().items()}
    assert shapes == json.loads((LAYOUTS / f"{name}.json").read_text())
    assert len(shapes) == tensors
    assert sum(p.numel() for p in network.parameters()) == parameters

"""MIMO-UNet's names and shapes against the snapshots of the published files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from b2b_plugin_mimo_unet.config import MimoUNetConfig
from b2b_plugin_mimo_unet.network import MimoUNet

LAYOUTS = Path(__file__).parent / "layouts"


@pytest.mark.parametrize(
    ("name", "config", "tensors", "parameters"),
    [
        ("mimo-unet", MimoUNetConfig(), 244, 6_807_171),
        ("mimo-unet-plus", MimoUNetConfig(plus=True), 532, 16_107_651),
    ],
)
def test_layout_equals_the_snapshot(name, config, tensors, parameters):
    """No published name and no shape changes unnoticed; the numbers are the published ones."""
    with torch.device("meta"):
        network = MimoUNet(config)
    shapes = {key: list(tensor.shape) for key, tensor in network.state_dict().items()}
    assert shapes == json.loads((LAYOUTS / f"{name}.json").read_text())
    assert len(shapes) == tensors
    assert sum(p.numel() for p in network.parameters()) == parameters

"""NAFNet's names and shapes against the snapshots of the published files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from b2b_plugin_nafnet.config import NafNetConfig
from b2b_plugin_nafnet.network import NafNet

LAYOUTS = Path(__file__).parent / "layouts"


@pytest.mark.parametrize(
    ("name", "config", "tensors", "parameters"),
    [
        ("nafnet-32", NafNetConfig(), 664, 17_111_907),
        ("nafnet-64", NafNetConfig(width=64), 664, 67_888_835),
    ],
)
def test_layout_equals_the_snapshot(name, config, tensors, parameters):
    """No published name and no shape changes unnoticed; the numbers are the published ones."""
    with torch.device("meta"):
        network = NafNet(config)
    shapes = {key: list(tensor.shape) for key, tensor in network.state_dict().items()}
    assert shapes == json.loads((LAYOUTS / f"{name}.json").read_text())
    assert len(shapes) == tensors
    assert sum(p.numel() for p in network.parameters()) == parameters

"""The extractor's names and shapes against the snapshots of the published files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from b2b_plugin_kernel_space.config import KernelSpaceConfig
from b2b_plugin_kernel_space.network import KernelSpace

LAYOUTS = Path(__file__).parent / "layouts"


@pytest.mark.parametrize(
    ("name", "config", "tensors", "parameters"),
    [
        ("kernel-space", KernelSpaceConfig(), 159, 49_205_187),
        ("kernel-space-vae", KernelSpaceConfig(vae=True), 159, 115_265_475),
    ],
)
def test_layout_equals_the_snapshot(name, config, tensors, parameters):
    """No published name and no shape changes unnoticed; the numbers are the published ones."""
    with torch.device("meta"):
        network = KernelSpace(config)
    shapes = {key: list(tensor.shape) for key, tensor in network.state_dict().items()}
    assert shapes == json.loads((LAYOUTS / f"{name}.json").read_text())
    assert len(shapes) == tensors
    assert sum(p.numel() for p in network.parameters()) == parameters

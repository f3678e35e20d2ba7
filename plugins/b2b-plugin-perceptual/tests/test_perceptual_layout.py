"""VGG's names and shapes against snapshots of torchvision's files, classifier included."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from b2b_plugin_perceptual.config import Vgg16Config, Vgg19Config
from b2b_plugin_perceptual.vgg import Vgg

LAYOUTS = Path(__file__).parent / "layouts"


def shapes_of(variant, config):
    """Return the names and shapes of a network."""
    with torch.device("meta"):
        network = Vgg(variant, config)
    return {name: list(tensor.shape) for name, tensor in network.state_dict().items()}


@pytest.mark.parametrize(
    ("variant", "config", "deepest", "tensors", "parameters"),
    [
        ("vgg16", Vgg16Config, "relu5_3", 32, 138_357_544),
        ("vgg19", Vgg19Config, "relu5_4", 38, 143_667_240),
    ],
)
def test_layout_equals_the_snapshot(variant, config, deepest, tensors, parameters):
    """Down to the last layer all `features` are torchvision's; the usual taps need fewer."""
    snapshot = json.loads((LAYOUTS / f"{variant}.json").read_text())
    assert len(snapshot) == tensors
    assert sum(torch.Size(shape).numel() for shape in snapshot.values()) == parameters
    whole = shapes_of(variant, config(taps=(deepest,), layer_weights=(1.0,)))
    assert whole == {k: v for k, v in snapshot.items() if k.startswith("features.")}
    usual = shapes_of(variant, config())
    assert 0 < len(usual) < len(whole)
    assert usual == {name: snapshot[name] for name in usual}

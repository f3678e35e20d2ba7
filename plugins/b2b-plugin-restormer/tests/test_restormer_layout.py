"""Restormer's names and shapes against the published layout and its snapshot."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from b2b_plugin_restormer.config import RestormerConfig
from b2b_plugin_restormer.network import Restormer

LAYOUT = Path(__file__).parent / "layouts" / "restormer.json"


def shapes_of(config):
    """Return the names and shapes of a network."""
    with torch.device("meta"):
        network = Restormer(config)
    return {name: list(tensor.shape) for name, tensor in network.state_dict().items()}


def block_shapes(prefix, c, heads):
    """Return one block's published names and shapes; 2.66 channels inside per channel."""
    hidden = {48: 127, 96: 255, 192: 510, 384: 1021}[c]
    shapes = {f"norm{i}.body.{part}": [c] for i in (1, 2) for part in ("weight", "bias")}
    shapes |= {"attn.temperature": [heads, 1, 1], "attn.qkv.weight": [3 * c, c, 1, 1]}
    shapes |= {"attn.qkv_dwconv.weight": [3 * c, 1, 3, 3], "attn.project_out.weight": [c, c, 1, 1]}
    shapes |= {
        "ffn.project_in.weight": [2 * hidden, c, 1, 1],
        "ffn.dwconv.weight": [2 * hidden, 1, 3, 3],
        "ffn.project_out.weight": [c, hidden, 1, 1],
    }
    return {f"{prefix}.{name}": shape for name, shape in shapes.items()}


def published_layout():
    """Return the names and shapes of the motion deblurring weights, from the fact sheet."""
    shapes = {"patch_embed.proj.weight": [48, 3, 3, 3], "output.weight": [3, 96, 3, 3]}
    for stage, blocks, c, heads in (
        ("encoder_level1", 4, 48, 1),
        ("encoder_level2", 6, 96, 2),
        ("encoder_level3", 6, 192, 4),
        ("latent", 8, 384, 8),
        ("decoder_level3", 6, 192, 4),
        ("decoder_level2", 6, 96, 2),
        ("decoder_level1", 4, 96, 1),
        ("refinement", 4, 96, 1),
    ):
        for block in range(blocks):
            shapes |= block_shapes(f"{stage}.{block}", c, heads)
    for name, c in (("down1_2", 48), ("down2_3", 96), ("down3_4", 192)):
        shapes[f"{name}.body.0.weight"] = [c // 2, c, 3, 3]
    for name, c in (("up4_3", 384), ("up3_2", 192), ("up2_1", 96)):
        shapes[f"{name}.body.0.weight"] = [2 * c, c, 3, 3]
    shapes["reduce_chan_level3.weight"] = [192, 384, 1, 1]
    shapes["reduce_chan_level2.weight"] = [96, 192, 1, 1]
    return shapes


def test_layout_equals_the_published_weights():
    """Names, shapes and the number of parameters are the published ones, 494 tensors."""
    shapes = shapes_of(RestormerConfig())
    assert shapes == published_layout()
    assert len(shapes) == 494
    assert sum(torch.Size(shape).numel() for shape in shapes.values()) == 26_126_644


def test_layout_equals_the_snapshot():
    """No name and no shape changes unnoticed."""
    assert shapes_of(RestormerConfig()) == json.loads(LAYOUT.read_text())


def test_bias_free_norm_has_no_shift():
    """The published denoisers' norms have a scale alone: 88 tensors fewer."""
    shapes = shapes_of(RestormerConfig(norm="bias-free"))
    assert shapes == {k: v for k, v in published_layout().items() if not k.endswith("body.bias")}
    assert len(shapes) == 494 - 88

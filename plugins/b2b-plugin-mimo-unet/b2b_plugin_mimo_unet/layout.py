"""How the published files of MIMO-UNet and MIMO-UNet+ are laid out, and Blur2Blur's G, the same."""

from __future__ import annotations

from attrs import evolve

from b2b_core.layouts import Layout, Shapes, count, length
from b2b_plugin_mimo_unet.config import MimoUNetConfig


def read_config(shapes: Shapes) -> MimoUNetConfig:
    """Return width and depth of a MIMO-UNet with these tensors.

    Raises:
        ValueError: if no MIMO-UNet has them.
    """
    width, blocks = length(shapes, "feat_extract.0.main.0.weight"), count(shapes, _BLOCKS)
    published = blocks == MimoUNetConfig().depth
    return MimoUNetConfig(width=width, blocks=None if published else blocks)


def read_plus_config(shapes: Shapes) -> MimoUNetConfig:
    """Return width and depth of a MIMO-UNet+; its dropout leaves no trace in a file.

    Raises:
        ValueError: if no MIMO-UNet has these tensors.
    """
    published = count(shapes, _BLOCKS) == MimoUNetConfig(plus=True).depth
    config = evolve(read_config(shapes), plus=True)
    return evolve(config, blocks=None) if published else config


_BLOCKS = "Encoder.0.layers."
_KEYS = ("feat_extract.0.main.0.weight", "SCM1.conv.main.0.weight", "FAM1.merge.main.0.weight")

MIMO_UNET: Layout[MimoUNetConfig] = Layout(name="mimo-unet", keys=_KEYS, read=read_config)
#: The plain network has 8 blocks per level, this one 20.
MIMO_UNET_PLUS: Layout[MimoUNetConfig] = Layout(
    name="mimo-unet-plus",
    keys=(*_KEYS, f"{_BLOCKS}19.main.0.main.0.weight"),
    read=read_plus_config,
)

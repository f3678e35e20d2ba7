"""How bare state dicts of the residual U-Nets are laid out."""

from __future__ import annotations

from b2b_core.layouts import Layout, Shapes, count, length
from b2b_plugin_unet.config import MultiscaleUNetConfig, UNetConfig


def read_config(shapes: Shapes) -> UNetConfig:
    """Return width and depths of a U-Net with these tensors.

    Raises:
        ValueError: if no such U-Net has them.
    """
    return UNetConfig(
        width=length(shapes, "first.weight"),
        levels=count(shapes, "encoders."),
        blocks=count(shapes, "encoders.0."),
    )


def read_multiscale_config(shapes: Shapes) -> MultiscaleUNetConfig:
    """Return width and depths of a multi-scale U-Net with these tensors.

    Raises:
        ValueError: if no such U-Net has them.
    """
    plain = read_config(shapes)
    return MultiscaleUNetConfig(width=plain.width, levels=plain.levels, blocks=plain.blocks)


UNET: Layout[UNetConfig] = Layout(
    name="unet",
    keys=("first.weight", "last.weight", "encoders.0.0.conv1.weight"),
    read=read_config,
)
UNET_MULTISCALE: Layout[MultiscaleUNetConfig] = Layout(
    name="unet-multiscale",
    keys=(*UNET.keys, "enters.0.weight", "exits.0.weight"),
    read=read_multiscale_config,
)

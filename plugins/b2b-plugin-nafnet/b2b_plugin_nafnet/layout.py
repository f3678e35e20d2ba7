"""How the published files of NAFNet are laid out (GoPro, REDS; any width and depth)."""

from __future__ import annotations

from b2b_core.layouts import Layout, Shapes, count, length
from b2b_plugin_nafnet.config import NafNetConfig


def read_config(shapes: Shapes) -> NafNetConfig:
    """Return width and depths of a NAFNet with these tensors.

    Raises:
        ValueError: if no NAFNet has them.
    """
    levels = count(shapes, "downs.")
    return NafNetConfig(
        width=length(shapes, "intro.weight"),
        middle=count(shapes, "middle_blks."),
        encoders=tuple(count(shapes, f"encoders.{level}.") for level in range(levels)),
        decoders=tuple(count(shapes, f"decoders.{level}.") for level in range(levels)),
    )


NAFNET: Layout[NafNetConfig] = Layout(
    name="nafnet",
    keys=("intro.weight", "ending.weight", "downs.0.weight", "ups.0.0.weight"),
    read=read_config,
)

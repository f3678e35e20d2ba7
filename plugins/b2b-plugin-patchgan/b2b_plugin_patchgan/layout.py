"""How files of the discriminators are laid out: pix2pix's, Blur2Blur's, and b2b's own.

Instance normalisation and none leave the same tensors; instance is what is published.
"""

from __future__ import annotations

from b2b_core.layouts import Layout, Shapes, length
from b2b_plugin_patchgan.config import LaplacianPatchGanConfig, PatchGanConfig


def read_config(shapes: Shapes) -> PatchGanConfig:
    """Return width and normalisation of a PatchGAN with these tensors.

    Raises:
        ValueError: if no PatchGAN has them; batch normalisation is named.
    """
    if "model.3.running_mean" in shapes:
        raise ValueError("it has batch normalisation, which this discriminator does not offer")
    return PatchGanConfig(
        width=length(shapes, "model.0.bias"),
        norm="group" if "model.3.weight" in shapes else "instance",
        spectral=any(".parametrizations." in name for name in shapes),
    )


def read_laplacian_config(shapes: Shapes) -> LaplacianPatchGanConfig:
    """Return the width of a discriminator of picture and Laplacian with these tensors.

    Raises:
        ValueError: if no such discriminator has them.
    """
    return LaplacianPatchGanConfig(width=length(shapes, "model.0.bias"))


PATCHGAN: Layout[PatchGanConfig] = Layout(
    name="patchgan", keys=("model.0.bias", "model.11.bias"), read=read_config
)
LAPLACIAN_PATCHGAN: Layout[LaplacianPatchGanConfig] = Layout(
    name="laplacian-patchgan",
    keys=("model.0.bias", "model.3.weight", "model.11.bias"),
    read=read_laplacian_config,
)

"""PatchGANs as a b2b plugin: `patchgan`, `laplacian-patchgan` and `edge-patchgan`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from b2b_core import hookimpl
from b2b_core.specs import DiscriminatorSpec
from b2b_plugin_patchgan.config import (
    EdgePatchGanConfig,
    LaplacianPatchGanConfig,
    PatchGanConfig,
)
from b2b_plugin_patchgan.layout import LAPLACIAN_PATCHGAN, PATCHGAN

if TYPE_CHECKING:
    from b2b_core.contracts import Discriminator

_CITATION = "Isola et al., Image-to-Image Translation with Conditional Adversarial Networks, 2017"


def build_patchgan(config: PatchGanConfig) -> Discriminator:
    """Build the 70x70 PatchGAN, shared by all levels of the pyramid."""
    from b2b_plugin_patchgan.patchgan import PatchGan

    return PatchGan(config)


def build_laplacian_patchgan(config: LaplacianPatchGanConfig) -> Discriminator:
    """Build the PatchGAN that sees the Laplacian, shared by all levels of the pyramid."""
    from b2b_plugin_patchgan.laplacian import LaplacianPatchGan

    return LaplacianPatchGan(config)


def build_edge_patchgan(config: EdgePatchGanConfig) -> Discriminator:
    """Build the discriminator of edges, shared by all levels of the pyramid."""
    from b2b_plugin_patchgan.edges import EdgePatchGan

    return EdgePatchGan(config)


@hookimpl
def b2b_discriminators() -> list[
    DiscriminatorSpec[PatchGanConfig]
    | DiscriminatorSpec[LaplacianPatchGanConfig]
    | DiscriminatorSpec[EdgePatchGanConfig]
]:
    """Offer the three discriminators."""
    return [
        DiscriminatorSpec(
            name="patchgan",
            config=PatchGanConfig,
            factory=build_patchgan,
            summary="70x70 PatchGAN shared over the pyramid; the paper's discriminator",
            citation=_CITATION,
            layouts=(PATCHGAN,),
        ),
        DiscriminatorSpec(
            name="laplacian-patchgan",
            config=LaplacianPatchGanConfig,
            factory=build_laplacian_patchgan,
            summary="PatchGAN that sees blur: picture and Laplacian, group norm, full resolution",
            citation=_CITATION,
            layouts=(LAPLACIAN_PATCHGAN,),
        ),
        DiscriminatorSpec(
            name="edge-patchgan",
            config=EdgePatchGanConfig,
            factory=build_edge_patchgan,
            summary="sees small patches of the Laplacian alone; quick, for blur and nothing else",
            citation=_CITATION,
        ),
    ]

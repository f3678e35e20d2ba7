"""The blur kernel extractor as a b2b plugin: kernel extractor `kernel-space`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from b2b_core import hookimpl
from b2b_core.specs import KernelExtractorSpec
from b2b_plugin_kernel_space.config import KernelSpaceConfig
from b2b_plugin_kernel_space.layout import KERNEL_SPACE

if TYPE_CHECKING:
    from b2b_core.contracts import KernelExtractor

_CITATION = "Tran et al., Explore Image Deblurring via Encoded Blur Kernel Space, CVPR 2021"


def build_kernel_extractor(config: KernelSpaceConfig) -> KernelExtractor:
    """Build the extractor of Tran et al."""
    from b2b_plugin_kernel_space.network import KernelSpace

    return KernelSpace(config)


@hookimpl
def b2b_kernel_extractors() -> list[KernelExtractorSpec[KernelSpaceConfig]]:
    """Offer the kernel extractor `kernel-space`."""
    return [
        KernelExtractorSpec(
            name="kernel-space",
            config=KernelSpaceConfig,
            factory=build_kernel_extractor,
            summary="blur kernel space of Tran et al.; any size, takes the published weights",
            citation=_CITATION,
            layouts=(KERNEL_SPACE,),
        )
    ]

"""The REDS data set as a b2b plugin: domain `reds`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from b2b_core import hookimpl
from b2b_core.specs import DomainSpec
from b2b_plugin_reds.config import RedsConfig

if TYPE_CHECKING:
    from b2b_core.contracts import Domain


def build_domain(config: RedsConfig) -> Domain:
    """Build the domain."""
    from b2b_plugin_reds.domain import RedsDomain

    return RedsDomain(config)


@hookimpl
def b2b_domains() -> list[DomainSpec[RedsConfig]]:
    """Offer the domain `reds`."""
    return [
        DomainSpec(
            name="reds",
            config=RedsConfig,
            factory=build_domain,
            summary="REDS: averaged video frames, plain or compressed, 1280x720",
            citation=(
                "Nah et al., NTIRE 2019 Challenge on Video Deblurring and Super-Resolution: "
                "Dataset and Study, CVPR Workshops 2019"
            ),
            layout=(
                "DIR/{train,val}/{train,val}_{sharp,blur or blur_jpeg or blur_comp}/CLIP/FRAME.*, "
                "or the same without DIR/{train,val}/, or with CLIP_FRAME.* in one folder"
            ),
            counts={"train": 24000, "test": 3000},
            deblurrer="nafnet.reds-width64",
            extractor="kernel-space.reds",
            data_licence="CC-BY-4.0",
        )
    ]

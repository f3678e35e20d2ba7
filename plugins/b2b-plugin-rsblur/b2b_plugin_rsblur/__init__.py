"""The RSBlur data set as a b2b plugin: domain `rsblur`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from b2b_core import hookimpl
from b2b_core.specs import DomainSpec
from b2b_plugin_rsblur.config import RsblurConfig

if TYPE_CHECKING:
    from b2b_core.contracts import Domain


def build_domain(config: RsblurConfig) -> Domain:
    """Build the domain."""
    from b2b_plugin_rsblur.domain import RsblurDomain

    return RsblurDomain(config)


@hookimpl
def b2b_domains() -> list[DomainSpec[RsblurConfig]]:
    """Offer the domain `rsblur`."""
    return [
        DomainSpec(
            name="rsblur",
            config=RsblurConfig,
            factory=build_domain,
            summary="RSBlur: real motion blur, about 1920x1200",
            citation=(
                "Rim et al., Realistic Blur Synthesis for Learning Image Deblurring, ECCV 2022"
            ),
            layout=(
                "DIR/RSBlur/SCENE/SHOT/{real_blur/real_blur.png,gt/gt_sharp.png} and the lists "
                "RSBlur_real_{train,test}.txt in DIR or DIR/datalist/RSBlur"
            ),
            counts={"train": 8878, "test": 3360},
            data_licence="CC-BY-4.0",
        )
    ]

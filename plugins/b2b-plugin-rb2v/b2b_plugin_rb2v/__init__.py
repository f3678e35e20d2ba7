"""The RB2V data set as a b2b plugin: domain `rb2v`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from b2b_core import hookimpl
from b2b_core.specs import DomainSpec
from b2b_plugin_rb2v.config import Rb2vConfig

if TYPE_CHECKING:
    from b2b_core.contracts import Domain


def build_domain(config: Rb2vConfig) -> Domain:
    """Build the domain."""
    from b2b_plugin_rb2v.domain import Rb2vDomain

    return Rb2vDomain(config)


@hookimpl
def b2b_domains() -> list[DomainSpec[Rb2vConfig]]:
    """Offer the domain `rb2v`."""
    return [
        DomainSpec(
            name="rb2v",
            config=Rb2vConfig,
            factory=build_domain,
            summary="RB2V_Street: real blur of street videos (also the parts Face and Hand)",
            citation=(
                "Pham et al., HyperCUT: Video Sequence from a Single Blurry Image using "
                "Unsupervised Ordering, CVPR 2023"
            ),
            layout=(
                "DIR/Street/{metadata.json,SEQUENCE/{blur/NAME.png,sharp/NAME_1.png to "
                "NAME_7.png}}, or DIR/Street/{train,test}/SEQUENCE/{blur,sharp}/... without it"
            ),
            counts={"train": 9000, "test": 2053},
            data_licence="AGPL-3.0-only",
        )
    ]

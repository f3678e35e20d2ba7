"""The GoPro data set as a b2b plugin: domain `gopro`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from b2b_core import hookimpl
from b2b_core.specs import DomainSpec
from b2b_plugin_gopro.config import GoproConfig

if TYPE_CHECKING:
    from b2b_core.contracts import Domain

#: Published weights that ship in this plugin -> file below its folder.
WEIGHTS = {"unet.gopro": "weights/deblurrer.safetensors"}


def build_domain(config: GoproConfig) -> Domain:
    """Build the domain."""
    from b2b_plugin_gopro.domain import GoproDomain

    return GoproDomain(config)


@hookimpl
def b2b_domains() -> list[DomainSpec[GoproConfig]]:
    """Offer the domain `gopro`."""
    return [
        DomainSpec(
            name="gopro",
            config=GoproConfig,
            factory=build_domain,
            summary="GoPro: motion blur of averaged 240 fps frames, 1280x720",
            citation=(
                "Nah et al., Deep Multi-Scale Convolutional Neural Network for Dynamic Scene "
                "Deblurring, CVPR 2017"
            ),
            layout=(
                "DIR/{train,test}/SEQUENCE/{blur or blur_gamma,sharp}/NAME.png, or "
                "DIR/{train,test}/{blur,sharp}/SEQUENCE_NAME.png, or "
                "DIR/{train,test}/{input,target}/SEQUENCE-NAME.png"
            ),
            counts={"train": 2103, "test": 1111},
            deblurrer="unet.gopro",
            extractor="kernel-space.starter",
            data_licence="CC-BY-4.0",
        )
    ]


@hookimpl
def b2b_resolve_weights(name: str) -> Path | None:
    """Return the file of weights that ship in this plugin."""
    file = WEIGHTS.get(name)
    if file is None:
        return None
    path = Path(__file__).parent / file
    return path if path.is_file() else None

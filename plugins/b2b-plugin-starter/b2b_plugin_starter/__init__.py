"""The embedded default of b2b: a small known domain, its weights, and the demo's camera."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from b2b_core import hookimpl
from b2b_core.specs import DemoSpec, DomainSpec
from b2b_plugin_starter.config import DemoConfig, StarterConfig
from b2b_plugin_starter.places import WEIGHTS

if TYPE_CHECKING:
    from b2b_core.contracts import Demo, Domain

__all__ = ["b2b_demos", "b2b_domains", "b2b_resolve_weights"]


@hookimpl
def b2b_domains() -> Iterable[DomainSpec[StarterConfig]]:
    """Offer the domain `starter`."""
    return [
        DomainSpec(
            name="starter",
            config=StarterConfig,
            factory=_build_domain,
            summary="short straight motion and averaged GoPro frames; ships with its pairs",
            citation="photographs: CID22 (CC BY-SA 4.0); frames: GoPro, Nah et al., CVPR 2017",
            layout="ROOT/{blurry,sharp}/SCENE/NAME.*",
            deblurrer="unet.starter",
            extractor="kernel-space.starter",
            data_licence="CC-BY-SA-4.0 AND CC-BY-4.0",
        )
    ]


@hookimpl
def b2b_demos() -> Iterable[DemoSpec[DemoConfig]]:
    """Offer the demo `starter`."""
    return [
        DemoSpec(
            name="starter",
            config=DemoConfig,
            factory=_build_demo,
            summary="a simulated phone on real photographs",
        )
    ]


@hookimpl
def b2b_resolve_weights(name: str) -> Path | None:
    """Return the weights that ship with this plugin."""
    path = WEIGHTS.get(name)
    return path if path is not None and path.exists() else None


def _build_demo(config: DemoConfig) -> Demo:
    from b2b_plugin_starter.demo import StarterDemo

    return StarterDemo(config)


def _build_domain(config: StarterConfig) -> Domain:
    from b2b_plugin_starter.domain import StarterDomain

    return StarterDomain(config)

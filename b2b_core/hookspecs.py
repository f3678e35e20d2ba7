"""The hooks that a plugin may implement.

A plugin is an installed distribution with an entry point in the group `b2b` that names a *light*
module: it imports neither torch nor numpy nor kornia, and its functions, marked with `hookimpl`,
*return* specs. Nothing registers itself by being imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from b2b_core.specs import (
        DeblurrerSpec,
        DemoSpec,
        DiscriminatorSpec,
        DomainSpec,
        FeatureExtractorSpec,
        KernelExtractorSpec,
        LossSpec,
        MetricSpec,
        StrategySpec,
        TranslatorSpec,
    )

PROJECT = "b2b"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def b2b_translators() -> Iterable[TranslatorSpec[Any]]:
    """Offer translators G: unknown blur to known blur, as an image pyramid."""
    return ()


@hookspec
def b2b_discriminators() -> Iterable[DiscriminatorSpec[Any]]:
    """Offer discriminators D: pyramid to logits."""
    return ()


@hookspec
def b2b_deblurrers() -> Iterable[DeblurrerSpec[Any]]:
    """Offer deblurring networks: image to image of the same size."""
    return ()


@hookspec
def b2b_kernel_extractors() -> Iterable[KernelExtractorSpec[Any]]:
    """Offer blur kernel extractors: blur code of a pair, applied to another picture."""
    return ()


@hookspec
def b2b_domains() -> Iterable[DomainSpec[Any]]:
    """Offer known-blur domains: data sets of blurry-sharp pairs."""
    return ()


@hookspec
def b2b_losses() -> Iterable[LossSpec[Any]]:
    """Offer losses: named tensors to named scalar terms."""
    return ()


@hookspec
def b2b_feature_extractors() -> Iterable[FeatureExtractorSpec[Any]]:
    """Offer feature extractors for the reconstruction loss."""
    return ()


@hookspec
def b2b_metrics() -> Iterable[MetricSpec[Any]]:
    """Offer metrics, each with a named protocol."""
    return ()


@hookspec
def b2b_strategies() -> Iterable[StrategySpec[Any]]:
    """Offer strategies: how G (or the fine-tuned deblurrer) is trained."""
    return ()


@hookspec
def b2b_demos() -> Iterable[DemoSpec[Any]]:
    """Offer demonstrations: the pictures of a camera, and settings to adapt to it."""
    return ()


@hookspec(firstresult=True)
def b2b_resolve_weights(name: str) -> Path | None:
    """Return the local file of the published weights `name`, or None if they are not yours.

    The core verifies the file's sha256 against `registry.toml` after this hook.
    """


@hookspec
def b2b_run_started(run_dir: Path, config: Mapping[str, object]) -> None:
    """Learn that a run begins; `config` is its whole configuration as plain data."""


@hookspec
def b2b_step_finished(stage: str, step: int, numbers: Mapping[str, float]) -> None:
    """Learn that a logged step ended; called at the logging interval, not at every step."""


@hookspec
def b2b_run_finished(run_dir: Path, outcome: str) -> None:
    """Learn that a run ended; `outcome` is "done" or "failed"."""


@hookspec
def b2b_checkpoint_metadata(run_dir: Path) -> Mapping[str, str]:  # noqa: ARG001 - a signature
    """Return entries for the header of the camera profile that this run writes."""
    return {}

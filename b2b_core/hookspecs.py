"""The hooks that a plugin may implement.

A plugin is an installed distribution with an entry point in the group `b2b` that names a *light*
module: it imports neither torch nor numpy nor kornia, and its functions, marked with `hookimpl`,
*return* specs. Nothing registers itself by being imported.

Registration hooks, the first ten, are called once, while the plugin is loaded; if one raises, or
returns what is no spec of its kind, the plugin is broken. Behaviour hooks are called while b2b
works; one that fails is logged with the plugin's name and stops neither the run nor other plugins.
`docs/plugins/hooks.md` describes each with an example; a test compares its signatures with these.

Hooks only gain arguments. What is to go is announced with `b2b_core.deprecation`.
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


@hookspec
def b2b_resolve_weights(name: str) -> Path | None:
    """Return the local file of the published weights `name`, or None if they are not yours.

    Called whenever weights are asked for by name, before the cache and the network are tried. The
    core compares the file's sha256 with `registry.toml` after this hook; two plugins that both
    return a file are an error, unless the index gives the weights to one of them.

    Args:
        name: `component.tag`, such as "unet.starter".
    """


@hookspec
def b2b_run_started(run_dir: Path, config: Mapping[str, object]) -> None:
    """Learn that an adaptation begins or goes on, before anything is trained.

    Args:
        run_dir: its folder, which exists.
        config: its whole configuration: mappings, lists, numbers, text and None.
    """


@hookspec
def b2b_step_finished(stage: str, step: int, numbers: Mapping[str, float]) -> None:
    """Learn that a logged training step ended; steps between two logged ones are not told.

    Args:
        stage: name of what is trained, such as "finetune".
        step: how many steps are done, from 1.
        numbers: losses and, at validation steps, validation numbers; finite.
    """


@hookspec
def b2b_run_finished(run_dir: Path, outcome: str) -> None:
    """Learn that an adaptation that was started ended, whatever ended it.

    Args:
        run_dir: its folder.
        outcome: "done", once the camera profile is written, or "failed".
    """


@hookspec
def b2b_checkpoint_metadata(run_dir: Path) -> Mapping[str, str]:  # noqa: ARG001 - a signature
    """Return entries for the header of the camera profile that this run writes.

    Called once, when training is over. They are kept below "extra"; where two plugins name one
    entry, the one whose plugin is last by name stays. Values are text.

    Args:
        run_dir: folder of the run.
    """
    return {}

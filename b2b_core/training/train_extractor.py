"""From a domain's name to the network file of its kernel extractor."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from torch import nn

from b2b_core.catalogue import Catalogue
from b2b_core.config import structure, unstructure
from b2b_core.data.domains import open_domain, options_fact
from b2b_core.data.pairs import PairSet
from b2b_core.data.scenes import split_scenes
from b2b_core.data.seeding import seeded
from b2b_core.errors import UsageError
from b2b_core.log import get_logger, run_log
from b2b_core.networks import save_network
from b2b_core.training.extractor import ExtractorStage, ExtractorTraining, measure_extractor
from b2b_core.training.precision import Numerics
from b2b_core.training.run import Run
from b2b_core.training.stage import run_stage

_KIND: Final = "kernel-extractor"
#: Share of the scenes that is measured on where a domain has no test pairs.
_HELD_OUT = 0.2


def train_extractor(
    catalogue: Catalogue,
    *,
    domain: str,
    root: Path | None,
    component: str,
    options: Mapping[str, object],
    training: Mapping[str, object],
    device: str,
    precision: str,
    seed: int,
    out: Path,
    work: Path,
    domain_options: Mapping[str, object] | None = None,
) -> dict[str, str]:
    """Train on the domain's training pairs, measure on its test pairs, write the network file.

    A domain without test pairs is measured on some of its training scenes, held out.

    Args:
        catalogue: the installed components.
        domain: name of the known domain.
        root: where its pairs lie, or None for those that ship with its plugin.
        component: name of the kernel extractor.
        options: of the extractor.
        training: fields of `ExtractorTraining`.
        device: "auto", "cpu" or "cuda".
        precision: "auto", "bf16" or "float32".
        seed: of everything random.
        out: file to write; must not exist.
        work: folder of log and checkpoint; the same call goes on with them.
        domain_options: of the domain; its defaults otherwise.

    Returns:
        The facts that the file says of itself.

    Raises:
        UsageError: for wrong names, options, folders, or an existing `out`.
        B2bError: if training fails.
    """
    if out.exists():
        raise UsageError("the output exists", where=out, mend="remove it or choose another -o")
    config = structure(ExtractorTraining, training, where="training")
    numerics = Numerics(device, precision)
    spec = catalogue.spec(_KIND, component)
    full = unstructure(structure(spec.config, options, where=f"{_KIND} {component}"))
    if spec.size.fit(config.crop) != config.crop:
        raise UsageError(
            f"crops of {config.crop} pixels do not fit '{component}'",
            mend=f"--set train.crop={spec.size.fit(config.crop)}",
        )
    network = _fresh(catalogue, component, full, seed)
    pairs, held_out = _pairs(catalogue, domain, root, config.crop, seed, domain_options)
    work.mkdir(parents=True, exist_ok=True)
    run = Run(work, seed, numerics, catalogue, log_every=100, validate_every=500)
    with run_log(work):
        run.log.info("pairs", train=len(pairs), held_out=len(held_out))
        stage = ExtractorStage(numerics.place(network), pairs, held_out, config, run)
        run_stage(stage, run)
        scores = measure_extractor(stage.average, held_out, config, run)
        _judge(scores, run)
    plugin = catalogue.owner(_KIND, component)
    facts = {
        "trained_on": f"{domain}: {len(pairs)} pairs",
        **options_fact(domain_options),
        "steps": str(config.steps),
        "seed": str(seed),
        "seconds": f"{stage.clock.seconds:.0f}",
        "measured_on": f"{len(held_out)} pairs, windows of {config.crop}, rgb-uint8",
        **{name: f"{value:.2f}" for name, value in scores.items()},
    }
    save_network(
        out,
        stage.average,
        kind=_KIND,
        component=component,
        options=full,
        facts=facts,
        distribution=plugin.distribution,
        version=plugin.version,
    )
    return facts


def _fresh(
    catalogue: Catalogue, component: str, options: Mapping[str, object], seed: int
) -> nn.Module:
    with seeded(seed, f"initial-{_KIND}"):
        # The contract's `apply` hides that of torch's modules: no type is both.
        network: Any = catalogue.build(_KIND, component, options)
    if not isinstance(network, nn.Module):
        raise UsageError(f"the {_KIND} '{component}' is no network", mend="choose another")
    return network


def _pairs(
    catalogue: Catalogue,
    domain: str,
    root: Path | None,
    crop: int,
    seed: int,
    options: Mapping[str, object] | None,
) -> tuple[PairSet, PairSet]:
    """Return pairs to learn from and pairs to measure on, of different scenes."""
    pairs = open_domain(catalogue, domain, root, "train", crop, options)
    try:
        return pairs, open_domain(catalogue, domain, root, "test", crop, options)
    except UsageError as error:
        reason = str(error)
        get_logger("b2b.train").info("measuring on held-out training scenes", reason=reason)
        held, kept = split_scenes(pairs.scenes, _HELD_OUT, seed)
    if not kept:
        raise UsageError(
            f"domain '{domain}' has pairs of one scene only, and no test pairs",
            where=root,
            mend="add pairs of another scene",
        )
    return pairs.of_scenes(kept), pairs.of_scenes(held)


def _judge(scores: Mapping[str, float], run: Run) -> None:
    """Say if the codes hold something else than blur."""
    if scores["same_psnr"] <= scores["sharp_psnr"]:
        run.warn(
            f"codes do not carry blur from one window to the next: {scores['same_psnr']:.2f} dB, "
            f"and {scores['sharp_psnr']:.2f} dB without any blur; train longer (--steps)"
        )
    elif scores["same_psnr"] <= scores.get("other_psnr", 0.0):
        run.warn(
            "a code of the same picture is worth no more than a code of another one; the codes "
            "may hold content instead of blur (raise train.cross)"
        )

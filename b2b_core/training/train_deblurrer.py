"""From a domain's name to the network file of its deblurrer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import nn

from b2b_core.catalogue import Catalogue
from b2b_core.config import structure, unstructure
from b2b_core.data.domains import open_domain, options_fact
from b2b_core.data.seeding import seeded
from b2b_core.errors import UsageError
from b2b_core.importing.open import network_file
from b2b_core.log import run_log
from b2b_core.networks import load_network, save_network
from b2b_core.training.deblurrer import DeblurrerStage, DeblurrerTraining, measure
from b2b_core.training.precision import Numerics
from b2b_core.training.run import Run
from b2b_core.training.stage import run_stage


def train_deblurrer(
    catalogue: Catalogue, *, domain: str, root: Path | None, component: str, init: str | None,
    options: Mapping[str, object], training: Mapping[str, object], device: str, precision: str,
    seed: int, out: Path, work: Path, domain_options: Mapping[str, object] | None = None,
) -> dict[str, str]:  # fmt: skip
    """Train on the domain's training pairs, measure on its test pairs, write the network file.

    Args:
        catalogue: the installed components.
        domain: name of the known domain.
        root: where its pairs lie, or None for those that ship with its plugin.
        component: name of the deblurring network; ignored with `init`.
        init: network file or published weights to start from.
        options: of the network.
        training: fields of `DeblurrerTraining`.
        device: "auto", "cpu" or "cuda".
        precision: "auto", "bf16" or "float32".
        seed: of everything random.
        out: file to write; must not exist.
        work: folder of log and checkpoint.
        domain_options: of the domain; its defaults otherwise.

    Returns:
        The facts that the file says of itself.

    Raises:
        UsageError: for wrong names, options, folders, or an existing `out`.
        B2bError: if training fails.
    """
    if out.exists():
        raise UsageError("the output exists", where=out, mend="remove it or choose another -o")
    config = structure(DeblurrerTraining, training, where="training")
    numerics = Numerics(device, precision)
    if init is not None:
        file = network_file(init, catalogue, "deblurrer")
        header, network = load_network(file, catalogue, "deblurrer")
        component, full = header.component, dict(header.options)
    else:
        full = unstructure(
            structure(catalogue.spec("deblurrer", component).config, options, component)
        )
        network = _fresh(catalogue, component, full, seed)
    multiple = catalogue.spec("deblurrer", component).size.multiple_of
    if config.crop % multiple:
        raise UsageError(
            f"crops of {config.crop} pixels do not fit '{component}'",
            mend=f"use a multiple of {multiple}: --set train.crop=...",
        )
    pairs, held_out = (
        open_domain(catalogue, domain, root, split, config.crop, domain_options)
        for split in ("train", "test")
    )
    work.mkdir(parents=True, exist_ok=True)
    run = Run(work, seed, numerics, catalogue, log_every=100, validate_every=1000)
    with run_log(work):
        run.log.info("pairs", train=len(pairs), test=len(held_out))
        stage = DeblurrerStage(numerics.place(network), pairs, held_out, config, run)
        run_stage(stage, run)
        scores = measure(stage.average, held_out, run)
    plugin = catalogue.owner("deblurrer", component)
    facts = {
        "trained_on": f"{domain}: {len(pairs)} pairs",
        **options_fact(domain_options),
        "steps": str(config.steps),
        "seed": str(seed),
        "seconds": f"{stage.clock.seconds:.0f}",
        "test_pairs": str(len(held_out)),
        **{f"test_{name}": f"{value:.3f}" for name, value in scores.items()},
    }
    save_network(
        out, stage.average, kind="deblurrer", component=component, options=full, facts=facts,
        distribution=plugin.distribution, version=plugin.version,
    )  # fmt: skip
    return facts


def _fresh(
    catalogue: Catalogue, component: str, options: Mapping[str, object], seed: int
) -> nn.Module:
    with seeded(seed, "initial-deblurrer"):
        network = catalogue.build("deblurrer", component, options)
    if not isinstance(network, nn.Module):
        raise UsageError(f"the deblurrer '{component}' is no network", mend="choose another")
    return network

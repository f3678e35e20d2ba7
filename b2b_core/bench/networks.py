"""The known deblurrer and the paired upper bound: trained once, kept by their keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen
from torch import nn

from b2b_core import __version__
from b2b_core.bench.keys import key_of
from b2b_core.bench.material import CameraMaterial, KnownMaterial
from b2b_core.bench.recipe import Recipe, Training
from b2b_core.config import structure, unstructure
from b2b_core.contracts import Pair
from b2b_core.data.domains import open_domain
from b2b_core.data.pairs import LoadedPair, PairSet, load_pairs
from b2b_core.data.seeding import seeded
from b2b_core.errors import UsageError
from b2b_core.importing.open import is_published, network_file
from b2b_core.locking import locked
from b2b_core.log import run_log
from b2b_core.networks import fingerprint, load_network, save_network
from b2b_core.training.deblurrer import DeblurrerStage, DeblurrerTraining, measure
from b2b_core.training.precision import Numerics
from b2b_core.training.run import Run
from b2b_core.training.stage import run_stage

if TYPE_CHECKING:
    from b2b_core.catalogue import Catalogue

_KIND = "deblurrer"


@frozen
class Weights:
    """A deblurrer for `b2b adapt` and for measuring: a file, or published weights by name."""

    name: str
    key: str


@frozen(eq=False)
class _Start:
    """A network before training, with what its file has to say."""

    network: nn.Module
    component: str
    options: Mapping[str, object]


def known_deblurrer(
    recipe: Recipe, known: KnownMaterial, cache: Path, catalogue: Catalogue, numerics: Numerics
) -> Weights:
    """Return the known domain's deblurrer, trained if nobody has trained it before."""
    said = recipe.known
    if said.weights:
        return published(said.weights, catalogue)
    options = _options(catalogue, said.component, said.options)
    key = key_of(
        {
            "known": known.key, "component": said.component, "options": options,
            "training": unstructure(said.training), "version": __version__,
        }
    )  # fmt: skip
    out = cache / "deblurrers" / f"{key}.safetensors"
    out.parent.mkdir(parents=True, exist_ok=True)
    with locked(out, "trains this known deblurrer"):
        if not out.exists():
            crop = said.training.crop
            pairs = open_domain(catalogue, known.domain, known.root, "train", crop)
            held_out = open_domain(catalogue, known.domain, known.root, "test", crop)
            start = _Start(
                _fresh(catalogue, said.component, options, said.training.seed),
                said.component, options,
            )  # fmt: skip
            _train(out, start, pairs, held_out, said.training, catalogue, numerics)
    return Weights(str(out), key)


def upper_bound(
    recipe: Recipe, camera: CameraMaterial, known: Weights, cache: Path, catalogue: Catalogue,
    numerics: Numerics,
) -> Weights | None:  # fmt: skip
    """Return the known deblurrer fine-tuned on true pairs of the camera, or None without one."""
    bound = recipe.upper_bound
    if bound is None:
        return None
    if bound.weights:
        return published(bound.weights, catalogue)
    key = key_of(
        {
            "camera": camera.key, "known": known.key, "training": unstructure(bound.training),
            "version": __version__,
        }
    )  # fmt: skip
    out = cache / "bounds" / f"{recipe.name}-{key}.safetensors"
    out.parent.mkdir(parents=True, exist_ok=True)
    with locked(out, "trains this upper bound"):
        if not out.exists():
            pairs = load_pairs(camera.pairs, "camera", bound.training.crop, camera.blurry.parent)
            header, network = load_network(
                network_file(known.name, catalogue, _KIND), catalogue, _KIND
            )
            start = _Start(network, header.component, header.options)
            _train(out, start, pairs, _test_pairs(camera), bound.training, catalogue, numerics)
    return Weights(str(out), key)


def published(name: str, catalogue: Catalogue) -> Weights:
    """Return weights by published name, or of a file, with their fingerprint as the key."""
    path = network_file(name, catalogue, _KIND)
    return Weights(name if is_published(name) else str(path), fingerprint(path)[:12])


def _test_pairs(camera: CameraMaterial) -> Sequence[LoadedPair]:
    """Return a few test pairs, only to be measured on: the log shows how training goes."""
    names = sorted(path.stem for path in camera.test_sharp.iterdir())[:4]
    blurry = {path.stem: path for path in camera.test_blurry.iterdir()}
    sharp = {path.stem: path for path in camera.test_sharp.iterdir()}
    pairs = [Pair(blurry[name], sharp[name], name) for name in names]
    return load_pairs(pairs, "camera", 1, camera.test_blurry)


def _train(
    out: Path, start: _Start, pairs: PairSet, held_out: Sequence[LoadedPair],
    training: Training, catalogue: Catalogue, numerics: Numerics,
) -> None:  # fmt: skip
    """Train, resuming what was begun, and write the network file."""
    work = out.with_suffix(".run")
    work.mkdir(exist_ok=True)
    run = Run(work, training.seed, numerics, catalogue, log_every=100, validate_every=1000)
    with run_log(work):
        run.log.info("pairs", train=len(pairs), test=len(held_out))
        stage = DeblurrerStage(
            numerics.place(start.network), pairs, held_out, _stage_config(training), run
        )
        run_stage(stage, run)
        scores = measure(stage.average, held_out, run)
    plugin = catalogue.owner(_KIND, start.component)
    facts = {
        "trained_on": f"{pairs.domain}: {len(pairs)} pairs",
        "steps": str(training.steps),
        "seed": str(training.seed),
        "seconds": f"{stage.clock.seconds:.0f}",
        **{f"test_{name}": f"{value:.3f}" for name, value in scores.items()},
    }
    save_network(
        out, stage.average, kind=_KIND, component=start.component, options=start.options,
        facts=facts, distribution=plugin.distribution, version=plugin.version,
    )  # fmt: skip


def _stage_config(training: Training) -> DeblurrerTraining:
    plain = {key: value for key, value in unstructure(training).items() if key != "seed"}
    return structure(DeblurrerTraining, plain, "training")


def _options(
    catalogue: Catalogue, component: str, options: Mapping[str, object]
) -> dict[str, object]:
    return unstructure(structure(catalogue.spec(_KIND, component).config, options, component))


def _fresh(
    catalogue: Catalogue, component: str, options: Mapping[str, object], seed: int
) -> nn.Module:
    with seeded(seed, "initial-deblurrer"):
        network = catalogue.build(_KIND, component, options)
    if not isinstance(network, nn.Module):
        raise UsageError(f"the deblurrer '{component}' is no network", mend="choose another")
    return network

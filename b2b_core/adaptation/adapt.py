"""The main job: pictures of a camera and a known domain in, a camera profile out."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from attrs import asdict, frozen
from torch import nn

from b2b_core.adaptation.entries import entries_of_plugins
from b2b_core.adaptation.folder import PROFILE, open_run_folder
from b2b_core.adaptation.parts import Parts
from b2b_core.adaptation.settings import AdaptSettings, write_settings
from b2b_core.adaptation.suspicions import suspicions
from b2b_core.catalogue import Catalogue
from b2b_core.data.domains import open_domain
from b2b_core.data.pairs import PairSet
from b2b_core.data.pictures import PictureSet, load_pictures
from b2b_core.data.scenes import hold_out, unpair
from b2b_core.errors import UsageError
from b2b_core.log import get_logger, run_log
from b2b_core.networks import NetworkFile, fingerprint
from b2b_core.profile import CameraProfile, ProfilePart, PublishedWeights, save_profile
from b2b_core.specs import SizeRule
from b2b_core.training.job import Job, Outcome, Part
from b2b_core.training.precision import Numerics
from b2b_core.training.run import Run


@frozen(eq=False)
class Adaptation:
    """What `adapt` made."""

    profile: Path
    outcome: Outcome
    job: Job
    warnings: list[str]
    #: The sizes that all networks of the run take.
    size: SizeRule


def adapt(
    settings: AdaptSettings, folder: Path, catalogue: Catalogue, *, again: bool = False
) -> Adaptation:
    """Adapt to a camera; a killed run goes on when called again with the same settings.

    Args:
        settings: pictures, domain, components and lengths.
        folder: the run folder; made here.
        catalogue: the installed components.
        again: accept a finished run; its stages are taken from their checkpoints.

    Raises:
        UsageError: for wrong settings, pictures or folders, before anything is trained.
        B2bError: if training fails.
    """
    plain = write_settings(settings)
    parts = Parts(catalogue, settings, Numerics(settings.run.device, settings.run.precision))
    parts.check()
    prepared = _prepare(settings, catalogue, parts)
    resumed = open_run_folder(folder, plain, again=again)
    with run_log(folder):
        log = get_logger("b2b.adapt")
        log.info("resuming" if resumed else "starting", folder=str(folder))
        catalogue.notify("b2b_run_started", run_dir=folder, config=plain)
        done = False
        try:
            made = _train(settings, folder, catalogue, parts, prepared)
            done = True
        finally:
            state = "done" if done else "failed"
            catalogue.notify("b2b_run_finished", run_dir=folder, outcome=state)
        log.info("camera profile written", profile=str(made.profile), chosen=made.outcome.chosen)
    return made


@frozen(eq=False)
class _Prepared:
    """What is read and checked before the run folder is made."""

    pictures: dict[str, PictureSet]
    pairs: PairSet
    deblurrer: Part
    file: NetworkFile
    published: str | None
    size: SizeRule
    crop: int
    shared_scenes: int


def _prepare(settings: AdaptSettings, catalogue: Catalogue, parts: Parts) -> _Prepared:
    deblurrer, file, published = parts.deblurrer()
    learning = [deblurrer]
    if "translator" in parts.strategy.needs:
        learning.append(parts.build("translator"))
    rule = parts.size_rule(*learning)
    crop = settings.data.crop // rule.multiple_of * rule.multiple_of
    if crop < max(rule.minimum, 1):
        raise UsageError(
            f"a crop of {settings.data.crop} pixels is too small for these networks",
            mend=f"--set data.crop={rule.fit(rule.minimum)}",
        )
    seed, data = settings.run.seed, settings.data
    blurry = load_pictures(data.blurry, "blurry", crop, seed)
    sharp = load_pictures(data.sharp, "sharp", crop + parts.strategy.margin, seed)
    blurry, sharp, shared = unpair(blurry, sharp, data.split, seed)
    train_blurry, held_blurry = hold_out(blurry, data.held_out, seed)
    train_sharp, held_sharp = hold_out(sharp, data.held_out, seed)
    pictures = {
        "blurry": train_blurry, "held_blurry": held_blurry,
        "sharp": train_sharp, "held_sharp": held_sharp,
    }  # fmt: skip
    known = settings.domain
    pairs = open_domain(catalogue, known.name, known.root, "train", crop, known.options)
    return _Prepared(pictures, pairs, deblurrer, file, published, rule, crop, shared)


def _train(
    settings: AdaptSettings, folder: Path, catalogue: Catalogue, parts: Parts, ready: _Prepared
) -> Adaptation:
    run = Run(
        folder, settings.run.seed, parts.numerics, catalogue,
        settings.run.log_every, settings.run.validate_every, settings.run.checkpoint_seconds,
        settings.run.minutes,
    )  # fmt: skip
    _describe(run, ready)
    job = Job(
        **ready.pictures, domain=settings.domain.name, pairs=ready.pairs, crop=ready.crop,
        multiple=ready.size.multiple_of, deblurrer=ready.deblurrer, deblurrer_file=ready.file,
        build=parts.build, run=run,
    )  # fmt: skip
    strategy = catalogue.build("strategy", parts.strategy.name, parts.checked_options("strategy"))
    outcome = strategy.adapt(job)
    path = folder / PROFILE
    write_profile(path, outcome, job, settings, parts.strategy.name, ready.published)
    return Adaptation(path, outcome, job, run.warnings, ready.size)


def _describe(run: Run, ready: _Prepared) -> None:
    """Say what is trained on, and what about it may be a problem."""
    counts = {role: len(pictures) for role, pictures in ready.pictures.items()}
    run.log.info("pictures", **counts, pairs=len(ready.pairs), crop=ready.crop)
    if ready.shared_scenes:
        run.log.info("scenes in both folders were split", scenes=ready.shared_scenes)
    for suspicion in suspicions(ready.pictures):
        run.warn(suspicion)


def write_profile(
    path: Path, outcome: Outcome, job: Job, settings: AdaptSettings, strategy: str,
    published: str | None,
) -> None:  # fmt: skip
    """Write the result of a run as a camera profile.

    Args:
        path: of the profile.
        outcome: what was trained and compared.
        job: pictures and networks of the run.
        settings: of the run.
        strategy: name of the strategy.
        published: name of the domain's deblurrer where it is published; it is then referred to
            and not copied.
    """
    catalogue, translator, deblurrer = job.run.catalogue, outcome.translator, outcome.deblurrer
    embedded = deblurrer.module if deblurrer is not None else None
    reference = None
    if deblurrer is None and published is not None:
        digest = fingerprint(job.deblurrer_file.path)
        reference = PublishedWeights(name=published, sha256=digest)
    elif deblurrer is None:
        embedded = job.deblurrer.module
    profile = CameraProfile(
        translator=None if translator is None else _described(translator, catalogue),
        deblurrer=_described(deblurrer or job.deblurrer, catalogue),
        published=reference,
        domain=job.domain,
        scales=() if translator is None else _scales(translator, catalogue),
        strategy=strategy,
        config=_plain(write_settings(settings)),
        training={
            "chosen": outcome.chosen,
            "candidates": [asdict(candidate) for candidate in outcome.candidates],
            **outcome.summary,
        },
        notes=tuple(job.run.warnings),
        extra=entries_of_plugins(catalogue, job.run.directory),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    module: nn.Module | None = None if translator is None else translator.module
    save_profile(path, profile, translator=module, deblurrer=embedded)


def _described(part: Part, catalogue: Catalogue) -> ProfilePart:
    plugin = catalogue.owner(part.kind, part.component)
    return ProfilePart(
        component=part.component, options=dict(part.options),
        distribution=plugin.distribution, version=plugin.version,
    )  # fmt: skip


def _scales(part: Part, catalogue: Catalogue) -> tuple[float, ...]:
    return catalogue.spec("translator", part.component).scales


def _plain(settings: dict[str, Any]) -> dict[str, Any]:
    """Leave the user's folders out: a profile travels, and their names are nobody's business."""
    data = {key: value for key, value in settings["data"].items() if key not in ("blurry", "sharp")}
    domain = {key: value for key, value in settings["domain"].items() if key != "root"}
    run = {key: value for key, value in settings["run"].items() if key != "start"}
    return {**settings, "data": data, "domain": domain, "run": run}

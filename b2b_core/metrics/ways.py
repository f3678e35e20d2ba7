"""Ways to restore that an evaluation compares."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from attrs import field, frozen
from torch import Tensor, nn

from b2b_core.errors import B2bError
from b2b_core.importing.open import network_file
from b2b_core.inference.pipeline import Pipeline
from b2b_core.inference.restore import open_profile
from b2b_core.metrics.evaluation import CPU, Way
from b2b_core.narrowing import is_table
from b2b_core.networks import load_network

if TYPE_CHECKING:
    from b2b_core.catalogue import Catalogue
    from b2b_core.profile import CameraProfile, LoadedProfile
    from b2b_core.specs import SizeRule


@frozen
class Ways:
    """Label -> what is done to a picture, and what must be said of it."""

    runs: Mapping[str, Way]
    notes: list[str] = field(factory=list[str])
    #: Heading -> text: what a report says of how it was made.
    made: Mapping[str, str] = field(factory=dict[str, str])
    #: Where the networks run.
    device: torch.device = CPU


def as_it_is(image: Tensor) -> Tensor:
    """Return the picture itself."""
    return image


def ways_of_profile(
    path: Path,
    catalogue: Catalogue,
    *,
    device: str,
    precision: str,
    tile: int | None,
    compiled: bool = False,
) -> Ways:
    """Return: the blurry picture itself, the known deblurrer alone, and the camera profile.

    The known deblurrer is left out, and a note says why, where its weights are not at hand.

    Raises:
        UsageError: if the file is no profile, a plugin is missing, or the device is not there.
        B2bError: if the profile is damaged.
    """
    loaded, pipeline = open_profile(
        path, catalogue, device=device, precision=precision, tile=tile, compiled=compiled
    )
    runs: dict[str, Way] = {"blurry": as_it_is}
    size = f"tiles of {tile}" if tile else "whole pictures where memory suffices"
    notes = [f"Networks ran on {pipeline.device} in {pipeline.precision}, {size}."]
    try:
        network, rule = _known_deblurrer(loaded, catalogue)
        alone = Pipeline(
            None, network, rule, device=device, precision=precision, tile=tile, compiled=compiled
        )
        runs["known deblurrer alone"] = alone.deblur
    except B2bError as error:
        notes.append(f"The known deblurrer alone could not be had: {error}.")
    runs["b2b"] = pipeline.deblur
    return Ways(runs, notes, {"camera profile": _described(loaded.profile)}, pipeline.device)


def _known_deblurrer(loaded: LoadedProfile, catalogue: Catalogue) -> tuple[nn.Module, SizeRule]:
    if loaded.profile.published is not None:
        return loaded.deblurrer, loaded.size
    name = _name(loaded.profile, catalogue)
    path = network_file(name, catalogue, "deblurrer")
    file, network = load_network(path, catalogue, "deblurrer")
    return network, catalogue.spec("deblurrer", file.component).size


def _name(profile: CameraProfile, catalogue: Catalogue) -> str:
    """Return the weights that the run was told to use, or else the domain's own."""
    domain = profile.config.get("domain")
    said = domain.get("deblurrer") if is_table(domain) else None
    name = said or catalogue.spec("domain", profile.domain).deblurrer
    if not isinstance(name, str):
        raise B2bError(f"the domain '{profile.domain}' has no published deblurrer")
    return name


def _described(profile: CameraProfile) -> str:
    """Return what a profile says of itself, but for the numbers of its training."""
    parts = [("translator", profile.translator), ("deblurrer", profile.deblurrer)]
    lines = [
        f"{kind}: {part.component} of {part.distribution} {part.version}"
        for kind, part in parts
        if part is not None
    ]
    lines += [f"known domain: {profile.domain}", f"strategy: {profile.strategy}"]
    lines += [f"created: {profile.created}", *(f"note: {note}" for note in profile.notes)]
    return "\n".join([*lines, "", json.dumps(profile.config, indent=2, ensure_ascii=False)])

"""Camera profiles: the result of an adaptation, as one safetensors file.

A profile holds the translator, or the fine-tuned deblurrer, or both. A deblurrer that was not
changed is not copied: the profile refers to its published weights by name and sha256.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from attrs import asdict, evolve, field, frozen

from b2b_core.errors import B2bError
from b2b_core.networks import Builder, fingerprint, load_network, load_weights, look_up
from b2b_core.specs import SizeRule
from b2b_core.tensorfile import read_description, read_tensors, write_tensors

if TYPE_CHECKING:
    from torch import Tensor, nn

_HOLDS = "camera profile"


class Catalogue(Builder, Protocol):
    """The part of the catalogue that is needed here."""

    def spec(self, kind: str, name: str, /) -> Any:  # noqa: ANN401 - a spec of any kind
        """Return the spec of a component."""
        ...


@frozen(kw_only=True)
class ProfilePart:
    """A network of the profile, as it can be built again."""

    #: Name of the component, and the options it was built with.
    component: str
    options: Mapping[str, Any] = field(factory=dict[str, Any])
    #: The plugin that offered it when the profile was made.
    distribution: str
    version: str


@frozen(kw_only=True)
class PublishedWeights:
    """The deblurrer's weights, where they are not in the profile itself."""

    name: str
    #: Of the network file, or of the published file that it was made from, in hexadecimal.
    sha256: str


@frozen(kw_only=True)
class CameraProfile:
    """What a profile says of itself."""

    #: None for a profile that only holds a fine-tuned deblurrer.
    translator: ProfilePart | None
    deblurrer: ProfilePart
    #: None if the deblurrer's weights are in the profile.
    published: PublishedWeights | None
    #: The known domain.
    domain: str
    #: Scales of the translator's pyramid, coarse to fine.
    scales: tuple[float, ...]
    strategy: str
    #: The whole configuration of the run, as plain data.
    config: Mapping[str, Any] = field(factory=dict[str, Any])
    #: Summary of the training: steps, candidates, validation numbers; plain data.
    training: Mapping[str, Any] = field(factory=dict[str, Any])
    #: For people.
    notes: tuple[str, ...] = ()
    #: Further entries, from the hook `b2b_checkpoint_metadata`.
    extra: Mapping[str, str] = field(factory=dict[str, str])
    #: Time in ISO 8601.
    created: str
    #: File that it was read from.
    path: Path | None = None


@frozen(eq=False, kw_only=True)
class LoadedProfile:
    """A profile with its networks, on the CPU, in evaluation mode."""

    profile: CameraProfile
    translator: nn.Module | None
    deblurrer: nn.Module
    #: Sizes that both networks take.
    size: SizeRule


def save_profile(
    path: Path,
    profile: CameraProfile,
    *,
    translator: nn.Module | None,
    deblurrer: nn.Module | None,
) -> None:
    """Write a profile, whole or not at all; `deblurrer` is None if published weights are used.

    Raises:
        B2bError: if the file cannot be written.
        ValueError: if the modules are not those that `profile` describes, or if its entries are
            not plain data.
    """
    if (translator is None) != (profile.translator is None):
        raise ValueError("the profile's translator is described and given, or neither")
    if (deblurrer is None) != (profile.published is not None):
        raise ValueError(
            "the deblurrer is either in the profile or a reference to published weights"
        )
    tensors: dict[str, Tensor] = {}
    for prefix, module in (("translator.", translator), ("deblurrer.", deblurrer)):
        if module is not None:
            tensors |= {prefix + name: value for name, value in module.state_dict().items()}
    description = asdict(evolve(profile, path=None))
    del description["path"]
    try:
        json.dumps(description)
    except TypeError as error:
        raise ValueError(f"the profile's entries must be plain data: {error}") from error
    write_tensors(path, tensors, holds=_HOLDS, description=description)


def read_profile_header(path: Path) -> CameraProfile:
    """Return what the profile says of itself; reads no tensor and imports no torch.

    Raises:
        UsageError: if there is no such file, or it is no camera profile.
        B2bError: if it is truncated, or of another format version.
    """
    described = read_description(path, holds=_HOLDS)
    try:
        translator, published = described["translator"], described["published"]
        return CameraProfile(
            translator=ProfilePart(**translator) if translator else None,
            deblurrer=ProfilePart(**described["deblurrer"]),
            published=PublishedWeights(**published) if published else None,
            domain=described["domain"],
            scales=tuple(described["scales"]),
            strategy=described["strategy"],
            config=described["config"],
            training=described["training"],
            notes=tuple(described["notes"]),
            extra=described["extra"],
            created=described["created"],
            path=path,
        )
    except (KeyError, TypeError) as error:
        raise B2bError(
            f"the camera profile's description is incomplete ({error})",
            where=path,
            mend="update b2b (pip install -U b2b-core), or adapt again",
        ) from error


def load_profile(
    path: Path, catalogue: Catalogue, resolve_weights: Callable[[str], Path]
) -> LoadedProfile:
    """Build the networks of a profile and load their weights.

    Args:
        path: the profile.
        catalogue: builds the components.
        resolve_weights: returns the network file of published weights by their name.

    Raises:
        UsageError: if the file is no camera profile, or a component is not installed; says what
            to install.
        B2bError: if a file is damaged, does not fit the installed component, or if the published
            weights are not those that the profile was made with.
    """
    profile = read_profile_header(path)
    parts = {"translator": profile.translator, "deblurrer": profile.deblurrer}
    used = {kind: part for kind, part in parts.items() if part is not None}
    size = common_size(*(_size(catalogue, kind, part, path) for kind, part in used.items()))
    modules: dict[str, nn.Module] = {}
    if profile.published is not None:
        file = verified_weights(profile.published, resolve_weights, path)
        _, modules["deblurrer"] = load_network(file, catalogue, "deblurrer")
    tensors = read_tensors(path)
    for kind in used.keys() - modules.keys():
        modules[kind] = _network(catalogue, kind, used[kind], tensors, path)
    return LoadedProfile(
        profile=profile,
        translator=modules.get("translator"),
        deblurrer=modules["deblurrer"],
        size=size,
    )


def verified_weights(
    published: PublishedWeights, resolve_weights: Callable[[str], Path], profile: Path
) -> Path:
    """Return the network file of published weights, if it is the one that `profile` means.

    Raises:
        B2bError: if its sha256 is another one.
    """
    file = resolve_weights(published.name)
    actual = fingerprint(file)
    if actual != published.sha256.lower():
        raise B2bError(
            f"the weights '{published.name}' ({file}) are not those that the profile was made"
            f" with: sha256 {actual[:12]}..., expected {published.sha256[:12]}...",
            where=profile,
            mend="put the original file there, or adapt again with these weights",
        )
    return file


def common_size(*rules: SizeRule) -> SizeRule:
    """Return the rule of the sizes that all `rules` admit."""
    return SizeRule(
        multiple_of=math.lcm(*(rule.multiple_of for rule in rules)),
        minimum=max((rule.minimum for rule in rules), default=1),
        whole=any(rule.whole for rule in rules),
    )


def _size(catalogue: Catalogue, kind: str, part: ProfilePart, path: Path) -> SizeRule:
    def lookup(name: str) -> SizeRule:
        rule: SizeRule = catalogue.spec(kind, name).size
        return rule

    return look_up(lookup, kind, part.component, part.distribution, path)


def _network(
    catalogue: Catalogue, kind: str, part: ProfilePart, tensors: Mapping[str, Tensor], path: Path
) -> nn.Module:
    def lookup(name: str) -> nn.Module:
        built: nn.Module = catalogue.build(kind, name, part.options)
        return built

    module = look_up(lookup, kind, part.component, part.distribution, path)
    prefix = f"{kind}."
    own = {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }
    load_weights(module, own, where=path, maker=f"{part.distribution} {part.version}")
    return module

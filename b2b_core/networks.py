"""Network files: the weights of one network, with what is needed to build it again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from attrs import field, frozen

from b2b_core import tensorfile
from b2b_core.errors import B2bError, UsageError
from b2b_core.hashing import sha256_of
from b2b_core.tensorfile import read_description, read_tensors, write_tensors

if TYPE_CHECKING:
    from torch import Tensor, nn

T = TypeVar("T")

_HOLDS = "network file"
#: Fact of a network file that was made from a published one: the SHA-256 of that one.
IMPORTED_FROM = "source_sha256"


class Builder(Protocol):
    """The part of the catalogue that is needed here."""

    def build(self, kind: str, name: str, options: Mapping[str, Any], /) -> Any:  # noqa: ANN401 - a product of any kind
        """Return the component `name` of `kind`, built with `options`."""
        ...


@frozen(kw_only=True)
class NetworkFile:
    """What a network file says of itself."""

    path: Path
    #: "translator", "deblurrer", "kernel-extractor", ...
    kind: str
    #: Name of the component, and the options it was built with.
    component: str
    options: Mapping[str, Any] = field(factory=dict[str, Any])
    #: For people: what it was trained on, source, licence, measured numbers.
    facts: Mapping[str, str] = field(factory=dict[str, str])
    #: The plugin that offered the component when the file was written.
    distribution: str = ""
    version: str = ""


def save_network(
    path: Path,
    module: nn.Module,
    *,
    kind: str,
    component: str,
    options: Mapping[str, Any],
    facts: Mapping[str, str],
    distribution: str,
    version: str,
) -> None:
    """Write the weights and buffers of `module` to one safetensors file, whole or not at all.

    Raises:
        B2bError: if the file cannot be written.
    """
    description = {
        "kind": kind,
        "component": component,
        "options": dict(options),
        "facts": dict(facts),
        "distribution": distribution,
        "version": version,
    }
    write_tensors(path, module.state_dict(), holds=_HOLDS, description=description)


def read_network_header(path: Path) -> NetworkFile:
    """Return what the file says of itself; reads no tensor and imports no torch.

    Raises:
        UsageError: if there is no such file, or it is no network file.
        B2bError: if it is truncated, or of another format version.
    """
    described = read_description(path, holds=_HOLDS)
    try:
        return NetworkFile(
            path=path,
            kind=described["kind"],
            component=described["component"],
            options=described["options"],
            facts=described["facts"],
            distribution=described["distribution"],
            version=described["version"],
        )
    except KeyError as error:
        raise B2bError(f"the {_HOLDS} does not say its {error}", where=path) from error


def fingerprint(path: Path) -> str:
    """Return the SHA-256 by which weights are the same everywhere.

    Of a network file that was made from a published one, it is that of the published one: the
    network file itself says when and with which plugin it was made.
    """
    if tensorfile.holds(path) == _HOLDS:
        source = read_network_header(path).facts.get(IMPORTED_FROM)
        if source is not None:
            return source
    return sha256_of(path)


def load_network(path: Path, catalogue: Builder, expect_kind: str) -> tuple[NetworkFile, nn.Module]:
    """Build the network that `path` holds and load its weights; CPU, evaluation mode.

    Raises:
        UsageError: if the file is no network file, holds another kind, or its component is not
            installed.
        B2bError: if the file is damaged or does not fit the installed component.
    """
    header = read_network_header(path)
    if header.kind != expect_kind:
        raise UsageError(
            f"this network file holds a {header.kind}, but a {expect_kind} is needed", where=path
        )
    module: nn.Module = look_up(
        lambda name: catalogue.build(header.kind, name, header.options),
        header.kind,
        header.component,
        header.distribution,
        path,
    )
    maker = f"{header.distribution} {header.version}"
    load_weights(module, read_tensors(path), where=path, maker=maker)
    return header, module


def look_up(
    lookup: Callable[[str], T], kind: str, component: str, distribution: str, where: Path
) -> T:
    """Return what `lookup` gives for a component that the file `where` names.

    Raises:
        UsageError: if it fails; says which distribution offered the component.
    """
    names = [component, f"{distribution}:{component}"] if distribution else [component]
    failures: list[B2bError] = []
    for name in names:  # the full name decides where two plugins claim the short one
        try:
            return lookup(name)
        except B2bError as error:
            failures.append(error)
    raise UsageError(
        f"the file needs the {kind} '{component}' of {distribution}: {failures[0].what}",
        where=where,
        mend=f"pip install -U {distribution} (if it is installed, b2b doctor says why it is off)",
    ) from failures[0]


def load_weights(
    module: nn.Module, tensors: Mapping[str, Tensor], *, where: Path, maker: str
) -> None:
    """Load `tensors` into `module`, all of them and nothing else, and set evaluation mode.

    Raises:
        B2bError: if names or shapes differ; one line names some of them.
    """
    expected = module.state_dict()
    differences = {
        "missing": expected.keys() - tensors.keys(),
        "unexpected": tensors.keys() - expected.keys(),
        "of another shape": {
            name
            for name in expected.keys() & tensors.keys()
            if expected[name].shape != tensors[name].shape
        },
    }
    found = [f"{len(names)} {how} ({_some(names)})" for how, names in differences.items() if names]
    if found:
        raise B2bError(
            f"the weights do not fit the network: tensors {', '.join(found)}",
            where=where,
            mend=f"they were made with {maker}; install that version, or make them again",
        )
    module.load_state_dict(dict(tensors))
    module.eval()


def _some(names: set[str]) -> str:
    first = sorted(names)[:3]
    return ", ".join(first) + (", ..." if len(names) > 3 else "")

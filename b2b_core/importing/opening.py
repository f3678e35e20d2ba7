"""Open a published file of weights: read, unwrap, recognise, convert; then write a network file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from b2b_core import tensorfile
from b2b_core.errors import UsageError
from b2b_core.hashing import sha256_of
from b2b_core.importing.choice import choose
from b2b_core.importing.comparison import some
from b2b_core.importing.container import Format, read_container
from b2b_core.importing.numbers import converted
from b2b_core.importing.published import PUBLISHED_AS, UNKNOWN_LICENCE, published_row, row_called
from b2b_core.importing.recognise import Match, held_against, shapes_of
from b2b_core.importing.unwrap import unwrap
from b2b_core.networks import IMPORTED_FROM, save_network

if TYPE_CHECKING:
    from torch import Tensor

    from b2b_core.catalogue import Catalogue
    from b2b_core.registry import WeightsRow


@frozen(eq=False, kw_only=True)
class Opened:
    """A published file, recognised, with its numbers."""

    path: Path
    sha256: str
    format: Format
    match: Match
    #: Kinds of component that the same file can be used as, with the chosen one.
    kinds: tuple[str, ...]
    tensors: Mapping[str, Tensor]
    #: For people: what was passed over, left out or converted.
    remarks: tuple[str, ...] = ()
    #: What the index knows of the file.
    row: WeightsRow | None = None
    #: Whether something else than what such a file says by itself was asked for.
    changed: bool = False

    @property
    def parameters(self) -> int:
        """Number of values in the network's tensors."""
        return sum(tensor.numel() for tensor in self.tensors.values())

    @property
    def licence(self) -> str:
        """Licence of the weights as far as is known."""
        return self.row.licence if self.row else UNKNOWN_LICENCE

    @property
    def facts(self) -> dict[str, str]:
        """What the network file says of its origin."""
        known = {"trained_on": self.row.trained_on} if self.row else {}
        if self.row and not self.changed:
            known[PUBLISHED_AS] = self.row.name
        return {
            "source": self.path.name,
            IMPORTED_FROM: self.sha256,
            "layout": self.match.layout.name,
            "licence": self.licence,
            "imported": datetime.now(UTC).date().isoformat(),
            **known,
            **({"remarks": "; ".join(self.remarks)} if self.remarks else {}),
        }


def open_published(
    path: Path, catalogue: Catalogue, *, kind: str | None = None, component: str | None = None,
    member: str | None = None, options: Mapping[str, object] | None = None, name: str | None = None,
) -> Opened:  # fmt: skip
    """Open a file of weights as published, without running anything in it.

    Args:
        path: `.safetensors`, or PyTorch's formats; the ending does not matter.
        catalogue: the installed components, whose layouts are tried.
        kind: what to use it as, where it can be several things; None prefers a deblurrer.
        component: name of the component, where several take the same tensors.
        member: which entry to take, where the file holds several networks.
        options: of the component, where the shapes do not show them.
        name: under which it will be kept; that of published weights is for their file only.

    Raises:
        UsageError: if it is no such file, wants to run code, is of an unknown network or lacks
            something; names what.
        B2bError: if it is damaged.
    """
    _refuse_own(path)
    container = read_container(path)
    unwrapped = unwrap(container.content, member, path)
    sha256 = sha256_of(path)
    match, found, kinds, removed = choose(
        catalogue, unwrapped.tensors, sha256, kind=kind, component=component, where=path
    )
    if options:
        shapes = shapes_of(found)
        match = held_against(catalogue, match.offer, match.layout, shapes, options)
        if not match.fits:
            raise UsageError(f"with these options it does not fit: {match}", where=path)
    tensors, changes = converted(found, match.network.state_dict(), path)
    remarks = [*unwrapped.remarks, *removed, *_left_out(match), *changes]
    return Opened(
        path=path, sha256=sha256, format=container.format, match=match, kinds=kinds,
        tensors=tensors, remarks=tuple(remarks),
        row=_row(sha256, match, name, path), changed=bool(options or member),
    )  # fmt: skip


def write_network(opened: Opened, out: Path, catalogue: Catalogue) -> None:
    """Write a network file that every command takes.

    Raises:
        B2bError: if it cannot be written.
    """
    match = opened.match
    match.network.load_state_dict(dict(opened.tensors), assign=True)
    save_network(
        out, match.network, kind=match.kind, component=match.offer.spec.name,
        options=match.options, facts=opened.facts, distribution=match.offer.distribution,
        version=catalogue.owner(match.kind, match.full_name).version,
    )  # fmt: skip


def _refuse_own(path: Path) -> None:
    held = tensorfile.holds(path) if path.is_file() else None
    if held is not None:
        raise UsageError(
            f"this is a {held} of b2b already and needs no import",
            where=path,
            mend="give it to b2b deblur, adapt or evaluate as it is",
        )


def _row(sha256: str, match: Match, name: str | None, path: Path) -> WeightsRow | None:
    component = match.offer.spec.name
    called = row_called(name, component, path) if name is not None else None
    return called or published_row(sha256, component)


def _left_out(match: Match) -> list[str]:
    unused = match.comparison.unused
    if not unused:
        return []
    return [f"{len(unused)} tensors left out that this network does not use ({some(unused)})"]

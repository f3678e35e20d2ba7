"""Find the named tensors in what a file of weights holds.

Programs wrap them: in an entry beside the optimiser's state, in one beside their moving average,
and behind prefixes such as `module.`, which `DataParallel` adds (twice, in the discriminators that
Blur2Blur's code writes).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

from attrs import field, frozen

from b2b_core.errors import UsageError
from b2b_core.narrowing import is_table

if TYPE_CHECKING:
    from torch import Tensor

#: Entries that hold a network's tensors; the earlier one is taken where there are several.
WRAPPERS = (
    "params_ema", "params-ema", "params", "model_state_dict", "state_dict", "model", "net", "netG",
)  # fmt: skip
#: Nested deeper than this, nothing is looked for.
_DEEPEST = 4


@frozen
class Unwrapped:
    """Named tensors, and for people what was passed over to get at them."""

    tensors: Mapping[str, Tensor]
    remarks: tuple[str, ...] = field(default=())


def unwrap(content: object, member: str | None, where: Path) -> Unwrapped:
    """Return the tensors of one network.

    Args:
        content: what the file holds.
        member: the entry to take, or what the names of the tensors to take begin with; None takes
            the first of `WRAPPERS`, or the only entry that holds tensors.
        where: the file, for errors.

    Raises:
        UsageError: if there are no named tensors, or no `member`, or if `member` has to be said.
    """
    remarks: list[str] = []
    seen: list[str] = []
    for _ in range(_DEEPEST):
        wrapped = _wrapped(content)
        if not wrapped:
            break
        seen += wrapped
        if member is not None and member in wrapped:
            chosen, member = member, None
        else:
            chosen = _choice(wrapped, where)
        remarks += _passed_over(chosen, wrapped)
        content = wrapped[chosen]
    named = _tensors(content, where)
    if member is not None:
        named = _beginning_with(member, named, seen, where)
    return Unwrapped(named, tuple(remarks))


def without_prefixes(tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, Mapping[str, Tensor]]]:
    """Yield what was taken from the names, and the tensors: first as they are, then shorter.

    As long as all names begin with the same word, the next step leaves it out.
    """
    removed = ""
    yield removed, tensors
    for _ in range(_DEEPEST):
        words = {name.partition(".")[0] for name in tensors}
        if len(words) != 1 or not all("." in name for name in tensors):
            return
        removed += f"{words.pop()}."
        tensors = {name.partition(".")[2]: tensor for name, tensor in tensors.items()}
        yield removed, tensors


def _wrapped(content: object) -> dict[str, Mapping[str, object]]:
    """Return the entries of `content` that hold tensors, or hold something that does."""
    if not is_table(content):
        return {}
    return {str(name): value for name, value in content.items() if _holds_tensors(value)}


def _holds_tensors(value: object, depth: int = 0) -> TypeGuard[Mapping[str, object]]:
    """Tell a network's tensors, wrapped or not, from an optimiser's state, which has numbers."""
    if not is_table(value) or depth > _DEEPEST or {*map(type, value)} - {str}:
        return False
    return bool(_named(value)) or any(_holds_tensors(v, depth + 1) for v in value.values())


def _named(value: Mapping[str, object]) -> dict[str, Tensor]:
    """Return the entries that are tensors."""
    from torch import Tensor

    return {str(name): inner for name, inner in value.items() if isinstance(inner, Tensor)}


def _choice(wrapped: Mapping[str, object], where: Path) -> str:
    known = [name for name in WRAPPERS if name in wrapped] or list(wrapped)
    if len(known) > 1 and known[0] not in WRAPPERS:
        raise UsageError(
            f"the file holds several networks: {', '.join(known)}",
            where=where,
            mend="say which with --member NAME",
        )
    return known[0]


def _passed_over(chosen: str, wrapped: Mapping[str, object]) -> list[str]:
    others = [name for name in wrapped if name != chosen]
    if not others:
        return []
    return [f"taken from '{chosen}', not from {_quoted(others)} (--member NAME takes another)"]


def _tensors(content: object, where: Path) -> dict[str, Tensor]:
    named = _named(content) if is_table(content) else {}
    if not named:
        raise UsageError(
            f"the file holds no named tensors of a network, only {type(content).__name__}",
            where=where,
            mend="name a file with a state_dict",
        )
    return named


def _beginning_with(
    member: str, tensors: Mapping[str, Tensor], seen: list[str], where: Path
) -> dict[str, Tensor]:
    prefix = f"{member}."
    own = {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}
    if not own:
        words = sorted({name.partition(".")[0] for name in tensors if "." in name})
        raise UsageError(
            f"the file has no member '{member}'",
            where=where,
            mend=f"it has {_quoted([*seen, *words][:12])}",
        )
    return own


def _quoted(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)

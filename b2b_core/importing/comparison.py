"""Compare the tensors of a file with those of a network, by name and shape."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from b2b_core.layouts import Layout, Shapes

#: Names of each sort that a message gives.
_NAMED = 4


@frozen(kw_only=True)
class Comparison:
    """What a file and a network have in common, and what not."""

    #: Names of the network with the network's shape in the file.
    agreeing: tuple[str, ...]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    #: Names with another shape, and both shapes in words.
    misshaped: tuple[str, ...]
    #: Names that the layout leaves out knowingly.
    unused: tuple[str, ...]

    @property
    def fits(self) -> bool:
        """Whether all of the network is in the file, and nothing else that counts."""
        return not (self.missing or self.unexpected or self.misshaped)

    @property
    def share(self) -> float:
        """The part of all names that agree, in [0, 1]."""
        apart = len(self.missing) + len(self.unexpected) + len(self.misshaped)
        return len(self.agreeing) / max(1, len(self.agreeing) + apart)

    def __str__(self) -> str:
        """Return the differences in words, with some of the names."""
        sorts = {
            "missing": self.missing,
            "unexpected": self.unexpected,
            "of another shape": self.misshaped,
        }
        return ", ".join(
            f"{len(names)} {how} ({some(names)})" for how, names in sorts.items() if names
        )


def compare(found: Shapes, expected: Shapes, layout: Layout[object]) -> Comparison:
    """Compare the shapes of a file with those that a network expects."""
    extra = [name for name in found if name not in expected]
    common = [name for name in expected if name in found]
    return Comparison(
        agreeing=tuple(name for name in common if found[name] == expected[name]),
        missing=tuple(name for name in expected if name not in found),
        unexpected=tuple(name for name in extra if not layout.leaves_out(name)),
        misshaped=tuple(
            f"{name}: {_shape(found[name])}, not {_shape(expected[name])}"
            for name in common
            if found[name] != expected[name]
        ),
        unused=tuple(name for name in extra if layout.leaves_out(name)),
    )


def some(names: Collection[str]) -> str:
    """Return the first of `names`, and a sign where there are more."""
    return ", ".join(list(names)[:_NAMED]) + (", ..." if len(names) > _NAMED else "")


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "a number"

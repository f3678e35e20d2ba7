"""Layouts: how the published weights of a network are named and shaped.

A spec lists the layouts of its network's published files. `b2b weights import` recognises a file by
them and reads the options of the network from the shapes; neither needs torch, and no file says
what it is. The method is spandrel's: names that must be there, then sizes from shapes and counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Generic, TypeVar

from attrs import field, frozen
from attrs.validators import min_len

ConfigT = TypeVar("ConfigT")

#: Name of a parameter or buffer -> its shape.
Shapes = Mapping[str, tuple[int, ...]]


@frozen(kw_only=True)
class Layout(Generic[ConfigT]):
    """The tensors of a published file.

    What `read` returns is checked: the network is built with it, and every name and every shape of
    the file has to be the network's. So `read` may trust what it sees; it raises ValueError where
    it can say better than this check what is wrong.
    """

    #: Lower-case words joined by hyphens, such as "mimo-unet-plus".
    name: str
    #: Names that every such file has. Of two layouts that fit, the one with more of them wins.
    keys: tuple[str, ...] = field(validator=min_len(1))
    #: Returns the options of the network from the names and shapes of a file.
    read: Callable[[Shapes], ConfigT]
    #: Patterns (as in fnmatch) of names that such files may have and the network has no use for.
    unused: tuple[str, ...] = ()

    def may_be(self, shapes: Shapes) -> bool:
        """Tell whether a file with these tensors has all of `keys`."""
        return all(key in shapes for key in self.keys)

    def leaves_out(self, name: str) -> bool:
        """Tell whether a tensor is known and not needed."""
        return any(fnmatchcase(name, pattern) for pattern in self.unused)


def count(shapes: Shapes, prefix: str) -> int:
    """Return how many different numbers follow `prefix` in the names.

    Example: `count({"body.0.weight": (3,), "body.1.weight": (3,)}, "body.")` is 2.
    """
    rests = (name[len(prefix) :] for name in shapes if name.startswith(prefix))
    return len({number for rest in rests if (number := rest.partition(".")[0]).isdecimal()})


def length(shapes: Shapes, name: str, axis: int = 0) -> int:
    """Return the length of a tensor along `axis`; axis 0 of a convolution's weight: channels out.

    Raises:
        ValueError: if there is no such tensor, or it does not have that axis, or nothing along it.
    """
    if name not in shapes:
        raise ValueError(f"there is no {name}")
    shape = shapes[name]
    if len(shape) <= axis or shape[axis] < 1:
        raise ValueError(f"{name} has shape {shape}")
    return shape[axis]

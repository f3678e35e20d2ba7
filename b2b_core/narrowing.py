"""From plain data of any type to a type that can be worked with, as type checkers understand it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeGuard


def is_table(value: object) -> TypeGuard[Mapping[str, object]]:
    """Say whether `value` is a mapping; the keys of TOML, JSON and configurations are text."""
    return isinstance(value, Mapping)


def is_array(value: object) -> TypeGuard[Sequence[object]]:
    """Say whether `value` is a list or a tuple; text is neither."""
    return isinstance(value, list | tuple)

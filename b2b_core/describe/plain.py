"""Data that JSON and TOML can hold."""

from __future__ import annotations

from b2b_core.narrowing import is_array, is_table


def plain(value: object) -> object:
    """Return tables, lists, text, numbers and None as they are, anything else as its text."""
    if is_table(value):
        return {str(key): plain(inner) for key, inner in value.items()}
    if is_array(value):
        return [plain(inner) for inner in value]
    return value if isinstance(value, str | int | float | None) else str(value)

"""Tables as plain text and how numbers are written in them."""

from __future__ import annotations

import math
from collections.abc import Sequence


def plain_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows of text below headers, in columns; the first is flush left, numbers flush right.

    Lines have no trailing spaces; a column is one of numbers if all its cells begin like one.
    """
    columns = list(zip(headers, *rows, strict=True))
    aligned: list[list[str]] = []
    for index, column in enumerate(columns):
        width = max(map(len, column))
        right = index > 0 and any(column[1:]) and all(_is_number(cell) for cell in column[1:])
        aligned.append([cell.rjust(width) if right else cell.ljust(width) for cell in column])
    return "\n".join("  ".join(line).rstrip() for line in zip(*aligned, strict=True))


def number(value: object) -> str:
    """Return what a person reads: two decimals from 10 on, else four; a dash for nothing."""
    if value is None:
        return "–"
    if not isinstance(value, float):
        return str(value)
    if not math.isfinite(value):
        return {math.inf: "∞", -math.inf: "−∞"}.get(value, "not a number")
    return f"{value:.2f}" if abs(value) >= 10 else f"{value:.4f}"


def _is_number(cell: str) -> bool:
    return cell.strip()[:1] in set("0123456789+-−–∞") or not cell.strip()

"""Tables on the command line: rich on a terminal, aligned plain text on a pipe."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

import click

#: Text, or parts that stand below each other on a terminal and are joined by "; " on a pipe.
Cell = str | Sequence[str]


def show_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    *,
    colours: Mapping[str, str] | None = None,
    fixed: Sequence[str] = (),
    optional: Sequence[str] = (),
) -> None:
    """Print rows below their headings.

    Args:
        columns: headings; all empty for a table without them.
        rows: as many cells each.
        colours: content of a cell -> rich style, for words such as states.
        fixed: headings of columns that a narrow terminal must not break.
        optional: headings of columns that are left out where they are empty.
    """
    columns, rows = _without_empty(columns, rows, optional)
    if sys.stdout.isatty():
        _print_rich(columns, rows, colours or {}, fixed)
    else:
        head = [columns] if any(columns) else []
        click.echo(aligned([*head, *([_joined(cell, "; ") for cell in row] for row in rows)]))


def _without_empty(
    columns: Sequence[str], rows: Sequence[Sequence[Cell]], optional: Sequence[str]
) -> tuple[Sequence[str], Sequence[Sequence[Cell]]]:
    shown = [
        index
        for index, column in enumerate(columns)
        if column not in optional or any(_joined(row[index], " ") for row in rows)
    ]
    return [columns[i] for i in shown], [[row[i] for i in shown] for row in rows]


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as text in columns, flush left, without spaces at the ends of lines."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True))
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def printable(text: str) -> str:
    """Return one line without control characters: what a plugin says must not steer a terminal."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _joined(cell: Cell, between: str) -> str:
    parts = [cell] if isinstance(cell, str) else cell
    return between.join(filter(None, map(printable, parts)))


def _print_rich(
    columns: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    colours: Mapping[str, str],
    fixed: Sequence[str],
) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=any(columns))
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column in fixed)
    for row in rows:
        texts = [_joined(cell, "\n") for cell in row]
        table.add_row(*(Text(text, style=colours.get(text, "")) for text in texts))
    Console().print(table)

"""The `#:` comments of a configuration class: what its author says about each setting."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterable, Sequence

#: How Sphinx marks a comment that belongs to the attribute below, or before it in its line.
MARK = "#:"


def comments_of(cls: type) -> dict[str, str]:
    """Return field -> its comment in one line, inherited fields included.

    A field without a comment is left out. A class whose source is not to be had has none.
    """
    said: dict[str, str] = {}
    for owner in reversed(cls.__mro__[:-1]):
        said |= _own(owner)
    return said


def _own(cls: type) -> dict[str, str]:
    try:
        source = textwrap.dedent(inspect.getsource(cls))
        body = _class_body(ast.parse(source))
    except (OSError, TypeError, ValueError, SyntaxError):
        # made in an interpreter, compiled, or its file has changed since it was imported
        return {}
    return {name: text for name, text in _said(body, source.splitlines()) if text}


def _class_body(module: ast.Module) -> list[ast.stmt]:
    classes = [node for node in module.body if isinstance(node, ast.ClassDef)]
    return classes[0].body if classes else []


def _said(body: Sequence[ast.stmt], lines: Sequence[str]) -> Iterable[tuple[str, str]]:
    for node in body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            name, end = node.target.id, node.end_lineno or node.lineno
            yield name, _above(lines, node.lineno - 1) or _behind(lines[end - 1])


def _above(lines: Sequence[str], first: int) -> str:
    """Return the comment that ends just above line `first`."""
    block: list[str] = []
    for line in reversed(lines[:first]):
        if not line.strip().startswith(MARK):
            break
        block.insert(0, line.strip().removeprefix(MARK).strip())
    return " ".join(block)


def _behind(line: str) -> str:
    _, mark, comment = line.partition(MARK)
    return comment.strip() if mark else ""

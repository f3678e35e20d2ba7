"""Keys of cached results: a hash of everything that decides them."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

#: Hex digits of a key that folders and files are named by.
_SHOWN = 12
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def key_of(parts: Mapping[str, object]) -> str:
    """Return the key of plain data; the order of tables does not matter."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:_SHOWN]


def code_key(files: Iterable[Path]) -> str:
    """Return the key of modules of Python by what they do: not by comments, docstrings, layout."""
    parts = {path.name: ast.dump(_without_docstrings(path)) for path in sorted(files)}
    return key_of(parts)


def package_key(*folders: Path) -> str:
    """Return the key of all modules below some folders."""
    parts = {
        f"{folder.name}/{path.relative_to(folder).as_posix()}": ast.dump(_without_docstrings(path))
        for folder in folders
        for path in sorted(folder.rglob("*.py"))
    }
    return key_of(parts)


def _without_docstrings(path: Path) -> ast.Module:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and node.body and _is_docstring(node.body[0]):
            del node.body[0]
    return tree


def _is_docstring(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )

"""The page of components and the code: every contract, every field of every spec."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest
from attrs import NOTHING, Factory, fields

from b2b_core import contracts, layouts, specs

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "plugins" / "components.md").read_text()
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE))
SPECS = {
    spec.kind: spec
    for spec in vars(specs).values()
    if isinstance(spec, type) and issubclass(spec, specs.Spec) and spec is not specs.Spec
}


def classes(module):
    """Return the classes of a module's source by name."""
    tree = ast.parse(Path(module.__file__).read_text())
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}


def outline(node):
    """Return attributes and methods of a class as they are written, without what they do."""
    lines = []
    for item in node.body:
        if isinstance(item, ast.AnnAssign):
            lines.append(ast.unparse(item))
        elif isinstance(item, ast.FunctionDef):
            lines.append(f"{item.name}({ast.unparse(item.args)}) -> {ast.unparse(item.returns)}")
    return lines


def declared(cls, inherited=()):
    """Return the own fields of an attrs class as `name: type = default`."""
    written = {
        item.target.id: ast.unparse(item.annotation)
        for item in classes(sys.modules[cls.__module__])[cls.__name__].body
        if isinstance(item, ast.AnnAssign)
    }
    found = []
    for one in fields(cls):
        if one.name in inherited:
            continue
        default = one.default.factory() if isinstance(one.default, Factory) else one.default
        end = "" if default is NOTHING else f" = {default!r}"
        found.append(f"{one.name}: {written[one.name]}{end}")
    return found


def documented(table):
    """Return the first column of the tables in a text."""
    cells = re.findall(r"^\| `([^`]+)` \| (.+) \|$", table, re.MULTILINE)
    assert all(meaning.strip() for _, meaning in cells)
    return [cell.replace("\\|", "|") for cell, _ in cells]


def test_every_kind_has_a_section():
    """The kinds of the page are those that have hooks."""
    kinds = {kind.replace("-", " ") for kind in specs.HOOK_OF_KIND}
    assert set(SECTIONS) - {"Every spec"} == kinds
    assert set(SPECS) == set(specs.HOOK_OF_KIND)


@pytest.mark.parametrize("kind", SPECS)
def test_every_own_field_of_a_spec_is_documented(kind):
    """Names, types and defaults are those of the code, in its order."""
    cls, section = SPECS[kind], SECTIONS[kind.replace("-", " ")]
    common = {one.name for one in fields(specs.Spec)}
    assert documented(section.partition(f"`{cls.__name__}`")[2]) == declared(cls, common)


def test_the_fields_of_every_spec_are_documented():
    """What all specs share, the size rule and the layout stand before the kinds."""
    shared, _, rest = SECTIONS["Every spec"].partition("`SizeRule`")
    rule, _, layout = rest.partition("`Layout`")
    assert documented(shared) == declared(specs.Spec)
    assert documented(rule) == declared(specs.SizeRule)
    assert documented(layout) == declared(layouts.Layout)


@pytest.mark.parametrize("kind", SPECS)
def test_the_contract_of_a_kind_is_that_of_the_code(kind):
    """Attributes, methods, arguments, annotations: all of the protocol, and nothing else."""
    name = SPECS[kind].__name__.removesuffix("Spec")
    block = re.search(r"```python\n(.*?)```", SECTIONS[kind.replace("-", " ")], re.DOTALL).group(1)
    (shown,) = ast.parse(block).body
    assert shown.name == name
    assert outline(shown) == outline(classes(contracts)[name])
    assert outline(shown)


def test_the_records_that_contracts_use_are_described():
    """`Pair`, `BlurCode` and `UpperBound` are on the page with all their fields."""
    for name in ("Pair", "BlurCode", "UpperBound"):
        assert f"`{name}`" in PAGE
        for one in fields(getattr(contracts, name)):
            assert re.search(rf"\b{one.name}\b", PAGE), (name, one.name)

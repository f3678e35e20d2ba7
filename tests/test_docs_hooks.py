"""The page of hooks and `hookspecs.py` cannot drift apart, and no hook goes untested."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest

from b2b_core import hookspecs
from b2b_core.specs import HOOK_OF_KIND

TESTS = Path(__file__).parent
PAGE = (TESTS.parent / "docs" / "plugins" / "hooks.md").read_text()
HOOKS = {
    name: hook
    for name, hook in inspect.getmembers(hookspecs, inspect.isfunction)
    if name.startswith("b2b_")
}
SECTIONS = dict(re.findall(r"^### (b2b_\w+)\n(.*?)(?=^##|\Z)", PAGE, re.DOTALL | re.MULTILINE))


def signature(hook):
    """Return the signature as it is written: annotations are text, here without quotes."""
    return str(inspect.signature(hook)).replace("'", "")


def test_the_signatures_are_read_as_they_are_written():
    """The comparison below sees names, annotations and results."""
    assert signature(hookspecs.b2b_resolve_weights) == "(name: str) -> Path | None"


def test_the_page_has_a_section_for_every_hook_and_for_no_other():
    """A hook that is new, renamed or gone shows."""
    assert set(SECTIONS) == set(HOOKS)


@pytest.mark.parametrize("name", HOOKS)
def test_a_section_begins_with_the_exact_signature(name):
    """Arguments and annotations are those of the code, character by character."""
    first = re.search(r"```python\n(.*?)\n```", SECTIONS[name], re.DOTALL).group(1)
    assert first == f"def {name}{signature(HOOKS[name])}: ..."


@pytest.mark.parametrize("name", HOOKS)
def test_a_section_shows_an_implementation(name):
    """The example is marked, returns what is promised, and takes arguments that the hook has."""
    example = re.findall(r"```python\n(.*?)\n```", SECTIONS[name], re.DOTALL)[1]
    (shown,) = (n for n in ast.parse(example).body if isinstance(n, ast.FunctionDef))
    assert shown.name == name
    assert [ast.unparse(mark) for mark in shown.decorator_list] == ["hookimpl"]
    assert {a.arg for a in shown.args.args} <= set(inspect.signature(HOOKS[name]).parameters)


@pytest.mark.parametrize("name", sorted(set(HOOKS) - set(HOOK_OF_KIND.values())))
def test_a_behaviour_hook_says_when_how_often_and_what(name):
    """Nothing is left to be guessed."""
    for word in ("**When.**", "**How often.**", "**Gets**", "**Returns**"):
        assert word in SECTIONS[name], word


def test_the_table_names_every_hook_with_its_arguments():
    """The overview is complete, and its links lead to the sections."""
    rows = re.findall(r"^\| \[`(b2b_\w+)\((.*?)\)`\]\(#(\w+)\) \| (\w+) \|", PAGE, re.MULTILINE)
    shown = {name: (arguments, link, kind) for name, arguments, link, kind in rows}
    registration = set(HOOK_OF_KIND.values())
    assert shown == {
        name: (
            ", ".join(inspect.signature(hook).parameters),
            name,
            "registration" if name in registration else "behaviour",
        )
        for name, hook in HOOKS.items()
    }


def definitions():
    """Return the tests of hooks: name of the hook -> definitions in `test_hooks_*.py`."""
    found = {}
    for file in sorted(TESTS.glob("test_hooks_*.py")):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_hook_"):
                found.setdefault(f"b2b_{node.name.removeprefix('test_hook_')}", []).append(node)
    return found


def test_every_hook_has_a_test_and_every_such_test_a_hook():
    """As in datasette: a hook without `test_hook_<name>` cannot be added."""
    assert set(definitions()) == set(HOOKS)


@pytest.mark.parametrize("name", HOOKS)
def test_the_test_of_a_hook_asks_the_catalogue_and_asserts(name):
    """It uses a fixture that installs plugins, and compares something."""
    for test in definitions()[name]:
        assert {"acme", "install", "run"} & {a.arg for a in test.args.args}, test.name
        assert any(isinstance(node, ast.Assert) for node in ast.walk(test)), test.name

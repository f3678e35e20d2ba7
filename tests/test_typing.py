"""Type checkers see a plugin's mistakes: sources in `typing/`, whose wrong lines end in `# error`.

Each checker runs once over all of them, in its strict mode, as an author of a plugin would run it.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from b2b_core import hookspecs, specs
from b2b_core.specs import HOOK_OF_KIND, Spec

SOURCES = Path(__file__).parent / "typing"
FILES = sorted(path.name for path in SOURCES.glob("*.py"))
SPECS = {
    one.kind: one
    for one in vars(specs).values()
    if isinstance(one, type) and issubclass(one, Spec) and one is not Spec
}


def marked():
    """Return "file:line" of every line that has to be reported."""
    return {
        f"{name}:{number}"
        for name in FILES
        for number, line in enumerate((SOURCES / name).read_text().splitlines(), 1)
        if line.endswith("# error")
    }


def reported(records):
    """Return "file:line" -> message of (path, line, message)."""
    return {f"{Path(path).name}:{line}": message for path, line, message in records}


def checker(module, *arguments):
    """Run a checker as a module of this Python in the folder of the sources; return its output."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(command, cwd=SOURCES, capture_output=True, text=True, check=False)
    # 0 would be "no error found", 2 and above "could not check"
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


def test_mypy_reports_the_marked_lines_and_no_other(tmp_path):
    """With --strict, mypy accepts the right plugin and rejects each wrong one at its line."""
    options = ("--strict", "--config-file=", f"--cache-dir={tmp_path}", "--output=json")
    lines = checker("mypy", *options, *FILES).splitlines()
    found = reported((e["file"], e["line"], e["message"]) for e in map(json.loads, lines))
    assert found.keys() == marked(), found


def test_pyright_reports_the_marked_lines_and_no_other():
    """Strict pyright agrees with mypy line by line; it needs node from a wheel, and no network."""
    output = checker("pyright", "--outputjson", "--pythonpath", sys.executable, "--project", ".")
    answer = json.loads(output)
    assert answer["summary"]["filesAnalyzed"] == len(FILES)
    found = reported(
        (e["file"], e["range"]["start"]["line"] + 1, e["message"])
        for e in answer["generalDiagnostics"]
    )
    assert found.keys() == marked(), found


@pytest.mark.parametrize("method", ["spec", "build"])
def test_the_sources_ask_for_every_kind(method):
    """A kind that is added without a line in `kinds.py` is noticed here."""
    calls = [
        node
        for node in ast.walk(ast.parse((SOURCES / "kinds.py").read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == method
    ]
    kinds = {call.args[0].value for call in calls if isinstance(call.args[0], ast.Constant)}
    assert kinds == set(HOOK_OF_KIND)


def test_each_kind_has_one_spec_class():
    """The kinds of the spec classes are those that have a hook."""
    assert SPECS.keys() == HOOK_OF_KIND.keys()


@pytest.mark.parametrize("kind", HOOK_OF_KIND)
def test_a_hook_returns_specs_of_its_kind(kind):
    """The hook's annotation names the spec class of the kind; it takes no arguments."""
    hook = getattr(hookspecs, HOOK_OF_KIND[kind])
    assert hook.__annotations__ == {"return": f"Iterable[{SPECS[kind].__name__}[Any]]"}


@pytest.mark.parametrize("kind", HOOK_OF_KIND)
def test_a_spec_builds_the_contract_of_its_kind(kind):
    """`TranslatorSpec` builds a `Translator`, and so on."""
    (base,) = SPECS[kind].__orig_bases__
    assert base.__args__[1].__forward_arg__ == SPECS[kind].__name__.removesuffix("Spec")


def test_no_other_hook_returns_specs():
    """What returns specs is a registration hook; the others are called while b2b works."""
    hooks = {name: hook for name, hook in vars(hookspecs).items() if name.startswith("b2b_")}
    returning = {name for name, hook in hooks.items() if "Spec" in hook.__annotations__["return"]}
    assert returning == set(HOOK_OF_KIND.values())

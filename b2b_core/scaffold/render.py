"""The files of a new plugin, as text, from templates and answers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from b2b_core.names import PREFIX
from b2b_core.scaffold.answers import Answers, core_range
from b2b_core.scaffold.kinds import OF_KIND, identifier
from b2b_core.specs import HOOK_OF_KIND

if TYPE_CHECKING:
    from jinja2 import Environment

#: Licences whose text comes with the scaffold.
WITH_TEXT = ("Apache-2.0", "BSD-3-Clause", "MIT")
#: Longest line of the generated code.
_WIDTH = 100
#: File -> template of what every plugin has; `PACKAGE` is the name of its package.
_COMMON = {
    ".github/workflows/ci.yml": "ci.yml.j2",
    ".gitignore": "gitignore.j2",
    "CHANGELOG.md": "CHANGELOG.md.j2",
    "README.md": "README.md.j2",
    "PACKAGE/__init__.py": "init.py.j2",
    "PACKAGE/config.py": "config.py.j2",
    "PACKAGE/py.typed": "py.typed.j2",
    "pyproject.toml": "pyproject.toml.j2",
    "tests/test_conformance.py": "test_conformance.py.j2",
}
#: The same of a plugin with a demo, beside its pictures.
_OF_DEMO = {
    "PACKAGE/pictures/upper_bound.json": "upper_bound.json.j2",
    "recipes/upper_bound.py": "upper_bound.py.j2",
}


def render(answers: Answers) -> dict[str, str]:
    """Return path -> text of every text file of the plugin."""
    environment = _environment()
    said = _said(answers)
    return {
        path.replace("PACKAGE", answers.package): environment.get_template(name).render(said)
        for path, name in _templates(answers).items()
    }


def import_line(module: str, names: Iterable[str], indent: int = 0) -> str:
    """Return `from module import names`, sorted, wrapped as ruff does where it is too long."""
    ordered = sorted(set(names))
    margin = " " * indent
    line = f"{margin}from {module} import {', '.join(ordered)}"
    if len(line) <= _WIDTH:
        return line
    listed = "".join(f"{margin}    {name},\n" for name in ordered)
    return f"{margin}from {module} import (\n{listed}{margin})"


def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("b2b_core.scaffold", "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    # a JSON string is a TOML string too
    environment.filters["quoted"] = lambda text: json.dumps(text, ensure_ascii=False)
    environment.filters["identifier"] = identifier
    return environment


def _said(answers: Answers) -> dict[str, object]:
    used = [OF_KIND[kind] for kind in answers.kinds]
    return {
        "answers": answers,
        "core_range": core_range(),
        "hooks": HOOK_OF_KIND,
        "import_line": import_line,
        "has_text": answers.licence in WITH_TEXT,
        "of_kind": OF_KIND,
        "requirements": sorted({_bounded(line) for kind in used for line in kind.requirements}),
        "validators": sorted({name for kind in used for name in kind.validators}),
        "year": datetime.now(UTC).year,
    }


def _bounded(requirement: str) -> str:
    """Return the requirement; the project's own plugins have the versions of the core."""
    return requirement + core_range() if requirement.startswith(PREFIX) else requirement


def _templates(answers: Answers) -> dict[str, str]:
    """Return file -> template of everything that the answers ask for."""
    chosen = {**_COMMON, "LICENSE": _licence(answers.licence)}
    for module in map(identifier, answers.kinds):
        chosen[f"PACKAGE/{module}.py"] = f"component/{module}.py.j2"
        chosen[f"tests/test_{module}.py"] = f"tests/{module}.py.j2"
    return chosen | _OF_DEMO if "demo" in answers.kinds else chosen


def _licence(licence: str) -> str:
    return f"licences/{licence if licence in WITH_TEXT else 'other'}.j2"

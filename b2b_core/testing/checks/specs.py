"""Level 0: what every spec says, whatever its kind."""

from __future__ import annotations

import re
from typing import Any, cast

import attrs

from b2b_core.testing.cases import ComponentCase
from b2b_core.testing.check import Check, component_check, fail, skip
from b2b_core.testing.checks.distribution import spdx_problem

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@component_check(0, "use lower-case words joined by hyphens")
def component_name(case: ComponentCase) -> None:
    """Check that the name is made of lower-case words joined by hyphens."""
    if not _NAME.fullmatch(case.spec.name):
        fail(f"'{case.spec.name}' is no name of a component", where="name")


@component_check(0, 'write an SPDX expression, such as licence="Apache-2.0"')
def component_licence(case: ComponentCase) -> None:
    """Check that the licence of the component is an SPDX expression."""
    problem = spdx_problem(case.spec.licence)
    if problem:
        fail(problem, where="licence")


@component_check(0, "say in one line what the component is, for listings")
def summary_line(case: ComponentCase) -> None:
    """Check that the summary is one line that says something."""
    text = case.spec.summary
    if not text.strip() or len(text.splitlines()) != 1:
        fail(f"the summary {text!r} is not one line", where="summary")


@component_check(0, "write a class with @attrs.frozen, and a default for each of its fields")
def config_class(case: ComponentCase) -> None:
    """Check that the config class is a frozen attrs class in which every option has a default."""
    config: Any = case.spec.config
    where = f"{config.__module__}.{config.__qualname__}" if isinstance(config, type) else config
    if not (isinstance(config, type) and attrs.has(config)):
        fail(f"the config class {where} is no attrs class", where="config")
    for field in attrs.fields(config):
        if field.init and field.default is attrs.NOTHING:
            fail(f"the option '{field.name}' has no default", where=where)
    try:
        made = config()
    except Exception as error:
        fail(f"its defaults are refused: {type(error).__name__}: {error}", where=where)
    if not _is_frozen(made):
        fail("options can be changed after they were checked: the class is not frozen", where=where)


@component_check(0, "remove the name from expected_failures, or correct it")
def expected_failures(case: ComponentCase) -> None:
    """Check that every expected failure names a check of this component, and a reason."""
    from b2b_core.names import suggestion
    from b2b_core.testing.checks import COMPONENT_CHECKS

    declared = cast("dict[object, object]", dict(case.spec.expected_failures))
    if not declared:
        return
    mine = [check.name for check in COMPONENT_CHECKS if check.applies(case.spec)]
    for name, reason in declared.items():
        if name not in mine:
            fail(
                f"'{name}' is no check of a {case.spec.kind}",
                where="expected_failures",
                mend=suggestion(str(name), mine),
            )
        if name == "expected-failures":
            fail("this check itself cannot be expected to fail", where="expected_failures")
        if not isinstance(reason, str) or not reason.strip():
            fail(f"no reason is given for '{name}'", where="expected_failures", mend="give one")


def _is_frozen(made: object) -> bool:
    """Tell whether attributes can be set: attrs says so by an error of its own."""
    try:
        made.b2b_is_frozen = False  # type: ignore[attr-defined]
    except attrs.exceptions.FrozenInstanceError:
        return True
    except AttributeError:
        return False  # slots: the class has no such attribute, and is not frozen
    return False


def default_config(case: ComponentCase) -> Any:  # noqa: ANN401 - of a plugin's class
    """Return the default options; skip the check if there are none."""
    if not attrs.has(case.spec.config):
        skip("its config is no attrs class: see the check 'config-class'")
    try:
        return case.spec.config()
    except Exception:
        skip("its defaults are refused: see the check 'config-class'")


CHECKS: tuple[Check[ComponentCase], ...] = (
    component_name,
    component_licence,
    summary_line,
    config_class,
    expected_failures,
)

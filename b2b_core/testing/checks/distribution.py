"""Level 0: what the metadata of a distribution say; nothing of it is imported."""

from __future__ import annotations

import importlib.util
import re

from b2b_core import __version__
from b2b_core.catalogue.compatibility import admits
from b2b_core.catalogue.metadata import CORE
from b2b_core.testing.cases import PluginCase
from b2b_core.testing.check import Check, fail, plugin_check

_NAME = re.compile(r"[a-z0-9]+([-_.]?[a-z0-9]+)*", re.IGNORECASE)


@plugin_check('write name = "b2b-plugin-WORDS" and a version such as "0.1.0" in [project]')
def distribution_name(plugin: PluginCase) -> None:
    """Check that name and version of the distribution are well-formed (PEP 508, PEP 440)."""
    from packaging.version import InvalidVersion, Version

    name, version = plugin.found.name, plugin.found.version
    if not _NAME.fullmatch(name):
        fail(f"'{name}' is no name of a distribution", where="METADATA, Name")
    try:
        Version(version)
    except InvalidVersion:
        fail(f"'{version}' is no version of a distribution", where="METADATA, Version")


@plugin_check('write an SPDX expression in [project], such as license = "Apache-2.0"')
def distribution_licence(plugin: PluginCase) -> None:
    """Check that the licence of the distribution is an SPDX expression (PEP 639)."""
    problem = spdx_problem(plugin.found.licence)
    if problem:
        fail(problem, where="METADATA, License-Expression")


@plugin_check('write the range in dependencies, such as "b2b-core>=0.1,<0.2"')
def core_range(plugin: PluginCase) -> None:
    """Check that the distribution bounds the versions of the core that it works with."""
    from packaging.requirements import InvalidRequirement, Requirement

    lines = plugin.found.core_requirements
    if not lines:
        fail(f"it does not require {CORE}", where="METADATA, Requires-Dist")
    for line in lines:
        try:
            wanted = Requirement(line).specifier
        except InvalidRequirement:
            fail(f"'{line}' is no requirement", where="METADATA, Requires-Dist")
        if not any(clause.operator in ("<", "<=", "~=", "==", "===") for clause in wanted):
            fail(
                f"'{line}' has no upper bound, so a core that it was never tried with would be "
                "installed",
                where="METADATA, Requires-Dist",
            )
        if not admits(str(wanted), __version__):
            fail(
                f"'{line}' does not admit the core that is installed, {__version__}",
                where="METADATA, Requires-Dist",
                mend=f"install a fitting core, or widen the range once it works with {__version__}",
            )


@plugin_check("add an empty file py.typed to the package and see that the wheel contains it")
def py_typed(plugin: PluginCase) -> None:
    """Check that the package of every entry point says that it is typed (PEP 561)."""
    from pathlib import Path

    for point in plugin.found.entry_points:
        # the name of a top-level package: looking a dotted one up would import its parents
        package = point.value.partition(":")[0].partition(".")[0].strip()
        spec = importlib.util.find_spec(package)
        folders = list((spec and spec.submodule_search_locations) or ())
        if not folders:
            fail(
                f"'{package}' is a single module, which cannot say that it is typed",
                where=spec.origin if spec else point.value,
                mend=f"make it a package: {package}/__init__.py beside {package}/py.typed",
            )
        if not any(Path(folder, "py.typed").is_file() for folder in folders):
            fail(f"the package '{package}' has no file py.typed", where=folders[0])


def spdx_problem(expression: str) -> str:
    """Return why a licence is no SPDX expression, or nothing if it is one."""
    from packaging.licenses import (
        InvalidLicenseExpression,
        canonicalize_license_expression,
    )

    try:
        canonicalize_license_expression(expression)
    except InvalidLicenseExpression:
        return f"the licence '{expression}' is no SPDX expression"
    return ""


CHECKS: tuple[Check[PluginCase], ...] = (
    distribution_name,
    distribution_licence,
    core_range,
    py_typed,
)

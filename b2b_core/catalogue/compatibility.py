"""Whether a plugin was made for this core, decided before anything of it is imported."""

from __future__ import annotations

import re
from collections.abc import Iterable

from b2b_core import __version__

#: What nearly all ranges are made of; `packaging` would cost a listing a tenth of its time.
_CLAUSE = re.compile(r"\s*(>=|<)\s*(\d+(?:\.\d+)*)\s*")
#: A requirement without a marker: name, extras, range.
_PLAIN = re.compile(r"[\w.-]+\s*(?:\[[^]]*])?\s*\(?([^;()@]*)\)?\s*")


def incompatibility(requirements: Iterable[str]) -> str:
    """Return why one of the `Requires-Dist` lines rules this core out, or nothing if none does."""
    return next((reason for line in requirements if (reason := _ruled_out(line))), "")


def core_range(requirements: Iterable[str]) -> str:
    """Return the range of the core that the lines state; unreadable ones as they are."""
    ranges: list[str] = []
    for line in requirements:
        try:
            ranges.append(_range(line))
        except ValueError:
            ranges.append(line)
    return ",".join(filter(None, ranges))


def _ruled_out(line: str) -> str:
    try:
        wanted = _range(line)
        if admits(wanted, __version__):
            return ""
    except ValueError:
        return f"its requirement '{line}' cannot be read"
    return f"needs b2b-core{wanted}, this is {__version__}"


def admits(wanted: str, version: str) -> bool:
    """Tell whether the range (PEP 440) contains `version`, pre-releases included.

    Raises:
        ValueError: if it is no range.
    """
    clauses = [_CLAUSE.fullmatch(clause) for clause in wanted.split(",")]
    plain = _CLAUSE.fullmatch(f">={version}")
    if plain and all(clauses):
        current = _release(plain.group(2))
        return all(
            (current >= _release(clause.group(2))) == (clause.group(1) == ">=")
            for clause in clauses
            if clause
        )
    from packaging.specifiers import SpecifierSet

    return SpecifierSet(wanted).contains(version, prereleases=True)


def _release(digits: str) -> tuple[int, ...]:
    """Return the numbers of a version without zeros at the end, so that 1.0 is 1."""
    numbers = [int(digit) for digit in digits.split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _range(line: str) -> str:
    """Return the version range, empty if the requirement does not apply here.

    Raises:
        ValueError: if the line is no requirement.
    """
    if plain := _PLAIN.fullmatch(line.strip()):
        return plain.group(1).strip()
    # markers need the whole parser, which costs a listing 10 ms
    from packaging.requirements import Requirement

    requirement = Requirement(line)
    applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
    return str(requirement.specifier) if applies else ""

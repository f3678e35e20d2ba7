"""What b2b, its plugins and all that they need require, against what is installed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distributions

from packaging.requirements import InvalidRequirement, Requirement

from b2b_core.catalogue.metadata import CORE
from b2b_core.catalogue.scan import GROUP
from b2b_core.health.finding import Finding
from b2b_core.names import PREFIX, normalised


def requirements() -> Iterable[Finding]:
    """Yield what is missing or of a wrong version, as `pip check` would, without running pip.

    A plugin's range of the core is left out: the plugin is listed as incompatible.
    """
    here = _installed()
    faults = list(_faults(here, _roots(here)))
    yield from faults
    if not faults:
        yield Finding("requirements", "b2b and its plugins", "ok", "all that they need is there")


def _installed() -> dict[str, Distribution]:
    """Return name -> distribution; the first on `sys.path` hides its namesakes."""
    here: dict[str, Distribution] = {}
    for one in distributions():
        # a damaged installation may have no METADATA
        for name in one.metadata.get_all("Name") or ():
            here.setdefault(normalised(name), one)
    return here


def _roots(here: dict[str, Distribution]) -> list[str]:
    return [
        name
        for name, one in here.items()
        if name == CORE
        or name.startswith(PREFIX)
        or f"[{GROUP}]" in (one.read_text("entry_points.txt") or "")
    ]


def _faults(here: dict[str, Distribution], roots: Iterable[str]) -> Iterator[Finding]:
    waiting = [(name, "") for name in sorted(roots)]
    seen = set(waiting)
    while waiting:
        owner, extra = waiting.pop(0)
        for line in here[owner].requires or ():
            try:
                wanted = Requirement(line)
            except InvalidRequirement:
                yield _fault(owner, f"its requirement '{line}' cannot be read", f"update {owner}")
                continue
            if not _applies(wanted, extra) or normalised(wanted.name) == CORE:
                continue
            yield from _compared(owner, wanted, here)
            further = [(normalised(wanted.name), one) for one in ("", *sorted(wanted.extras))]
            waiting += [one for one in further if one[0] in here and one not in seen]
            seen.update(further)


def _applies(wanted: Requirement, extra: str) -> bool:
    if wanted.marker is None:
        return not extra
    # what holds without an extra was looked at with the distribution itself
    plain = wanted.marker.evaluate({"extra": ""})
    return wanted.marker.evaluate({"extra": extra}) and (not extra or not plain)


def _compared(owner: str, wanted: Requirement, here: dict[str, Distribution]) -> Iterator[Finding]:
    found = here.get(normalised(wanted.name))
    told = f"{wanted.name}{wanted.specifier}"
    if found is None:
        yield _fault(owner, f"it needs {told}, which is not installed", f"pip install '{told}'")
    elif not wanted.specifier.contains(found.version, prereleases=True):
        what = f"it needs {told}, but {found.version} is installed"
        yield _fault(owner, what, f"pip install '{told}', or another version of {owner}")


def _fault(owner: str, what: str, mend: str) -> Finding:
    return Finding("requirements", owner, "problem", what, mend)

"""All that `b2b doctor` looks at; a look that fails is a finding, not an end."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from b2b_core.catalogue import Switches
from b2b_core.health.finding import Finding

Look = Callable[[], Iterable[Finding]]

#: Part -> module and function of each look, imported one by one, since even that may fail.
_LOOKS = (
    ("system", "system:system"),
    ("libraries", "system:libraries"),
    ("compute", "compute:compute"),
    ("folders", "folders:cache"),
    ("folders", "folders:preferences"),
    ("folders", "folders:index"),
    ("environment", "environment:environment"),
    ("requirements", "requirements:requirements"),
)


def examine(options: Sequence[str], switches: Switches) -> Iterator[Finding]:
    """Yield everything that is found, part by part.

    Args:
        options: of the command line, before the command, that decide which plugins load.
        switches: what these and the preferences come to.
    """
    for part, place in _LOOKS:
        yield from survived(part, partial(_look, place))
    yield from survived("plugins", partial(_look, "plugins:plugins", options, switches))


def survived(part: str, look: Look) -> Iterator[Finding]:
    """Yield what `look` finds, and that it failed if it fails."""
    try:
        yield from look()
    except Exception as error:
        what = f"looking failed: {type(error).__name__}: {error}"
        mend = "mend what the other parts name, then look again"
        yield Finding(part, "b2b doctor", "problem", " ".join(what.split()), mend)


def _look(place: str, *arguments: object) -> Iterable[Finding]:
    module, _, function = place.partition(":")
    found: Callable[..., Iterable[Finding]] = getattr(
        importlib.import_module(f"b2b_core.health.{module}"), function
    )
    return found(*arguments)

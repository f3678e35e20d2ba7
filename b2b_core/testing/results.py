"""What the checks of a plugin came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from attrs import frozen

#: expected-failure: the spec says that it cannot pass; unexpected-pass: the spec says so, and it
#: passes, which is an error.
Status = Literal["passed", "failed", "expected-failure", "unexpected-pass", "skipped"]
STATUSES: tuple[Status, ...] = (
    "passed",
    "failed",
    "expected-failure",
    "unexpected-pass",
    "skipped",
)
BAD: tuple[Status, ...] = ("failed", "unexpected-pass")


@frozen(kw_only=True)
class Result:
    """One check of one subject."""

    check: str
    level: int
    #: Kind of component, "weights", or "plugin" for the distribution itself.
    kind: str
    #: Name of the component or of the weights; empty for the distribution itself.
    name: str
    status: Status
    #: What is wrong, where, and how to mend it.
    what: str = ""
    where: str = ""
    mend: str = ""
    #: Why it was skipped, or is expected to fail.
    reason: str = ""
    seconds: float = 0.0

    @property
    def bad(self) -> bool:
        """Whether it has to be mended."""
        return self.status in BAD

    @property
    def subject(self) -> str:
        """What was checked, for people."""
        return f"{self.kind} {self.name}".strip()

    @property
    def message(self) -> str:
        """What is wrong, where, and how to mend it, in one line."""
        place = f" ({self.where})" if self.where else ""
        return " ".join(f"{self.what}{place}; {self.mend}".split())


@frozen(kw_only=True)
class PluginReport:
    """All results of one distribution."""

    distribution: str
    version: str
    results: tuple[Result, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing has to be mended."""
        return not any(result.bad for result in self.results)


def counts(results: Sequence[Result]) -> dict[Status, int]:
    """Return how many results have each status."""
    found = Counter(result.status for result in results)
    return {status: found[status] for status in STATUSES}

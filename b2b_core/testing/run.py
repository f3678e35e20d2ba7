"""Make the checks of a plugin, one after the other, and keep what each came to."""

from __future__ import annotations

import contextlib
import io
import sys
import time
import traceback
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Generic

from attrs import evolve, field, frozen

from b2b_core.testing.cases import ComponentCase, PluginCase, WeightsCase
from b2b_core.testing.check import CaseT, Check, CheckFailedError, CheckSkippedError
from b2b_core.testing.checks import COMPONENT_CHECKS, PLUGIN_CHECKS, WEIGHTS_CHECKS
from b2b_core.testing.checks.specs import expected_failures
from b2b_core.testing.randomness import put_back
from b2b_core.testing.results import Result

#: Version of the kit; raised when a check is added or asks for more.
KIT = 1
LEVELS = (0, 1, 2, 3)


@frozen(kw_only=True)
class Item(Generic[CaseT]):
    """One check of one subject, still to be made."""

    check: Check[CaseT]
    case: CaseT
    kind: str
    name: str
    #: Check -> why it is expected to fail.
    expected: Mapping[str, str] = field(factory=dict[str, str])

    @property
    def id(self) -> str:
        """What names it in one word."""
        return "-".join(filter(None, (self.kind, self.name, self.check.name)))

    @property
    def reason(self) -> str | None:
        """Why it is expected to fail, or None if it is not."""
        return self.expected.get(self.check.name)

    def made(self) -> Result:
        """Make the check; a failure is a result, never an exception."""
        began = time.perf_counter()
        with put_back():
            result = self._compared(self._judged())
        return evolve(result, seconds=time.perf_counter() - began)

    def _judged(self) -> Result:
        passed = Result(
            check=self.check.name,
            level=self.check.level,
            kind=self.kind,
            name=self.name,
            status="passed",
        )
        try:
            self.check.run(self.case)
        except CheckSkippedError as skipped:
            return evolve(passed, status="skipped", reason=str(skipped))
        except CheckFailedError as failed:
            what, where, mend = failed.what, failed.where, failed.mend or self.check.mend
        except (Exception, SystemExit) as error:
            text = " ".join(str(error).split())[:300]
            what, where = f"{type(error).__name__}: {text}", _place(error)
            mend = self.check.mend
        else:
            return passed
        return evolve(passed, status="failed", what=what, where=where, mend=mend)

    def _compared(self, result: Result) -> Result:
        """Return the result in the light of what is expected."""
        if self.reason is None or result.status == "skipped":
            return result
        if result.status == "failed":
            return evolve(result, status="expected-failure", reason=self.reason)
        return evolve(
            result,
            status="unexpected-pass",
            where="expected_failures",
            what=f"it passes, and is declared to fail: {self.reason}",
            mend=f"remove '{self.check.name}' from expected_failures",
        )


AnyItem = Item[PluginCase] | Item[ComponentCase] | Item[WeightsCase]


def items(
    plugin: PluginCase, levels: Collection[int] = LEVELS, kind: str | None = None
) -> Iterator[AnyItem]:
    """Yield the checks of a plugin: of the distribution, its components, its weights.

    Args:
        plugin: the distribution.
        levels: which levels.
        kind: only components of this kind, or None for all.
    """
    if 0 in levels:
        for check in PLUGIN_CHECKS:
            yield Item(check=check, case=plugin, kind="plugin", name="")
    for case in plugin.components:
        if kind in (None, case.spec.kind):
            yield from component_items(case, levels)
    if 3 in levels:
        for weights in plugin.weights:
            if kind in (None, weights.row.kind):
                for published in WEIGHTS_CHECKS:
                    name = weights.row.name
                    yield Item(check=published, case=weights, kind="weights", name=name)


def component_items(
    case: ComponentCase, levels: Collection[int] = LEVELS
) -> Iterator[Item[ComponentCase]]:
    """Yield the checks of one component."""
    spec = case.spec
    for check in COMPONENT_CHECKS:
        if check.level in levels and check.applies(spec):
            # what is expected cannot itself be expected to be wrong
            expected = dict[str, str]() if check is expected_failures else spec.expected_failures
            yield Item(
                check=check,
                case=case,
                kind=spec.kind,
                name=spec.name,
                expected=expected,
            )


def results(todo: Iterable[AnyItem]) -> Iterator[Result]:
    """Make checks; nothing that a component writes meanwhile reaches the terminal.

    What a subject keeps in memory is freed when the next one begins.
    """
    last: AnyItem | None = None
    for item in todo:
        if last is not None and last.case is not item.case:
            last.case.forget()
        last = item
        with (
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
            warnings.catch_warnings(),
        ):
            if not sys.warnoptions:  # what the user asked for, such as errors, stays
                warnings.simplefilter("ignore")
            result = item.made()
        yield result
    if last is not None:
        last.case.forget()


def _place(error: BaseException) -> str:
    """Return "file:line" of the innermost frame that is neither the kit's nor torch's."""
    kit = str(Path(__file__).parent)
    theirs = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith(kit) and "site-packages/torch/" not in frame.filename
    ]
    return f"{theirs[-1].filename}:{theirs[-1].lineno}" if theirs else ""

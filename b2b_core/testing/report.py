"""The kit for people and programs: one call per plugin, a table, lines, JSON."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from b2b_core import __version__
from b2b_core.catalogue.metadata import Found
from b2b_core.testing.cases import PluginCase, found_named
from b2b_core.testing.checks import COMPONENT_CHECKS, PLUGIN_CHECKS, WEIGHTS_CHECKS
from b2b_core.testing.results import STATUSES, PluginReport, Result, counts
from b2b_core.testing.run import KIT, items, results

#: Version of the JSON; raised when a key changes its meaning or goes.
SCHEMA = 1
COLUMNS = ("plugin", "component", "passed", "failed", "expected", "skipped", "seconds")


def check_plugin(
    name: str, levels: Collection[int] = (0, 1, 2), kind: str | None = None
) -> PluginReport:
    """Check an installed plugin.

    Args:
        name: the distribution, with or without `b2b-plugin-`.
        levels: 0 static, 1 build, 2 behaviour, 3 published weights.
        kind: only components of this kind, or None for all.

    Raises:
        UsageError: if it is not installed; names the closest one.
    """
    (report,) = check_plugins([name], levels, kind)
    return report


def check_plugins(
    names: Sequence[str],
    levels: Collection[int],
    kind: str | None = None,
    *,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[PluginReport]:
    """Check several plugins as `check_plugin` does.

    `progress` is told how many checks are made, and of how many.
    """
    cases = [PluginCase(found_named(name)) for name in names]
    todo = [list(items(case, levels, kind)) for case in cases]
    total, done = sum(map(len, todo)), 0
    reports: list[PluginReport] = []
    progress(0, total)
    for case, mine in zip(cases, todo, strict=True):
        made: list[Result] = []
        for result in results(mine):
            made.append(result)
            done += 1
            progress(done, total)
        reports.append(_reported(case.found, made))
    return reports


def _reported(found: Found, made: Sequence[Result]) -> PluginReport:
    return PluginReport(distribution=found.name, version=found.version, results=tuple(made))


def check_rows(kind: str | None = None) -> list[tuple[str, ...]]:
    """Return level, name, kinds and statement of every check, for people."""
    rows = [(str(check.level), check.name, "plugin", check.says) for check in PLUGIN_CHECKS]
    for check in COMPONENT_CHECKS:
        if kind is None or not check.kinds or kind in check.kinds:
            rows += [(str(check.level), check.name, ", ".join(check.kinds) or "all", check.says)]
    rows += [(str(check.level), check.name, "weights", check.says) for check in WEIGHTS_CHECKS]
    return sorted(rows, key=lambda row: row[0])


def document(reports: Sequence[PluginReport], level: int) -> dict[str, object]:
    """Return everything as plain data for JSON; `level` is the highest that was checked."""
    return {
        "schema": SCHEMA,
        "kit": KIT,
        "core": __version__,
        "level": level,
        "passed": all(report.passed for report in reports),
        "counts": counts([result for report in reports for result in report.results]),
        "plugins": [
            {
                "name": report.distribution,
                "version": report.version,
                "passed": report.passed,
                "checks": [_row(result) for result in report.results],
            }
            for report in reports
        ],
    }


def _row(result: Result) -> dict[str, object]:
    return {
        "check": result.check,
        "level": result.level,
        "kind": result.kind,
        "name": result.name,
        "status": result.status,
        "what": result.what,
        "where": result.where,
        "mend": result.mend,
        "reason": result.reason,
        "seconds": round(result.seconds, 3),
    }


def table_rows(reports: Sequence[PluginReport]) -> list[tuple[str, ...]]:
    """Return one row per component, as in `COLUMNS`."""
    rows: list[tuple[str, ...]] = []
    for report in reports:
        for subject in dict.fromkeys(result.subject for result in report.results):
            mine = [result for result in report.results if result.subject == subject]
            found = counts(mine)
            numbers = (
                found["passed"],
                found["failed"] + found["unexpected-pass"],
                found["expected-failure"],
                found["skipped"],
            )
            seconds = f"{sum(result.seconds for result in mine):.1f}"
            rows.append((report.distribution, subject, *map(str, numbers), seconds))
    return rows


def remarks(reports: Sequence[PluginReport]) -> list[str]:
    """Return a line for whatever did not simply pass: first reasons, then failures."""
    everything = [(report, result) for report in reports for result in report.results]
    reasons: dict[str, list[str]] = {}
    for report, result in everything:
        if result.status in ("skipped", "expected-failure"):
            key = f"{result.status}: {report.distribution}, {result.subject}: {result.reason}"
            reasons.setdefault(key, []).append(result.check)
    lines = [f"{key} [{', '.join(checks)}]" for key, checks in reasons.items()]
    return lines + [
        f"{result.status}: {report.distribution}, {result.subject}, {result.check}: "
        f"{result.message}"
        for report, result in everything
        if result.bad
    ]


def summary(reports: Sequence[PluginReport]) -> str:
    """Return one line: how many plugins and checks, and what they came to."""
    made = [result for report in reports for result in report.results]
    found = counts(made)
    parts = [f"{found[status]} {status}" for status in STATUSES if found[status]]
    seconds = sum(result.seconds for result in made)
    plugins = f"{len(reports)} plugin{'s' if len(reports) != 1 else ''}"
    return f"{plugins}, {len(made)} checks: {', '.join(parts)}; {seconds:.1f} s"

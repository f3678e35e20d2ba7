"""`b2b doctor`: what is here, what is wrong with it, and how to mend it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import click

from b2b_core.cli.options import Everywhere, switches_from

if TYPE_CHECKING:
    from b2b_core.catalogue import Switches
    from b2b_core.health.finding import Finding

#: Version of the JSON output; raised when a key changes its meaning or goes.
SCHEMA = 1
_COLOURS = {"ok": "green", "note": "yellow", "problem": "red"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> int:
    """Look at the installation: versions, processor, folders, settings, plugins, requirements.

    Works whatever is broken. Exits with 0 if all is well, with 1 if something has to be mended.
    """
    from b2b_core.health.doctor import examine

    findings: list[Finding] = []
    found = examine(_options(ctx), _switches(ctx))
    for part, members in groupby(found, key=lambda finding: finding.part):
        section = list(members)
        findings += section
        if not as_json:
            _show(part, section)
    problems = sum(finding.level == "problem" for finding in findings)
    if as_json:
        click.echo(json.dumps(_document(findings), indent=2))
    else:
        things = "1 thing" if problems == 1 else f"{problems} things"
        click.echo(f"{things} to mend, marked with 'problem'" if problems else "all is well")
    return 1 if problems else 0


def _document(findings: Iterable[Finding]) -> dict[str, object]:
    import attrs

    rows = [attrs.asdict(finding) for finding in findings]
    healthy = all(row["level"] != "problem" for row in rows)
    return {"schema": SCHEMA, "healthy": healthy, "findings": rows}


def _show(part: str, findings: Sequence[Finding]) -> None:
    from b2b_core.cli.tables import show_table

    rows = [(one.level, one.name, (one.said, one.mend)) for one in findings]
    click.echo(click.style(f"{part}:", bold=True))
    show_table(("", "", ""), rows, colours=_COLOURS)
    click.echo()


def _options(ctx: click.Context) -> list[str]:
    """Return what was said before the command about plugins, to say it to another process."""
    said = ctx.find_object(Everywhere) or Everywhere()
    off = [word for name in said.disabled for word in ("-p", f"no:{name}")]
    return off + [word for path in said.plugin_files for word in ("--plugin-file", str(path))]


def _switches(ctx: click.Context) -> Switches:
    """Return the switches, without those of files and variables that cannot be read."""
    from b2b_core.catalogue import Switches
    from b2b_core.errors import UsageError

    try:
        return switches_from(ctx)
    except UsageError:  # a finding of its own
        return Switches(files=(ctx.find_object(Everywhere) or Everywhere()).plugin_files)

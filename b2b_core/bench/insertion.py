"""The overview table inside another page, between two marks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from b2b_core.atomic import replacing
from b2b_core.bench.report import overview, sections_in
from b2b_core.bench.table import Section
from b2b_core.errors import UsageError

#: What is between these lines is replaced.
BEGIN, END = "<!-- b2b bench table -->", "<!-- end of b2b bench table -->"


def insert_overview(out: Path, page: Path) -> None:
    """Put the overview of all results below a bench's folder between the marks of a page.

    Raises:
        UsageError: if there is no result, no such page, or no marks in it.
    """
    found = sections_in(out)
    if not page.is_file():
        raise UsageError("there is no such page", where=page)
    text = inserted(page.read_text(encoding="utf-8"), found, page)
    with replacing(page) as part:
        part.write_text(text, encoding="utf-8")


def inserted(text: str, found: Sequence[Section], page: Path) -> str:
    """Return a page's text with the overview of the recipes' own results between its marks.

    What deviates from a recipe has a label, and is for the page of all results.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise UsageError(
            "the page has no place for the table", where=page,
            mend=f"write the lines '{BEGIN}' and '{END}' where it belongs",
        )  # fmt: skip
    own = [section for section in found if not section.label]
    return f"{before}{begin}\n\n{overview(own)}\n{end}{after}"

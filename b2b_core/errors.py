"""What a user sees when something is wrong: one line, and an exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class B2bError(Exception):
    """A failure that one line explains: what is wrong, where, and how to mend it.

    The command line prints `str(error)` and exits with `exit_code`; no traceback is shown.
    """

    #: 1 = the work failed; 2 (see `UsageError`) = the command or its input was wrong.
    exit_code = 1

    def __init__(
        self, what: str, *, where: str | Path | None = None, mend: str | None = None
    ) -> None:
        self.what = what
        self.where = None if where is None else str(where)
        self.mend = mend
        place = f" ({self.where})" if self.where else ""
        remedy = f"; {mend}" if mend else ""
        super().__init__(" ".join(f"{what}{place}{remedy}".split()))


class UsageError(B2bError):
    """Wrong use: a missing folder, an unknown name, an unreadable setting. Exit code 2."""

    exit_code = 2

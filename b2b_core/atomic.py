"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(target: Path | str) -> Generator[Path]:
    """Yield a new path beside `target`; what is written there replaces `target` at the end.

    If the body fails, `target` stays as it was and nothing is left beside it. The folder must
    exist.
    """
    goal = Path(target)
    temporary = goal.with_name(f".{goal.name}.{os.getpid()}-{os.urandom(4).hex()}")
    try:
        yield temporary
        if temporary.is_file():
            # some writers make private files; a result has the permissions that any new file has
            mask = os.umask(0)
            os.umask(mask)
            temporary.chmod(0o666 & ~mask)
        temporary.replace(goal)
    finally:
        temporary.unlink(missing_ok=True)

"""What a look at an installation found."""

from __future__ import annotations

from typing import Literal

from attrs import frozen

#: ok: as it should be; note: worth knowing, nothing to do; problem: has to be mended.
Level = Literal["ok", "note", "problem"]


@frozen
class Finding:
    """One fact, or one thing to mend."""

    #: What it is about, such as "plugins".
    part: str
    #: The thing in question, such as a distribution, a file or a variable.
    name: str
    level: Level
    #: What is so, in one line.
    said: str
    #: What to do about it, in one line; empty unless it is a problem.
    mend: str = ""

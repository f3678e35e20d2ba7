"""What code does behind one's back while it runs: the network, and files of the working directory.

Python's audit hooks can be added and never removed, so there is one, which does nothing unless
something is watched.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Generator
from functools import cache
from pathlib import Path

from attrs import define, field

#: Events that reach for the network. Making a socket is none: libraries do it to learn what the
#: machine can.
NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto")


@define(eq=False)
class Watch:
    """What was seen."""

    #: The working directory while watching: empty, and gone afterwards.
    folder: Path
    network: list[str] = field(factory=list[str])
    #: Files that were opened by a path relative to the working directory, or below it.
    opened: list[str] = field(factory=list[str])
    #: Where the code went with `os.chdir`, or empty.
    moved: str = ""

    def see(self, event: str, arguments: tuple[object, ...]) -> None:
        """Note an event; refuse those of the network."""
        if event in NETWORK:
            with_socket = event in ("socket.connect", "socket.sendto")
            self.network.append(f"{event} {arguments[1 if with_socket else 0]}")
            raise OSError("the conformance kit refuses the network")
        if event == "open" and arguments and self._is_here(arguments[0]):
            self.opened.append(os.fsdecode(arguments[0]))  # type: ignore[arg-type]

    def _is_here(self, path: object) -> bool:
        if not isinstance(path, str | bytes | os.PathLike):
            return False  # a number: the file is open already
        name = os.fsdecode(path)  # pyright: ignore[reportUnknownArgumentType]
        return not os.path.isabs(name) or name.startswith(str(self.folder))  # noqa: PTH117


_WATCHES: list[Watch] = []


@contextlib.contextmanager
def watching() -> Generator[Watch]:
    """Run the body in an empty working directory, without network; yield what it does."""
    _install()
    home = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="b2b-check-") as name:
        watch = Watch(Path(name).resolve())
        os.chdir(watch.folder)
        _WATCHES.append(watch)
        try:
            yield watch
        finally:
            _WATCHES.remove(watch)
            if Path.cwd() != watch.folder:
                watch.moved = str(Path.cwd())
            os.chdir(home)


@cache
def _install() -> None:
    def hook(event: str, arguments: tuple[object, ...]) -> None:
        for watch in _WATCHES:
            watch.see(event, arguments)

    sys.addaudithook(hook)

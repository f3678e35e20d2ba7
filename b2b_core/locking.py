"""One process at a time: a lock beside the file that several may want to write."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(target: Path, what: str) -> Generator[None]:
    """Hold `target`.lock while the body runs; wait for another process that holds it.

    The lock is the system's, so a process that is killed lets go of it; the empty file stays.

    Args:
        target: the file that the body writes; its folder must exist.
        what: what the other process does, for the message, such as "fetches 'unet.x'".
    """
    # imported here: a command that finds its files does not pay for it
    from filelock import FileLock, Timeout

    lock = FileLock(f"{target}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        from b2b_core.log import get_logger

        get_logger("lock").info(f"another process {what}; waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()

"""How much memory the machine has."""

from __future__ import annotations

import os

#: Memory in bytes where the system does not say how much there is.
UNKNOWN_MEMORY = 8 << 30


def physical_memory() -> int:
    """Return the bytes of memory that are built in, used or not."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # Windows, or a system that does not say
        return UNKNOWN_MEMORY

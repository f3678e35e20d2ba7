"""What a number or a picture was made with."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

_SHOWN = ("b2b-core", "torch", "kornia", "numpy", "pillow")


def versions() -> dict[str, str]:
    """Return name and version of Python and of the packages that decide about results."""
    found = {"python": platform.python_version()}
    for name in _SHOWN:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found

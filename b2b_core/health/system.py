"""Python, the platform, and the versions of what b2b is made of; imports none of it."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import b2b_core
from b2b_core import __version__
from b2b_core.catalogue.metadata import CORE
from b2b_core.health.finding import Finding

#: Libraries that decide about results, speed and files.
_LIBRARIES = (
    "torch", "numpy", "kornia", "pillow", "safetensors", "attrs", "cattrs", "click", "pluggy",
    "rich", "structlog", "packaging", "platformdirs", "tomlkit",
)  # fmt: skip


def system() -> Iterable[Finding]:
    """Yield the interpreter, the platform, and where the core is."""
    yield Finding("system", "python", "ok", f"{platform.python_version()} ({sys.executable})")
    yield Finding("system", "platform", "ok", platform.platform())
    folder = Path(b2b_core.__file__).parent
    yield Finding("system", CORE, "ok", f"{__version__} ({folder})")
    said = _version(CORE)
    if said != __version__:
        what = f"its metadata says {said or 'nothing: it is not installed'}"
        yield Finding("system", CORE, "problem", what, f"pip install --force-reinstall {CORE}")


def libraries() -> Iterable[Finding]:
    """Yield the versions of libraries; whether they fit is told by `requirements`."""
    for name in _LIBRARIES:
        yield Finding("libraries", name, "ok", _version(name) or "not installed")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""

"""A plugin in one file of Python; loaded only where the command names it, never found."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from attrs import frozen

from b2b_core.errors import UsageError


@frozen
class LocalFile:
    """One `--plugin-file`."""

    path: Path
    sha256: str

    @property
    def distribution(self) -> str:
        """The name by which its components can be qualified: `local-STEM`."""
        stem = re.sub(r"[^a-z0-9]+", "-", self.path.stem.lower()).strip("-")
        return f"local-{stem or 'plugin'}"

    @property
    def name(self) -> str:
        """As an entry point's."""
        return "file"

    @property
    def value(self) -> str:
        """As an entry point's: what is loaded."""
        return str(self.path)

    def load(self) -> object:
        """Execute the file as a module of its own and return it."""
        import importlib.util

        module_name = "b2b_" + self.distribution.replace("-", "_")
        spec = importlib.util.spec_from_file_location(module_name, self.path)
        if spec is None or spec.loader is None:
            raise ImportError(f"{self.path.name} is no file of Python")
        module = importlib.util.module_from_spec(spec)
        # attrs and dataclasses look their own module up while a class is made
        sys.modules[module_name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[module_name]
            raise
        return module


def local_file(path: Path) -> LocalFile:
    """Return the file as a plugin; nothing is executed yet.

    Raises:
        UsageError: if there is no such file, or it is no `.py`.
    """
    import hashlib

    if path.suffix != ".py":
        raise UsageError("a plugin file has to end in .py", where=path)
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"cannot read the plugin file: {reason}", where=path) from error
    return LocalFile(path.resolve(), hashlib.sha256(content).hexdigest())

"""Change the user's `b2b.toml` and leave its comments, order and line ends as they are."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from b2b_core.atomic import replacing
from b2b_core.errors import B2bError, UsageError
from b2b_core.narrowing import is_array, is_table


class DisabledList:
    """The list `[plugins] disable` of one file, which need not exist.

    Args:
        path: of the file; a link is followed, and what it points to is written.

    Raises:
        UsageError: if it is not TOML, or the list is none of names.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._before = _text(path)
        # tomlkit's containers are dicts and lists whose types say little
        self._document = _parsed(self._before, path)
        plugins = self._document.get("plugins", {})
        names = plugins.get("disable", []) if is_table(plugins) else None
        if not is_array(names) or not all(isinstance(name, str) for name in names):
            raise UsageError('[plugins] is not like disable = ["NAME"]', where=path)

    @property
    def names(self) -> list[str]:
        """The names as the file has them."""
        return [str(name) for name in self._listed()]

    def add(self, name: str) -> None:
        """Add a name at the end."""
        import tomlkit

        plugins = self._document.setdefault("plugins", tomlkit.table())
        plugins.setdefault("disable", tomlkit.array()).append(name)

    def remove(self, names: Collection[str]) -> None:
        """Take names out, every time they are there."""
        listed = self._listed()
        for index in reversed(range(len(listed))):
            if listed[index] in names:
                del listed[index]

    def save(self) -> None:
        """Write the file, whole or not at all, unless nothing has changed.

        Raises:
            B2bError: if it cannot be written.
        """
        text: str = self._document.as_string()
        if text == self._before:
            return
        target = self.path.resolve()
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            mode = target.stat().st_mode if target.exists() else None
            with replacing(target) as temporary:
                temporary.write_bytes(text.encode())
            if mode is not None:
                target.chmod(mode)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise B2bError(f"cannot write the preferences: {reason}", where=self.path) from error

    def _listed(self) -> Any:  # noqa: ANN401 - tomlkit's array, which is changed in place
        return self._document.get("plugins", {}).get("disable", [])


def _text(path: Path) -> str:
    try:
        # not read_text, which would change the ends of lines
        return path.read_bytes().decode()
    except FileNotFoundError:
        return ""
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"cannot read the preferences: {reason}", where=path) from error
    except UnicodeDecodeError as error:
        raise UsageError("not a UTF-8 text file", where=path) from error


def _parsed(text: str, path: Path) -> Any:  # noqa: ANN401 - see its use
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        return tomlkit.parse(text)
    except TOMLKitError as error:
        raise UsageError(f"not TOML: {error}", where=path, mend="mend that line") from error

"""Plain data to attrs classes and back; nothing is guessed, nothing unknown is accepted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from b2b_core.errors import B2bError, UsageError
from b2b_core.names import suggestion

T = TypeVar("T")


def structure(cls: type[T], mapping: Mapping[str, object], where: str = "settings") -> T:
    """Return an instance of the attrs class `cls` with the settings of `mapping`.

    No value is converted to another type, except whole numbers to `float`, arrays to tuples and
    text to `Path`. `where` names the thing that is set, for the error.

    Raises:
        UsageError: naming the key, with the closest known one if it is unknown, and with its value
            and the type it should have if it has another one.
    """
    from cattrs import BaseValidationError

    from b2b_core.config.conversion import MisfitError, converter

    try:
        return converter().structure(mapping, cls)
    except BaseValidationError as error:
        raise _explained(error, mapping, where) from error
    except MisfitError as error:
        raise UsageError(f"{mapping!r} is not a table of settings", where=where) from error


def unstructure(obj: object) -> dict[str, object]:
    """Return the settings of an attrs instance as plain TOML or JSON data, paths as text."""
    from b2b_core.config.conversion import converter

    plain: dict[str, object] = converter().unstructure(obj)
    return plain


def _explained(group: BaseException, mapping: object, where: str) -> B2bError:
    """Turn the first failure inside a cattrs error into one line."""
    from cattrs import BaseValidationError, ForbiddenExtraKeysError

    from b2b_core.config.conversion import MisfitError, described

    path, value, error = "", mapping, group
    expected: type = object
    while True:
        for note in getattr(error, "__notes__", ()):
            key = getattr(note, "name", getattr(note, "index", None))
            if key is not None:
                path += f"[{key}]" if isinstance(key, int) else f".{key}" if path else str(key)
                if isinstance(value, Mapping) and key not in value:
                    return UsageError(f"'{path}' has to be set", where=where)
                value, expected = value[key], note.type  # type: ignore[index]
        if not isinstance(error, BaseValidationError):
            break
        error = error.exceptions[0]
    if isinstance(error, B2bError):
        return error
    if isinstance(error, ForbiddenExtraKeysError):
        return _unknown_key(error.cl, min(map(str, error.extra_fields)), path, where)
    if isinstance(error, MisfitError):
        return UsageError(f"'{path}' is {value!r}, not {described(expected)}", where=where)
    return UsageError(f"in '{path}': {_sentence(error)}" if path else _sentence(error), where=where)


def _unknown_key(cls: type, key: str, path: str, where: str) -> UsageError:
    from attrs import fields

    known = [a.name for a in fields(cls) if a.init]
    full = f"{path}.{key}" if path else key
    return UsageError(
        f"unknown setting '{full}'",
        where=where,
        mend=suggestion(key, known, none="it has no settings"),
    )


def _sentence(error: BaseException) -> str:
    # attrs' validators put attribute, class and value after their sentence
    return str(error.args[0]) if error.args else type(error).__name__

"""Overrides: `a.b=c` on the command line wins over files and defaults."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from b2b_core.errors import UsageError
from b2b_core.narrowing import is_table

#: The key of a table that says which part its other keys are options of.
_NAME = "name"


def apply_overrides(mapping: Mapping[str, object], overrides: Iterable[str]) -> dict[str, object]:
    """Return a new mapping in which each `a.b=c` is set; `mapping` stays as it is.

    The value is read as TOML (`3`, `0.5`, `true`, `[1, 2]`, `"text"`); what is not TOML is text,
    so that `name=unet` needs no quotes. Where `a.name` gets another value than the mapping has, the
    rest of `a` in the mapping is left out: options of one part are not those of another.

    Raises:
        UsageError: if an override has no `=`, an empty key, or a key below something that is not
            a table.
    """
    return apply_settings(mapping, [(*_parsed(override), override) for override in overrides])


def apply_settings(
    mapping: Mapping[str, object], settings: Sequence[tuple[Sequence[str], object, str]]
) -> dict[str, object]:
    """Return a new mapping in which each setting is made, as `apply_overrides` does.

    Args:
        mapping: stays as it is.
        settings: keys from the outermost table inwards, the value, and what errors call it.

    Raises:
        UsageError: if a key lies below something that is not a table.
    """
    result = _copy(mapping)
    for keys, value, said in settings:
        if keys[-1] == _NAME:
            table = _table(result, keys[:-1], said)
            if table.get(_NAME, value) != value:
                table.clear()
    for keys, value, said in settings:
        _table(result, keys[:-1], said)[keys[-1]] = value
    return result


def _parsed(override: str) -> tuple[list[str], object]:
    dotted, equals, text = override.partition("=")
    keys = [key.strip() for key in dotted.split(".")]
    if not equals or not all(keys):
        raise UsageError(f"cannot read the setting '{override}'", mend="write it as key=value")
    return keys, _value(text.strip())


def _copy(mapping: Mapping[str, object]) -> dict[str, object]:
    return {k: _copy(v) if is_table(v) else v for k, v in mapping.items()}


def _table(root: dict[str, object], keys: Sequence[str], override: str) -> dict[str, object]:
    table = root
    for key in keys:
        inner = table.setdefault(key, dict[str, object]())
        if not isinstance(inner, dict):
            raise UsageError(
                f"cannot set '{override}': '{key}' is {inner!r}, not a table",
                mend=f"set '{key}' itself, or leave the rest of the key out",
            )
        table = cast("dict[str, object]", inner)
    return table


def _value(text: str) -> object:
    try:
        parsed = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return parsed["value"] if len(parsed) == 1 else text

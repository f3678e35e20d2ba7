"""What a spec declares beside name and settings, whatever its kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from b2b_core.describe.plain import plain
from b2b_core.narrowing import is_array, is_table
from b2b_core.specs import Spec

_COMMON = {field.name for field in attrs.fields(Spec)}


def facts_of(spec: Spec[Any, Any]) -> dict[str, object]:
    """Return the fields that this kind of spec has beside those of every spec, as plain data."""
    own = attrs.asdict(spec, filter=lambda field, _: field.name not in _COMMON)
    return {name: plain(value) for name, value in own.items()}


def facts_in_words(facts: Mapping[str, object]) -> dict[str, str]:
    """Return label -> words for people; facts that say nothing are left out."""
    words = {name.replace("_", " "): _fact(name, value) for name, value in facts.items()}
    return {label: text for label, text in words.items() if text}


def _fact(name: str, value: object) -> str:
    if name == "size" and is_table(value):
        return _size(value.get("multiple_of"), value.get("minimum"))
    if name == "scales" and is_array(value):
        return _words(value) + (" (coarse to fine)" if len(value) > 1 else "")
    return _words(value)


def _size(multiple: object, least: object) -> str:
    """Say what a network takes; the core pads pictures to that and crops the result."""
    said = "any" if multiple == 1 else f"multiples of {multiple} pixels"
    return f"height and width: {said}" + (f", at least {least}" if least != 1 else "")


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if is_table(value):
        return ", ".join(_entry(str(key), inner) for key, inner in value.items())
    if is_array(value):
        return ", ".join(map(_words, value))
    return f"{value:g}" if isinstance(value, float) else "" if value is None else str(value)


def _entry(key: str, value: object) -> str:
    # a table of tables, such as presets, is listed by name; `show --json` has the rest
    return key if is_table(value) else f"{key}: {_words(value)}"

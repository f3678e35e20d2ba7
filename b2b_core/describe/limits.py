"""The range that a validator of attrs admits, in words, as far as it can be read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import cast


def limits_of(validator: object) -> str:
    """Return words such as ">= 1, <= 4"; nothing for a validator that says nothing about itself.

    attrs' validators are private classes with public attributes, so the attributes decide.
    """
    if validator is None or hasattr(validator, "exc_types"):  # not_ turns its words around
        return ""
    for attribute, words in _WORDS.items():
        if (value := getattr(validator, attribute, None)) is not None:
            return words(value)
    if (bound := getattr(validator, "bound", None)) is not None:
        return f"{getattr(validator, 'compare_op', '')} {bound}"
    return ""


def _all(validators: object) -> str:
    return ", ".join(filter(None, map(limits_of, _members(validators))))


def _any(validators: object) -> str:
    words = [limits_of(member) for member in _members(validators)]
    return " or ".join(words) if all(words) else ""


def _one_of(options: object) -> str:
    return "one of " + ", ".join(map(str, _members(options)))


def _each(validator: object) -> str:
    inner = limits_of(validator)
    return f"each {inner}" if inner else ""


def _like(pattern: object) -> str:
    return f"like {getattr(pattern, 'pattern', pattern)}"


def _members(values: object) -> Iterable[object]:
    return cast("Iterable[object]", values) if isinstance(values, Iterable) else ()


#: Attribute that only one sort of validator has -> the words for its value.
_WORDS: Mapping[str, Callable[[object], str]] = {
    "_validators": _all,  # and_, a list of validators
    "validators": _any,  # or_
    "validator": limits_of,  # optional
    "options": _one_of,  # in_
    "member_validator": _each,  # deep_iterable
    "pattern": _like,  # matches_re
    "min_length": lambda value: f"at least {value} long",
    "max_length": lambda value: f"at most {value} long",
}

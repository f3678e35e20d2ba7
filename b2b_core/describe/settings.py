"""The settings of a configuration class: name, type, default, range and comment of each."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from typing import Any, cast

import attrs

from b2b_core.config.conversion import converter, described
from b2b_core.describe.comments import comments_of
from b2b_core.describe.limits import limits_of
from b2b_core.describe.plain import plain

#: Keys of a field's attrs metadata that may hold its comment, for classes without `#:`.
_METADATA = ("doc", "help", "description")


@attrs.frozen
class Setting:
    """One setting of a component, as a person or a program reads it."""

    #: Name; dotted below a table, such as "camera.steps".
    name: str
    #: Words for the type, such as "a whole number or nothing".
    type: str
    #: Plain TOML or JSON data; None if there is none, or if the default is "nothing".
    default: object
    #: Whether it has to be set, because it has no default.
    required: bool
    #: The admitted range, such as ">= 1", as far as its validators can be read.
    range: str
    #: What the author says about it.
    comment: str


def settings_of(config: type) -> list[Setting]:
    """Return the settings of a config class in their order, those of inner classes in theirs.

    A class that is not of attrs has none.
    """
    if not attrs.has(config):
        return []
    return list(_settings(config, "", _default_instance(config)))


def _settings(config: type, prefix: str, instance: object) -> Iterator[Setting]:
    types, comments = _types(config), comments_of(config)
    for field in attrs.fields(config):
        if not field.init:
            continue
        type_ = types.get(field.name, object)
        value = _value(field, instance)
        if inner := _inner(type_, value):
            made = None if value is attrs.NOTHING else value
            yield from _settings(inner, f"{prefix}{field.name}.", made)
            continue
        comment = comments.get(field.name) or _from_metadata(field)
        yield _setting(prefix + field.name, type_, field, value, comment)


def _setting(
    name: str, type_: object, field: attrs.Attribute[Any], value: object, comment: str
) -> Setting:
    words = _words(type_)
    limits = limits_of(field.validator)
    required = value is attrs.NOTHING
    return Setting(
        name=name,
        type=words,
        default=None if required else plain(converter().unstructure(value)),
        required=required,
        # a choice of words is the type already
        range="" if limits.startswith("one of") and "'" in words else limits,
        comment=comment,
    )


def _types(config: type) -> dict[str, object]:
    try:
        return typing.get_type_hints(config)
    except Exception:  # a name of a type that only type checkers import
        return {field.name: field.type for field in attrs.fields(config)}


def _words(type_: object) -> str:
    if isinstance(type_, str):
        return type_
    # a union or a generic is no `type` to a checker, but `described` takes it
    return "anything" if type_ in (Any, object, None) else described(cast("type", type_))


def _default_instance(config: type) -> object:
    try:
        return config()
    except Exception:  # a setting without a default, against the contract; or a check that fails
        return None


def _value(field: attrs.Attribute[Any], instance: object) -> object:
    """Return the default as the finished configuration has it, or `attrs.NOTHING`."""
    if instance is not None:
        return getattr(instance, field.name)
    factory = getattr(field.default, "factory", None)
    if factory is None:
        return field.default
    return attrs.NOTHING if getattr(field.default, "takes_self", False) else factory()


def _inner(type_: object, value: object) -> type | None:
    """Return the config class of a table of settings, or None for a setting."""
    if isinstance(type_, type) and attrs.has(type_):
        return type_
    return type(value) if attrs.has(type(value)) else None


def _from_metadata(field: attrs.Attribute[Any]) -> str:
    said = (field.metadata.get(key) for key in _METADATA)
    return next((" ".join(text.split()) for text in said if isinstance(text, str)), "")

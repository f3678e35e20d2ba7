"""The cattrs converter of the project, and the words for its types."""

from __future__ import annotations

import types
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from functools import cache
from pathlib import Path, PurePath
from typing import Any, Literal, Union, cast, get_args, get_origin

import attrs
from cattrs import Converter, IterableValidationError, IterableValidationNote
from cattrs.gen import make_dict_structure_fn

from b2b_core.narrowing import is_table

_NOUNS: Mapping[object, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    Path: "a path",
    type(None): "nothing",
}
#: Type asked for -> types accepted; `bool` is an `int` to Python but not to a user.
_ACCEPTED: Mapping[type, tuple[type, ...]] = {
    bool: (bool,),
    int: (int,),
    float: (float, int),
    str: (str,),
    Path: (str, PurePath),
}
Hook = Callable[[object, type], object]


class MisfitError(Exception):
    """A value is not of the type that is asked for; cattrs notes where."""


@cache
def converter() -> Converter:
    """Return the strict converter: unknown keys and wrong types are errors."""
    made = Converter(
        forbid_extra_keys=True, unstruct_collection_overrides={tuple: list, Set: sorted}
    )
    for asked, accepted in _ACCEPTED.items():
        made.register_structure_hook(asked, _scalar(asked, accepted))
    made.register_structure_hook_func(lambda t: t is object, lambda value, _: value)
    made.register_structure_hook_factory(attrs.has, _settings)
    made.register_structure_hook_factory(_is_array, _array)
    made.register_structure_hook_factory(_is_table, _table)
    made.register_structure_hook_factory(_is_union, _union)
    made.register_structure_hook_func(_is_literal, _literal)
    made.register_unstructure_hook(PurePath, str)
    return made


def described(type_: type) -> str:
    """Return the words by which an error names a type: "a whole number or nothing"."""
    if type_ in _NOUNS:
        return _NOUNS[type_]
    args = get_args(type_)
    if _is_literal(type_):
        return " or ".join(repr(value) for value in args)
    if _is_union(type_):
        return " or ".join(described(member) for member in args)
    if _is_array(type_):
        members = [described(a) for a in args if a is not Ellipsis]
        if len(members) > 1:
            return f"a list [{', '.join(members)}]"
        return f"a list, each {members[0]}" if members else "a list"
    if _is_table(type_) or attrs.has(type_):
        return "a table"
    return f"a {getattr(type_, '__name__', type_)}"


def _is_array(type_: type) -> bool:
    return (get_origin(type_) or type_) in (tuple, list, Sequence, Iterable, set, frozenset)


def _is_table(type_: type) -> bool:
    return (get_origin(type_) or type_) in (dict, Mapping)


def _is_union(type_: type) -> bool:
    return get_origin(type_) in (Union, types.UnionType)


def _is_literal(type_: type) -> bool:
    return get_origin(type_) is Literal


def _scalar(asked: type, accepted: tuple[type, ...]) -> Hook:
    def hook(value: object, _: type) -> object:
        if not isinstance(value, accepted) or (isinstance(value, bool) and asked is not bool):
            raise MisfitError
        return asked(value)

    return hook


def _literal(value: object, type_: type) -> object:
    for known in get_args(type_):
        if known == value and type(known) is type(value):
            return known
    raise MisfitError


def _settings(cls: type[Any], made: Converter) -> Hook:
    inner: Callable[..., object] = make_dict_structure_fn(cls, made, _cattrs_forbid_extra_keys=True)

    def hook(value: object, type_: type) -> object:
        if isinstance(value, cls):
            return value
        if not is_table(value):
            raise MisfitError
        return inner(value, type_)

    return hook


def _array(type_: type, made: Converter) -> Hook:
    container = get_origin(type_) or type_
    build = cast(
        "Callable[[list[object]], object]",
        container if container in (list, set, frozenset) else tuple,
    )
    args = get_args(type_)
    fixed = container is tuple and bool(args) and args[-1] is not Ellipsis
    member = args[0] if args else object

    def hook(value: object, _: type) -> object:
        if not isinstance(value, list | tuple | Set):
            raise MisfitError
        items = cast("Collection[object]", value)
        if fixed and len(items) != len(args):
            raise MisfitError
        members = args if fixed else (member,) * len(items)
        return build(_each(zip(range(len(items)), items, members, strict=True), type_, made))

    return hook


def _table(type_: type, made: Converter) -> Hook:
    _, member = get_args(type_) or (str, object)

    def hook(value: object, _: type) -> object:
        if not is_table(value):
            raise MisfitError
        items = ((key, item, member) for key, item in value.items())
        return dict(zip(value, _each(items, type_, made), strict=True))

    return hook


def _each(
    items: Iterable[tuple[int | str, object, type[Any]]], type_: type, made: Converter
) -> list[object]:
    result: list[object] = []
    for key, item, member in items:
        try:
            result.append(made.structure(item, member))
        except Exception as error:
            error.add_note(IterableValidationNote(f"at {key}", key, member))
            # pyright takes the constructor of the base class for that of cattrs
            raise IterableValidationError("", [error], type_) from error  # pyright: ignore[reportCallIssue]
    return result


def _union(type_: type, made: Converter) -> Hook:
    members = get_args(type_)
    tables = [m for m in members if attrs.has(m)]

    def hook(value: object, _: type) -> object:
        if value is None and type(None) in members:
            return None
        if is_table(value) and len(tables) == 1:
            return made.structure(value, tables[0])
        for member in members:
            try:
                return made.structure(value, member)
            except Exception:
                continue
        raise MisfitError

    return hook

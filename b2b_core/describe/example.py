"""A section of a configuration file that chooses a component and spells its defaults out."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import Any

import attrs
import tomlkit

from b2b_core.adaptation.settings import SECTIONS, DomainSettings
from b2b_core.describe.settings import Setting, settings_of
from b2b_core.narrowing import is_array, is_table
from b2b_core.specs import Spec, StrategySpec

_SECTION_OF_KIND = {"domain": "domain", **{kind: section for section, kind in SECTIONS.items()}}
_WIDTH = 88


def example_of(spec: Spec[Any, Any], said: str) -> str:
    """Return TOML for `b2b adapt --config FILE`; nothing for kinds that it does not choose.

    Settings that have no default, or none but "nothing", are comments.

    Args:
        spec: of the component.
        said: its name as the section has to say it, qualified where the bare one is contested.
    """
    section = _SECTION_OF_KIND.get(spec.kind)
    if section is None:
        return ""
    settings = _of_domain(spec) if spec.kind == "domain" else settings_of(spec.config)
    settings = [one for one in settings if one.name != "name"]
    lines = [f"[{section}]", f"name = {toml_value(said)}"]
    if isinstance(spec, StrategySpec) and spec.presets:
        lines.append(
            f"# preset is not set: {', '.join(spec.presets)}; what is set here wins over it"
        )
    return "\n".join([*lines, *_tables(section, settings)]) + "\n"


def toml_value(value: object) -> str:
    """Return plain data as TOML in one line."""
    if is_table(value):
        entries = (f"{tomlkit.key(k).as_string()} = {toml_value(v)}" for k, v in value.items())
        inner = ", ".join(entries)
        return f"{{ {inner} }}" if inner else "{}"
    if is_array(value):
        return f"[{', '.join(map(toml_value, value))}]"
    return tomlkit.item(value).as_string()


def _of_domain(spec: Spec[Any, Any]) -> list[Setting]:
    """Return the settings of the section [domain], those of the domain itself under `options`."""
    own = [one for one in settings_of(DomainSettings) if one.name != "options"]
    options = [attrs.evolve(o, name=f"options.{o.name}") for o in settings_of(spec.config)]
    return [*own, *options]


def _tables(section: str, settings: Iterable[Setting]) -> Iterable[str]:
    # a key behind the head of an inner table would belong to that table: the section's own first
    tables: dict[str, list[Setting]] = {"": []}
    for setting in settings:
        tables.setdefault(setting.name.rpartition(".")[0], []).append(setting)
    for table, members in tables.items():
        if table:
            yield from ("", f"[{section}.{table}]")
        for setting in members:
            yield from _lines(setting)


def _lines(setting: Setting) -> Iterable[str]:
    yield from (f"# {line}" for line in textwrap.wrap(setting.comment, _WIDTH))
    name = tomlkit.key(setting.name.rpartition(".")[2]).as_string()
    if setting.required or setting.default is None:
        yield f"# {name} is not set: {setting.type}{_range(setting)}"
    else:
        yield f"{name} = {toml_value(setting.default)}{_range(setting, '  # ')}"


def _range(setting: Setting, before: str = ", ") -> str:
    return before + setting.range if setting.range else ""

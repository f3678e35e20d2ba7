"""The index of known components, weights and defaults: `registry.toml`, data only.

It is no gate: a plugin that it does not list works and is shown as "unlisted". What it knows and
is not installed can be named in an error, with the line that installs it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

from attrs import Attribute, field, frozen

from b2b_core.config import read_toml, structure
from b2b_core.registry_file import registry_path
from b2b_core.specs import HOOK_OF_KIND

_SHA256 = re.compile(r"[0-9a-f]{64}")
_SHA256_PREFIX = re.compile(r"[0-9a-f]{8,64}")
_WEIGHTS = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\.[a-z0-9]+(-[a-z0-9]+)*")


def _is_kind(_: object, attribute: Attribute[str], value: str) -> None:
    if value not in HOOK_OF_KIND:
        raise ValueError(f"'{attribute.name}' is '{value}', which is no kind of component")


def _matches(pattern: re.Pattern[str], like: str) -> Any:  # noqa: ANN401 - as attrs types it
    def validate(_: object, attribute: Attribute[str | None], value: str | None) -> None:
        if value is not None and not pattern.fullmatch(value):
            raise ValueError(f"'{attribute.name}' is '{value}', not like {like}")

    return validate


@frozen(kw_only=True)
class ComponentRow:
    """A known component and the distribution that offers it."""

    kind: str = field(validator=_is_kind)
    name: str
    distribution: str
    licence: str
    summary: str
    #: Former names, still understood.
    aliases: tuple[str, ...] = ()


@frozen(kw_only=True)
class WeightsRow:
    """Published weights: shipped by a plugin, or fetched from the first url that works."""

    #: `component.tag`, such as "unet.gopro".
    name: str = field(validator=_matches(_WEIGHTS, "component.tag"))
    component: str
    kind: str = field(validator=_is_kind)
    licence: str
    summary: str
    distribution: str | None = None
    urls: tuple[str, ...] = ()
    sha256: str | None = field(default=None, validator=_matches(_SHA256, "64 hex digits"))
    #: For files whose publisher tells the beginning of the hash only.
    sha256_prefix: str | None = field(
        default=None, validator=_matches(_SHA256_PREFIX, "8 to 64 hex digits")
    )
    #: Length of the file.
    bytes: int | None = None
    format: Literal["safetensors", "torch"] = "safetensors"
    trained_on: str = "unknown"

    def __attrs_post_init__(self) -> None:
        if not self.distribution and not self.urls:
            raise ValueError(f"weights '{self.name}' have neither 'distribution' nor 'urls'")
        if self.urls and not (self.sha256 or self.sha256_prefix):
            raise ValueError(f"weights '{self.name}' have 'urls' but no 'sha256'")
        if not all(url.startswith(("https://", "http://")) for url in self.urls):
            raise ValueError(f"weights '{self.name}' have a url that is not https")

    def admits(self, sha256: str) -> bool:
        """Tell whether a file with this hash is the published one, as far as is known."""
        return sha256.startswith(self.sha256 or self.sha256_prefix or "")


@frozen(kw_only=True)
class Registry:
    """The content of `registry.toml`."""

    schema: Literal[1]
    #: Kind of component -> name of the one that is used if nothing is said.
    defaults: Mapping[str, str] = field(factory=dict)
    component: tuple[ComponentRow, ...] = ()
    weights: tuple[WeightsRow, ...] = ()

    def __attrs_post_init__(self) -> None:
        for kind in self.defaults:
            if kind not in HOOK_OF_KIND:
                raise ValueError(f"'defaults.{kind}' names no kind of component")
        _refuse_twice([f"{row.kind} '{row.name}'" for row in self.component])
        _refuse_twice([f"weights '{row.name}'" for row in self.weights])

    def weights_named(self, name: str) -> WeightsRow | None:
        """Return the published weights of that name, or None."""
        return next((row for row in self.weights if row.name == name), None)

    def component_named(self, kind: str, name: str) -> ComponentRow | None:
        """Return the known component of that name or former name, or None."""
        rows = [row for row in self.component if row.kind == kind]
        named = [row for row in rows if row.name == name]
        return next(iter(named + [row for row in rows if name in row.aliases]), None)


def _refuse_twice(names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{name} is listed twice")


@cache
def load_registry() -> Registry:
    """Return the index.

    Raises:
        UsageError: if the file is damaged; names the entry.
    """
    path = registry_path()
    return structure(Registry, read_toml(path), where=str(path))

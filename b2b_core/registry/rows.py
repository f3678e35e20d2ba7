"""The rows of the index: known components, domains and weights, each checked by itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import copy
from typing import Any, Literal, TypeVar

from attrs import Attribute, field, frozen

from b2b_core.registry.licences import NO_LICENCE, is_free
from b2b_core.specs import HOOK_OF_KIND
from b2b_core.urls import is_safe

#: The file of a row that nobody added: `registry.toml` of the core.
CORE = "b2b-core"

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


def _is_page(_: object, attribute: Attribute[str | None], value: str | None) -> None:
    if value is not None and not is_safe(value):
        raise ValueError(f"'{attribute.name}' is '{value}', not an https address")


def _is_range(_: object, attribute: Attribute[str], value: str) -> None:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        SpecifierSet(value)
    except InvalidSpecifier:
        raise ValueError(f"'{attribute.name}' is '{value}', not like >=1.0,<2") from None


def _is_line(_: object, attribute: Attribute[str], value: str) -> None:
    """Refuse what could steer a terminal that shows it."""
    if not value.strip() or not value.isprintable():
        raise ValueError(f"'{attribute.name}' is {value!r}, not one line of text")


@frozen(kw_only=True)
class Row:
    """What every row has."""

    name: str = field(validator=_is_line)
    #: The file that says so: "b2b-core", "user PATH" or "project PATH".
    source_file: str = field(default=CORE, init=False, eq=False)


RowT = TypeVar("RowT", bound=Row)


def said_by(row: RowT, source_file: str) -> RowT:
    """Return the row, marked with the file that it was read from."""
    # the mark is no setting: no file can forge it, so attrs must not take it as an argument
    marked = copy(row)
    object.__setattr__(marked, "source_file", source_file)
    return marked


@frozen(kw_only=True)
class ComponentRow(Row):
    """A known component and the distribution that offers it."""

    kind: str = field(validator=_is_kind)
    distribution: str = field(validator=_is_line)
    #: SPDX expression of the component's code.
    licence: str = field(validator=_is_line)
    summary: str = field(validator=_is_line)
    #: Versions of the distribution that offer it, such as ">=0.2"; empty for all.
    requires: str = field(default="", validator=_is_range)
    #: Page of the plugin.
    source: str | None = field(default=None, validator=_is_page)
    #: Other names that are understood, silently.
    aliases: tuple[str, ...] = ()
    #: The name that replaces this one; such a row is hidden, and its name is understood with a
    #: warning until `removed_in`.
    renamed_to: str | None = None
    #: Version of the core that no longer understands the name.
    removed_in: str | None = None

    def __attrs_post_init__(self) -> None:
        if (self.renamed_to is None) != (self.removed_in is None):
            raise ValueError(f"{self.title} needs both 'renamed_to' and 'removed_in', or neither")

    @property
    def title(self) -> str:
        """How messages name it: "loss 'charbonnier'"."""
        return f"{self.kind} '{self.name}'"

    @property
    def requirement(self) -> str:
        """What to install: the distribution, with its range if there is one."""
        return f"{self.distribution}{self.requires}"


@frozen(kw_only=True)
class DomainRow(ComponentRow):
    """A known blur: a component whose data somebody has to get."""

    kind: str = field(default="domain", init=False)
    #: SPDX expression of the pictures.
    data_licence: str = field(default="unknown", validator=_is_line)
    citation: str = ""
    #: Page of the data; None if they ship with the plugin.
    url: str | None = field(default=None, validator=_is_page)
    #: Published number of pairs by split.
    counts: Mapping[str, int] = field(factory=dict[str, int])
    #: Weights of the deblurrer and of the kernel extractor that it takes if nothing is said.
    deblurrer: str | None = None
    extractor: str | None = None


@frozen(kw_only=True)
class Figures:
    """Published numbers of one measurement."""

    #: Data, split, colour, rounding, kind of SSIM, test-time options.
    protocol: str = field(validator=_is_line)
    figures: Mapping[str, float]


@frozen(kw_only=True)
class WeightsRow(Row):
    """Published weights: shipped by a plugin, fetched from a url, or got by hand."""

    #: `component.tag`, such as "unet.gopro".
    name: str = field(validator=_matches(_WEIGHTS, "component.tag"))
    component: str = field(validator=_is_line)
    kind: str = field(validator=_is_kind)
    #: SPDX expression, "none stated" or "unknown".
    licence: str = field(validator=_is_line)
    summary: str = field(validator=_is_line)
    #: The plugin that ships them.
    distribution: str | None = None
    #: Direct addresses of the file; the first that works is taken.
    urls: tuple[str, ...] = ()
    #: Page on which a person finds them, their licence and their authors.
    source: str | None = field(default=None, validator=_is_page)
    sha256: str | None = field(default=None, validator=_matches(_SHA256, "64 hex digits"))
    #: For files whose publisher tells the beginning of the hash only.
    sha256_prefix: str | None = field(
        default=None, validator=_matches(_SHA256_PREFIX, "8 to 64 hex digits")
    )
    #: Length of the file.
    bytes: int | None = None
    format: Literal["safetensors", "torch"] = "safetensors"
    trained_on: str = field(default="unknown", validator=_is_line)
    #: Published numbers.
    metrics: tuple[Figures, ...] = ()

    def __attrs_post_init__(self) -> None:
        if not (self.distribution or self.urls or self.source):
            raise ValueError(f"{self.title} have no 'distribution', 'urls' or 'source'")
        if not self.name.startswith(f"{self.component}."):
            raise ValueError(f"{self.title} are not named after the component '{self.component}'")
        if unsafe := [url for url in self.urls if not is_safe(url)]:
            raise ValueError(f"{self.title} have a url that is not https: {unsafe[0]}")

    @property
    def title(self) -> str:
        """How messages name them: "weights 'unet.gopro'"."""
        return f"weights '{self.name}'"

    @property
    def by_hand(self) -> bool:
        """Whether a person has to get the file: no plugin ships it, no direct address is known."""
        return not self.distribution and not self.urls

    @property
    def unverified(self) -> bool:
        """Whether no whole hash is published, so that the first file that arrives is pinned."""
        return self.sha256 is None and not self.distribution

    @property
    def free_for_commercial_use(self) -> bool:
        """Whether the licence is known to allow commercial use."""
        return is_free(self.licence)

    @property
    def accepted_as(self) -> str:
        """The name by which to accept the terms: the licence's, or their own if there is none."""
        return self.name if self.licence.casefold() in NO_LICENCE else self.licence

    def admits(self, sha256: str) -> bool:
        """Tell whether a file with this hash is the published one, as far as is known."""
        return sha256.startswith(self.sha256 or self.sha256_prefix or "")

"""What the author of a new plugin says, checked at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from attrs import frozen

from b2b_core import __version__
from b2b_core.errors import UsageError
from b2b_core.names import PREFIX, suggestion
from b2b_core.specs import HOOK_OF_KIND

#: Licence that is proposed; the project's own.
DEFAULT_LICENCE = "Apache-2.0"
#: Longest name; with it the generated code keeps its lines below 100 characters.
LONGEST = 40
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_ADDRESS = re.compile(r"(?P<name>[^<>]*?)\s*<(?P<email>[^<>\s]+@[^<>\s]+)>")


@frozen(kw_only=True)
class Answers:
    """Everything that decides what is generated; made of checked values."""

    #: Kinds of component, in the order of listings.
    kinds: tuple[str, ...]
    #: Name of the components, and the end of the distribution's.
    name: str
    #: SPDX expression.
    licence: str
    #: "NAME" or "NAME <EMAIL>".
    author: str

    @property
    def distribution(self) -> str:
        """Name that pip installs."""
        return PREFIX + self.name

    @property
    def package(self) -> str:
        """Name that Python imports."""
        return self.distribution.replace("-", "_")

    @property
    def author_name(self) -> str:
        """The author without an address."""
        address = _ADDRESS.fullmatch(self.author)
        return address["name"] if address else self.author

    @property
    def author_email(self) -> str:
        """The author's address, empty where none was given."""
        address = _ADDRESS.fullmatch(self.author)
        return address["email"] if address else ""


def default_author(name: str) -> str:
    """Return the author that is proposed for the plugin `name`."""
    return f"The {PREFIX}{name} authors"


def checked_kinds(said: Iterable[str]) -> tuple[str, ...]:
    """Return the kinds, each once, in the order of listings.

    Raises:
        UsageError: for none, or an unknown one.
    """
    chosen = [kind.strip() for kind in said]
    for kind in chosen:
        if kind not in HOOK_OF_KIND:
            raise UsageError(f"there is no kind '{kind}'", mend=suggestion(kind, HOOK_OF_KIND))
    if not chosen:
        raise UsageError("no kind of component is named", mend=", ".join(HOOK_OF_KIND))
    return tuple(kind for kind in HOOK_OF_KIND if kind in chosen)


def checked_name(said: str, kinds: Sequence[str]) -> str:
    """Return the name of the plugin's components.

    Raises:
        UsageError: if it is not made of lower-case words joined by hyphens, is longer than
            `LONGEST`, or is taken: by a distribution of the index, or by a component of `kinds`.
    """
    name = said.strip()
    if name.startswith(PREFIX):
        mend = f"the prefix is added for you: --name {name.removeprefix(PREFIX) or 'NAME'}"
        raise UsageError(f"'{name}' is the name of a distribution", mend=mend)
    if not _NAME.fullmatch(name):
        better = "-".join(re.findall(r"[a-z0-9]+", name.lower()))
        mend = f"did you mean '{better}'?" if better else "use lower-case words-with-hyphens"
        raise UsageError(f"'{name}' is no name for a component", mend=mend)
    if len(name) > LONGEST:
        raise UsageError(f"'{name}' is longer than {LONGEST} characters", mend="shorten it")
    _refuse_known(name, kinds)
    return name


def checked_licence(said: str) -> str:
    """Return the SPDX expression in its normal spelling.

    Raises:
        UsageError: if it is none.
    """
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    try:
        return str(canonicalize_license_expression(said.strip()))
    except InvalidLicenseExpression as error:
        raise UsageError(
            f"'{said}' is no SPDX licence expression",
            mend="use one such as Apache-2.0, MIT, BSD-3-Clause or GPL-3.0-or-later; "
            "LicenseRef-NAME for one that SPDX does not list",
        ) from error


def checked_author(said: str) -> str:
    """Return the author, "NAME" or "NAME <EMAIL>".

    Raises:
        UsageError: if it is empty, longer than a line, or has a broken address.
    """
    author = " ".join(said.split())
    if not author or not author.isprintable():
        raise UsageError(f"{said!r} is no author", mend="say who holds the copyright")
    address = _ADDRESS.fullmatch(author)
    if ("<" in author or ">" in author) and not (address and address["name"]):
        raise UsageError(f"'{author}' is no author", mend="write NAME or NAME <EMAIL>")
    return author


def core_range(version: str = __version__) -> str:
    """Return the range of the core that a plugin made now supports, such as ">=0.1,<0.2".

    Before 1.0 the second number counts as the first does later.
    """
    from packaging.version import Version

    major, minor = Version(version).release[:2]
    above = f"0.{minor + 1}" if major == 0 else str(major + 1)
    return f">={major}.{minor},<{above}"


def _refuse_known(name: str, kinds: Sequence[str]) -> None:
    """Refuse what the index gives to somebody: users could not say which of the two they mean."""
    from b2b_core.registry import load_registry
    from b2b_core.registry_file import listed_distributions

    if PREFIX + name in listed_distributions():
        raise UsageError(f"the index knows a {PREFIX}{name}", mend="choose another name")
    for kind in kinds:
        row = load_registry().component_named(kind, name)
        if row is not None:
            raise UsageError(
                f"the index gives the {kind} '{name}' to {row.distribution}",
                mend="choose another name",
            )

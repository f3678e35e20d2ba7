"""One installed plugin, as a listing shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from attrs import field, frozen

#: ok: works; unlisted: works, but the index does not know it; local: a file that the command named;
#: conflict: works, but another plugin claims one of its names; name-mismatch: works, but claims a
#: name that the index gives to another distribution; disabled: switched off, never imported;
#: incompatible: made for another version of the core, never imported; broken: failed on import or
#: in a hook.
State = Literal[
    "ok", "unlisted", "local", "conflict", "name-mismatch", "disabled", "incompatible", "broken"
]
WORKING: tuple[State, ...] = ("ok", "unlisted", "local", "conflict", "name-mismatch")


@frozen(kw_only=True)
class Plugin:
    """A distribution with an entry point in the group `b2b`, or a local file."""

    #: Normalised name, such as `b2b-plugin-unet`; `local-STEM` for a file.
    distribution: str
    version: str
    state: State
    #: Why the state is not "ok", in one line.
    cause: str = ""
    #: What to do about it, in one line.
    mend: str = ""
    #: One line about the distribution.
    summary: str = ""
    licence: str = "unknown"
    #: Where it was installed from: "index", "editable", "vcs", "local", "url" or "file".
    origin: str = "index"
    #: Url, folder or file that it came from; empty for an index.
    url: str = ""
    #: The line of a requirements file that gives the same plugin again; empty for a local file.
    requirement: str = ""
    #: The range of the core that it states, such as ">=0.1,<0.2".
    core_range: str = ""
    #: Of a local file; installed plugins have none.
    sha256: str = ""
    #: Kind of component -> names, sorted; empty unless the plugin works.
    components: Mapping[str, tuple[str, ...]] = field(factory=dict[str, tuple[str, ...]])

    @property
    def works(self) -> bool:
        """Whether its components can be used."""
        return self.state in WORKING

"""One installed plugin, as a listing shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from attrs import field, frozen

#: ok: works; unlisted: works, but the index does not know it; conflict: works, but another plugin
#: claims one of its names; disabled: switched off, never imported; incompatible: made for another
#: version of the core, never imported; broken: failed on import or in a hook.
State = Literal["ok", "unlisted", "conflict", "disabled", "incompatible", "broken"]


@frozen(kw_only=True)
class Plugin:
    """A distribution with an entry point in the group `b2b`."""

    #: Normalised name, such as `b2b-plugin-unet`.
    distribution: str
    version: str
    state: State
    #: Why the state is not "ok", in one line.
    cause: str = ""
    #: What to do about it, in one line.
    mend: str = ""
    licence: str = "unknown"
    #: Where it was installed from: "index", "editable", "vcs", "local" or "url".
    origin: str = "index"
    #: Kind of component -> names, sorted; empty unless the plugin works.
    components: Mapping[str, tuple[str, ...]] = field(factory=dict)

    @property
    def works(self) -> bool:
        """Whether its components can be used."""
        return self.state in ("ok", "unlisted", "conflict")

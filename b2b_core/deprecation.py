"""How a part of the plugin interface is given up: announced first, refused later, gone at last.

`docs/plugins/compatibility.md` has the policy. Hooks are announced where they are declared
(`b2b_core.hookspecs`), and pluggy warns when a plugin that implements them is loaded:

    @hookspec(warn_on_impl=deprecated_hook("b2b_old", since="0.2", mend="implement 'b2b_new'"))
    @hookspec(warn_on_impl_args=deprecated_arguments("b2b_some", since="0.2", old="read 'new'"))
"""

from __future__ import annotations

import warnings
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

#: The major version that refuses what `B2bRemovedIn1Warning` announces; x.1 no longer has it.
REFUSED_IN: Final = 1


class B2bRemovedIn1Warning(FutureWarning):
    """What a plugin uses is refused by b2b 1.0 and gone in 1.1.

    A `FutureWarning`, because Python shows these wherever they come from. It hides a
    `DeprecationWarning` from any module but `__main__`, that is, from every plugin.
    """


def deprecated_hook(hook: str, *, since: str, mend: str) -> B2bRemovedIn1Warning:
    """Return the announcement that a hook goes, for `warn_on_impl`.

    Args:
        hook: its name.
        since: the first version that warns.
        mend: what the plugin's author has to do, such as "implement 'b2b_new' instead".
    """
    return _announced(f"hook '{hook}'", since, mend)


def deprecated_arguments(hook: str, *, since: str, **mends: str) -> dict[str, Warning]:
    """Return the announcement that arguments of a hook go, for `warn_on_impl_args`.

    Args:
        hook: its name.
        since: the first version that warns.
        mends: argument -> what the plugin's author has to do.
    """
    return {
        name: _announced(f"argument '{name}' of the hook '{hook}'", since, mend)
        for name, mend in mends.items()
    }


@contextmanager
def naming(distribution: str) -> Generator[None]:
    """Let announcements that are made inside begin with the name of the plugin they are about.

    From the version that refuses what is announced, an announcement is an error, unless a filter
    of the user's (`PYTHONWARNINGS=default::FutureWarning`) asks to be warned only.

    Raises:
        B2bRemovedIn1Warning: where announcements are errors.
    """
    with warnings.catch_warnings(record=True) as shown:
        if _refused():
            # behind the filters that are there, so that the user's come first
            warnings.simplefilter("error", B2bRemovedIn1Warning, append=True)
        yield
    for one in shown:
        said = one.message
        if isinstance(said, B2bRemovedIn1Warning):
            said = B2bRemovedIn1Warning(f"{distribution}: {said}")
        warnings.warn_explicit(said, one.category, one.filename, one.lineno)


def _announced(what: str, since: str, mend: str) -> B2bRemovedIn1Warning:
    return B2bRemovedIn1Warning(
        f"the {what} is deprecated since b2b {since} and refused by b2b {REFUSED_IN}.0; {mend}"
    )


def _refused() -> bool:
    from b2b_core import __version__  # while this module is imported it may not be there yet

    return int(__version__.partition(".")[0]) >= REFUSED_IN

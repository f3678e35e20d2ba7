"""The environment variables that b2b reads."""

from __future__ import annotations

import os
from collections.abc import Iterable

from b2b_core.catalogue.switches import ONLY, STRICT, TIME_LIMIT, switches_of_environment
from b2b_core.cli import DEBUG
from b2b_core.download import ENVIRONMENT as DOWNLOAD
from b2b_core.errors import UsageError
from b2b_core.health.finding import Finding
from b2b_core.names import closest
from b2b_core.preferences import ENVIRONMENT as CONFIG
from b2b_core.weights.acceptance import ENVIRONMENT as ACCEPT
from b2b_core.weights.cache import ENVIRONMENT as CACHE
from b2b_core.weights.resolve import OFFLINE

PREFIX = "B2B_"
#: Variable -> what it does.
VARIABLES = {
    ONLY: "the only plugins to load",
    STRICT: "errors of plugins are raised",
    TIME_LIMIT: "seconds that a plugin may take",
    CONFIG: "folder of the preferences",
    CACHE: "folder of the cache",
    ACCEPT: "licences that are accepted",
    OFFLINE: "nothing is fetched",
    DOWNLOAD: "seconds without news after which a download is given up",
    DEBUG: "tracebacks are shown",
}


def environment() -> Iterable[Finding]:
    """Yield the variables in force, and those that look as if they were meant to be."""
    for name in sorted(name for name in os.environ if name.startswith(PREFIX)):
        value = os.environ[name]
        if name in VARIABLES:
            yield Finding("environment", name, "note", f"'{value}': {VARIABLES[name]}")
        else:
            # another program may own the name, so this is no problem
            best = closest(name, VARIABLES)
            meant = f"; did you mean {best}?" if best else ""
            yield Finding("environment", name, "note", f"'{value}': b2b does not read it{meant}")
    try:
        switches_of_environment()
    except UsageError as error:
        yield Finding("environment", error.where or "", "problem", error.what, "change or unset it")

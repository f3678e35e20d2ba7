"""What a licence allows: which ones are free for commercial use, and what the others mean.

No legal advice: a short list of licences that are free beyond doubt. All else has to be accepted by
name, even where a lawyer would find it harmless.
"""

from __future__ import annotations

import re

#: SPDX identifiers of licences that allow commercial use of the file itself.
FREE = frozenset(
    {
        "0bsd",
        "apache-2.0",
        "bsd-2-clause",
        "bsd-3-clause",
        "bsl-1.0",
        "cc-by-3.0",
        "cc-by-4.0",
        "cc-by-sa-3.0",
        "cc-by-sa-4.0",
        "cc0-1.0",
        "isc",
        "mit",
        "mpl-2.0",
        "unlicense",
        "zlib",
    }
)
#: What stands in the place of a licence where there is none -> what that means.
NO_LICENCE = {
    "none stated": "its author states no licence, so all rights are reserved",
    "unknown": "nobody knows its licence",
}


def is_free(licence: str) -> bool:
    """Tell whether an SPDX expression is known to allow commercial use.

    "A AND B" needs both, "A OR B" one of them; with brackets or exceptions it is not known.
    """
    alternatives = re.split(r"\s+or\s+", licence.strip().casefold())
    return any(
        all(part in FREE for part in re.split(r"\s+and\s+", alternative))
        for alternative in alternatives
    )


def meaning(licence: str) -> str:
    """Return in a few words why a licence that is not free has to be accepted."""
    said = licence.strip().casefold()
    if said in NO_LICENCE:
        return NO_LICENCE[said]
    if re.search(r"\bnc\b|noncommercial|non-commercial|academic", said):
        return "it forbids commercial use"
    if re.search(r"\ba?gpl\b", said):
        return "what you pass on together with it has to come under the same licence"
    return "b2b does not know it to allow commercial use"

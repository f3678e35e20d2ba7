"""Which urls files may be fetched from."""

from __future__ import annotations

from urllib.parse import urlsplit

#: Names of this machine; nobody stands between it and itself.
LOCAL = ("localhost", "127.0.0.1", "::1")


def is_safe(url: str) -> bool:
    """Tell whether nobody on the way can change the answer: https, or http to this machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if not parts.hostname or not url.isprintable() or " " in url:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOCAL)

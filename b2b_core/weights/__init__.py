"""Published weights by name: shipped by a plugin, cached, or fetched; always checked."""

from b2b_core.hashing import sha256_of
from b2b_core.weights.acceptance import Acceptance, accepted
from b2b_core.weights.cache import cache_folder
from b2b_core.weights.resolve import resolve_weights

__all__ = ["Acceptance", "accepted", "cache_folder", "resolve_weights", "sha256_of"]

"""b2b: deblur pictures of a camera nobody has training pairs for.

This package is the small core: hooks, catalogue, contracts, data, training, inference and the
command line. It imports no plugin, and importing it imports neither torch nor numpy.
"""

from b2b_core.hookspecs import hookimpl

#: Version of the plugin interface; a plugin states its range as `Requires-Dist: b2b-core`.
API = 1

__version__ = "0.1.0"

__all__ = ["API", "__version__", "hookimpl"]

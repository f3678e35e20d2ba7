"""The index of known components, weights and defaults: `registry.toml`, data only.

It is no gate: a plugin that it does not list works and is shown as "unlisted". What it knows and
is not installed can be named in an error, with the line that installs it.
"""

from b2b_core.registry.index import Registry
from b2b_core.registry.layers import load_registry
from b2b_core.registry.rows import ComponentRow, DomainRow, Figures, WeightsRow

__all__ = ["ComponentRow", "DomainRow", "Figures", "Registry", "WeightsRow", "load_registry"]

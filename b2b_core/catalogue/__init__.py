"""The catalogue: which plugins are installed, in what state, and what they offer."""

from b2b_core.catalogue.catalogue import Catalogue
from b2b_core.catalogue.discovery import discover
from b2b_core.catalogue.plugin import Plugin, State
from b2b_core.catalogue.switches import Switches

__all__ = ["Catalogue", "Plugin", "State", "Switches", "discover"]

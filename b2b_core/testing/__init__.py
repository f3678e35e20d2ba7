"""The conformance kit: what a plugin has to do, checked, and how to mend what it does not do.

On the command line: `b2b check-plugin NAME`. In a plugin's own tests:

    from b2b_core.testing import PluginConformance

    class TestPlugin(PluginConformance):
        distribution = "b2b-plugin-tiny"

Levels: 0 static (metadata, light import, specs), 1 build, 2 behaviour, 3 published weights. What a
component cannot pass it declares in `Spec.expected_failures`, with a reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from b2b_core.testing.cases import isolated_catalogue
from b2b_core.testing.report import check_plugin
from b2b_core.testing.results import PluginReport, Result
from b2b_core.testing.run import KIT, LEVELS

if TYPE_CHECKING:
    from b2b_core.testing.conformance import PluginConformance

__all__ = [
    "KIT",
    "LEVELS",
    "PluginConformance",
    "PluginReport",
    "Result",
    "check_plugin",
    "isolated_catalogue",
]


def __getattr__(name: str) -> object:
    """Import what needs pytest only where it is asked for."""
    if name != "PluginConformance":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from b2b_core.testing.conformance import PluginConformance
    except ModuleNotFoundError as error:
        if error.name != "pytest":
            raise
        message = "PluginConformance needs pytest: pip install pytest; b2b check-plugin does not"
        raise ImportError(message) from error

    return PluginConformance

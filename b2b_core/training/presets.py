"""Presets: named sets of a strategy's options, under what is said explicitly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from b2b_core.errors import UsageError
from b2b_core.names import suggestion
from b2b_core.specs import StrategySpec

#: The option that names a preset.
PRESET = "preset"


def with_preset(spec: StrategySpec[Any], options: Mapping[str, object]) -> dict[str, object]:
    """Return options without their entry `preset`, laid over those of the preset that it names.

    Tables are laid over one another entry by entry, so that `penalty.weight` can be set alone.

    Raises:
        UsageError: if the strategy has no such preset; names the closest one.
    """
    explicit = dict(options)
    name = explicit.pop(PRESET, None)
    if name is None:
        return explicit
    if name not in spec.presets:
        raise UsageError(
            f"the strategy '{spec.name}' has no preset {name!r}",
            mend=suggestion(str(name), spec.presets, none="it has no presets"),
        )
    return _laid_over(spec.presets[str(name)], explicit)


def _laid_over(below: Mapping[str, object], above: Mapping[str, object]) -> dict[str, object]:
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        both = isinstance(value, Mapping) and isinstance(under, Mapping)
        merged[key] = _laid_over(under, value) if both else value  # type: ignore[arg-type]
    return merged

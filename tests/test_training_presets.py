"""Presets: named options below explicit ones."""

import pytest
from attrs import frozen

from b2b_core.errors import UsageError
from b2b_core.specs import StrategySpec
from b2b_core.training.presets import with_preset


@frozen
class Options:
    """Nothing."""


SPEC = StrategySpec(
    name="toy",
    config=Options,
    factory=lambda config: config,  # type: ignore[arg-type, return-value]
    summary="",
    presets={"slow": {"steps": 9, "loss": {"weight": 1, "kind": "a"}}},
)


def test_without_preset_options_are_as_said() -> None:
    """Nothing is added where no preset is named."""
    assert with_preset(SPEC, {"steps": 1}) == {"steps": 1}


def test_tables_are_merged_entry_by_entry() -> None:
    """An explicit entry of a table replaces that entry alone; the preset itself is unchanged."""
    merged = with_preset(SPEC, {"preset": "slow", "loss": {"weight": 5}, "new": 2})
    assert merged == {"steps": 9, "loss": {"weight": 5, "kind": "a"}, "new": 2}
    assert SPEC.presets["slow"]["loss"] == {"weight": 1, "kind": "a"}


def test_unknown_preset_names_the_closest() -> None:
    """A misspelt preset is wrong use."""
    with pytest.raises(UsageError, match="did you mean 'slow'"):
        with_preset(SPEC, {"preset": "slw"})

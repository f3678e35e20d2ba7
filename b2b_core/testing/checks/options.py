"""Level 1: options as plain data and back."""

from __future__ import annotations

import json
from collections.abc import Mapping

from b2b_core.config import structure, unstructure
from b2b_core.errors import B2bError, UsageError
from b2b_core.testing.cases import ComponentCase
from b2b_core.testing.check import Check, component_check, fail
from b2b_core.testing.checks.specs import default_config

#: An option that no component has.
UNKNOWN = "no_such_option_anywhere"


@component_check(
    1, "use numbers, text, paths, tuples, mappings and attrs classes of them, fully annotated"
)
def config_round_trip(case: ComponentCase) -> None:
    """Check that options become plain data, and plain data become the same options."""
    config = default_config(case)
    where = type(config).__qualname__
    plain = unstructure(config)
    if not is_plain(plain):
        fail(f"the options are no plain data: {plain}", where=where)
    try:
        back = structure(case.spec.config, json.loads(json.dumps(plain)))
    except B2bError as error:
        fail(f"what it was turned into is not taken back: {error.what}", where=where)
    if back != config:
        changed = [name for name, value in unstructure(back).items() if value != plain.get(name)]
        fail(f"options changed on the way: {', '.join(changed) or 'equal by no =='}", where=where)


@component_check(1, "use an attrs class, and no catch-all for options that it does not know")
def unknown_option_refused(case: ComponentCase) -> None:
    """Check that an option that the component does not have is refused in one line."""
    try:
        structure(case.spec.config, {UNKNOWN: 1}, where=case.spec.name)
    except UsageError:
        return
    fail(f"the unknown option '{UNKNOWN}' is accepted", where="config")


def is_plain(data: object) -> bool:
    """Tell whether JSON can hold the data."""
    try:
        json.dumps(data, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True


def is_taken_back(config: type[object], data: Mapping[str, object]) -> bool:
    """Tell whether the config class accepts the data."""
    try:
        structure(config, data)
    except B2bError:
        return False
    return True


CHECKS: tuple[Check[ComponentCase], ...] = (config_round_trip, unknown_option_refused)

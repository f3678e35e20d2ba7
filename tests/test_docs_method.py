"""The page on the method and the code: presets, defaults, components, places."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from attrs import fields, has

from b2b_core.catalogue import discover
from b2b_core.config import structure
from b2b_core.training.presets import with_preset
from b2b_plugin_reblur.config import ReblurConfig

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "method.md").read_text()
SECTIONS = dict(re.findall(r"^##+ (.+?)\n(.*?)(?=^##+ |\Z)", PAGE, re.DOTALL | re.MULTILINE))
PRESETS = ("paper", "official", "b2b")
KINDS = {
    "translator.name": "translator",
    "discriminator.name": "discriminator",
    "features.name": "feature-extractor",
}


def rows(section):
    """Return the rows of a section's tables that begin with a name in code, as cells."""
    lines = re.findall(r"^\| (`.+) \|$", SECTIONS[section], re.MULTILINE)
    return [[cell.strip() for cell in line.split(" | ")] for line in lines]


def value(cell):
    """Return the value that a cell shows in code, as TOML would read it."""
    return tomllib.loads(f"value = {cell.strip('`')}")["value"]


def flat(config, before=""):
    """Return the options of a config by dotted name, as TOML would have them."""
    options = {}
    for one in fields(type(config)):
        inner = getattr(config, one.name)
        name = before + one.name
        if has(type(inner)):
            options |= flat(inner, f"{name}.")
        else:
            options[name] = list(inner) if isinstance(inner, tuple) else inner
    return options


def presets():
    """Return the full options of each preset."""
    spec = discover().spec("strategy", "adversarial")
    assert set(spec.presets) == set(PRESETS)
    return {
        name: flat(structure(spec.config, with_preset(spec, {"preset": name}))) for name in PRESETS
    }


def deviations():
    """Return the options that are not the same in all presets, with their values in order."""
    of = presets()
    values = {option: [of[name][option] for name in PRESETS] for option in of["b2b"]}
    return {
        option: found
        for option, found in values.items()
        if any(other != found[0] for other in found)
    }


def test_every_deviation_has_a_row_and_every_row_is_one():
    """What differs between presets is in the table, in the order of the code, and nothing else."""
    assert [row[0].strip("`") for row in rows("Deviations between the presets")] == list(
        deviations()
    )


@pytest.mark.parametrize("row", rows("Deviations between the presets"), ids=lambda row: row[0])
def test_a_row_has_the_values_of_the_code(row):
    """Of all three presets, to the digits shown, with a reason and a measured effect."""
    option, *cells, reason, effect = row
    expected = deviations()[option.strip("`")]
    for cell, wanted in zip(cells, expected, strict=True):
        exact = isinstance(wanted, str | dict | bool)
        assert value(cell) == (wanted if exact else pytest.approx(wanted, rel=2e-4))
    assert reason
    assert re.search(r"not measured|first trials|gap closed|see below", effect), effect


def test_parts_beside_the_presets_exist():
    """Networks named for a preset are installed; the default is that of the strategy or index."""
    catalogue = discover()
    table = {row[0].strip("`"): row[1:4] for row in rows("Parts that are chosen beside the preset")}
    for setting, kind in KINDS.items():
        for cell in table[setting]:
            assert catalogue.spec(kind, re.findall(r"`([^`]+)`", cell)[0])
    defaults = catalogue.spec("strategy", "adversarial").defaults
    for setting in ("discriminator.name", "features.name"):
        assert table[setting][2] == f"`{defaults[KINDS[setting]]}`"


def test_defaults_of_reblur_are_those_of_the_code():
    """The options that the page lists have the defaults that it lists."""
    code = flat(ReblurConfig())
    shown = {row[0].strip("`"): value(row[1]) for row in rows("Strategy `reblur`") if len(row) == 2}
    assert len(shown) > 5
    assert shown == {name: code.get(name) for name in shown}


def test_every_candidate_of_reblur_is_there():
    """What can be trained on R(S) is in the table, by the names that `mode` takes."""
    modes = get_args(get_type_hints(ReblurConfig)["mode"])
    shown = [row[0].strip("`") for row in rows("Strategy `reblur`") if len(row) == 3]
    assert shown == [mode for mode in modes if mode != "auto"]


def test_every_place_of_the_page_is_there():
    """Files and folders that are named in code exist."""
    places = re.findall(r"`((?:b2b_core|plugins|tests|docs|benchmarks)/[^`]+)`", PAGE)
    assert len(places) > 15
    assert [place for place in places if not (ROOT / place).exists()] == []


def test_the_readme_leads_to_the_page():
    """It is not found by chance only."""
    assert "(docs/method.md)" in (ROOT / "README.md").read_text()

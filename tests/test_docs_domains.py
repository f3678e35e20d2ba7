"""The page on known domains says what their specs say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from attrs import fields

from b2b_core.catalogue import discover
from b2b_core.data.domains import open_domain

PAGE = (Path(__file__).parents[1] / "docs" / "domains.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| `")
]
#: Domain -> its cells in the first table, and in the second.
DATA = {row[0].strip("`"): row for row in ROWS if len(row) == 6}
NETWORKS = {row[0].strip("`"): row for row in ROWS if len(row) == 5}
NAMES = ("starter", "gopro", "reds", "rsblur", "rb2v")


def test_every_domain_of_the_project_is_there():
    """Both tables have the same domains, in the same order."""
    assert tuple(DATA) == tuple(NETWORKS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_counts_and_licence(name):
    """Counts are the published ones; for the pairs that ship, those that are there."""
    catalogue = discover()
    spec = catalogue.spec("domain", name)
    counts = [
        int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*\d|\d", DATA[name][2])
    ]
    if name == "starter":
        found = [len(open_domain(catalogue, name, None, split, 1)) for split in ("train", "test")]
    else:
        found = [spec.counts["train"], spec.counts["test"]]
    assert counts[:2] == found
    for licence in spec.data_licence.split(" AND "):
        assert re.sub(r"-only|\W", "", licence) in re.sub(r"\W", "", DATA[name][4])


@pytest.mark.parametrize("name", NAMES)
def test_networks_and_settings(name):
    """Default networks and settings are those of the spec."""
    spec = discover().spec("domain", name)
    _, deblurrer, extractor, settings, _ = NETWORKS[name]
    for cell, weights in ((deblurrer, spec.deblurrer), (extractor, spec.extractor)):
        assert cell.startswith("none" if weights is None else f"`{weights}`")
    assert re.findall(r"`(\w+)`", settings) == [one.name for one in fields(spec.config)]

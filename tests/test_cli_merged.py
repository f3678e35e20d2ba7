"""What the command line says on top of a settings file."""

from __future__ import annotations

from pathlib import Path

import pytest

from b2b_core.cli.adapt import merged

FILE = {
    "strategy": {"name": "reblur", "mode": "task"},
    "translator": "unet",
    "domain": {"name": "gopro", "root": "GOPRO", "deblurrer": "mine.safetensors"},
    "run": {"seed": 3},
}


@pytest.mark.parametrize(
    ("said", "section", "expected"),
    [
        ({"strategy.name": "adversarial"}, "strategy", {"name": "adversarial"}),
        ({"strategy.name": "reblur"}, "strategy", {"name": "reblur", "mode": "task"}),
        ({"translator.name": "nafnet"}, "translator", {"name": "nafnet"}),
        (
            {"domain.name": "reds", "domain.root": Path("REDS")},
            "domain",
            {"name": "reds", "root": "REDS"},
        ),
        ({"domain.root": Path("G")}, "domain", {**FILE["domain"], "root": "G"}),
        ({"run.seed": 4}, "run", {"seed": 4}),
        ({"run.device": "cpu"}, "run", {"seed": 3, "device": "cpu"}),
    ],
)
def test_a_part_named_anew_keeps_no_options_of_the_files(said, section, expected):
    """Known domains are swapped by one word, whatever the file says about another one."""
    result = merged(FILE, said)
    assert result[section] == expected
    assert {key: value for key, value in result.items() if key != section} == {
        key: value for key, value in FILE.items() if key != section
    }

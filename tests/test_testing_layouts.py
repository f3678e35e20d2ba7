"""Level 1 of the conformance kit on layouts of published files."""

from __future__ import annotations

import pytest
from attrs import frozen
from torch import nn

from b2b_core.layouts import Layout, length
from b2b_core.specs import DeblurrerSpec
from b2b_core.testing.cases import ComponentCase
from b2b_core.testing.run import component_items, results

BREAKS = {"layouts-read-own"}


@frozen
class Config:
    """Size of the network."""

    width: int = 4


class Network(nn.Module):
    """Two convolutions."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, config.width, 3, padding=1)
        self.last = nn.Conv2d(config.width, 3, 3, padding=1)

    def forward(self, image):
        """Return an image of the same size."""
        return image + self.last(self.first(image))


def read(shapes):
    """Read the width."""
    return Config(width=length(shapes, "first.weight"))


def result(*layouts):
    """Make the check of a network with these layouts."""
    spec = DeblurrerSpec(name="acme", config=Config, factory=Network, summary="s", layouts=layouts)
    items = [
        i for i in component_items(ComponentCase(spec, "acme"), (1,)) if i.check.name in BREAKS
    ]
    made = list(results(items))
    return made[0] if made else None


def test_a_layout_that_reads_its_network_passes():
    """Options come back from names and shapes; another layout of the same spec may not fit."""
    other = Layout(name="other", keys=("middle.weight",), read=lambda _: Config())
    assert result(Layout(name="own", keys=("first.weight",), read=read), other).status == "passed"


def test_a_spec_without_layouts_is_not_asked():
    """The check is for networks with published files."""
    assert result() is None


@pytest.mark.parametrize(
    ("layout", "said", "mend"),
    [
        (
            Layout(name="own", keys=("first.weight",), read=lambda _: Config(width=5)),
            "reads options that build another network: 3 tensors differ, such as first.bias",
            "infer every option",
        ),
        (
            Layout(name="own", keys=("head.weight",), read=read),
            "no layout (own) has its 'keys'",
            "mend Layout.keys",
        ),
        (
            Layout(name="own", keys=("first.weight",), read=lambda _: read({})),
            "there is no first.weight",
            "infer every option",
        ),
    ],
)
def test_a_layout_that_does_not_fails(layout, said, mend):
    """The failure names the layout, a tensor, and what to do."""
    found = result(layout)
    assert found.status == "failed"
    assert said in found.what
    assert mend in found.mend

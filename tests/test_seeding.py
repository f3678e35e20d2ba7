"""Randomness as a pure function of (seed, stream, numbers), and what it leaves untouched."""

from __future__ import annotations

import pytest
import torch

from b2b_core.data.seeding import derive_seed, seed_torch, seeded
from b2b_core.narrowing import is_array, is_table


def test_seeded_draws_are_those_of_a_generator_of_the_same_seed():
    """What torch draws inside depends on the seed and the stream alone."""
    torch.rand(7)
    with seeded(5, "initial-translator"):
        drawn = torch.rand(4)
    expected = torch.Generator().manual_seed(derive_seed(5, "initial-translator"))
    assert torch.equal(drawn, torch.rand(4, generator=expected))


def test_seeded_leaves_torch_as_it_was():
    """Drawing goes on afterwards as if nothing had been drawn inside, even if the body fails."""
    torch.manual_seed(1)
    torch.rand(3)
    state = torch.get_rng_state()
    with pytest.raises(RuntimeError), seeded(5, "initial-translator"):
        torch.rand(2) @ torch.rand(3)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("other", [(6, "stage", 3), (5, "other", 3), (5, "stage", 4)])
def test_steps_draw_differently(other):
    """Seed, stream and step each matter; repeating all three repeats the draw."""
    draws = []
    for wanted in ((5, "stage", 3), (5, "stage", 3), other):
        seed_torch(*wanted)
        draws.append(torch.rand(4))
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


@pytest.mark.parametrize(
    ("value", "table", "array"),
    [({}, True, False), ([], False, True), ((1,), False, True), ("text", False, False),
     ({1}, False, False), (None, False, False)],
)  # fmt: skip
def test_tables_and_arrays_are_told_apart(value, table, array):
    """Text and sets are neither; None is nothing."""
    assert (is_table(value), is_array(value)) == (table, array)

"""The test-time window (TLC): where windows lie, how they are blended, what changes."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from b2b_plugin_restormer.attention import TransposedAttention
from b2b_plugin_restormer.config import RestormerConfig
from b2b_plugin_restormer.network import Restormer
from b2b_plugin_restormer.windows import blend_windows, window_starts


@pytest.fixture(autouse=True)
def seeded():
    """Draw the same numbers in every test."""
    torch.manual_seed(0)


def small(window):
    """Return the same weights with another window."""
    torch.manual_seed(1)
    config = RestormerConfig(
        dim=4, blocks=(1, 1, 1, 1), refinement=1, heads=(1, 2, 2, 2), tlc_window=window
    )
    return Restormer(config).double()


@pytest.mark.parametrize("window", [1, 2, 3, 8, 384])
@pytest.mark.parametrize("size", [1, 2, 7, 9, 16, 385, 1333])
def test_windows_cover_half_a_side_apart(size, window):
    """From border to border, half a window apart at most, and no more windows than that takes."""
    starts = window_starts(size, window)
    assert starts[0] == 0
    assert starts[-1] == max(0, size - window)
    gaps = [after - before for before, after in pairwise(starts)]
    assert all(0 < gap <= -(-window // 2) for gap in gaps)
    free = max(0, size - window)
    assert len(starts) == 1 + min(free, -(-2 * free // window))


@pytest.mark.parametrize("size", [(1, 9), (7, 7), (5, 16), (13, 4)])
def test_blending_adds_up_to_one(size):
    """What does not depend on the window comes out as from the whole map."""
    x = torch.randn(2, 6, *size, dtype=torch.float64)
    halves = blend_windows(lambda part: 2 * part[:, :3], x, 4)
    torch.testing.assert_close(halves, 2 * x[:, :3])


def test_blending_against_interpolation_by_hand():
    """On a line of 8, windows of 4 at 0, 2, 4: between two centres the result goes linearly."""
    line = torch.arange(8, dtype=torch.float64).view(1, 1, 1, 8)
    means = [line[..., start : start + 4].mean() for start in (0, 2, 4)]
    assert means == [1.5, 3.5, 5.5]
    blended = blend_windows(lambda part: part.mean((-2, -1), keepdim=True).expand_as(part), line, 4)
    # The windows' weights are 1, 2, 2, 1: two thirds and one third where two of them meet.
    expected = [1.5, 1.5, 1.5 + 2 / 3, 3.5 - 2 / 3, 3.5 + 2 / 3, 5.5 - 2 / 3, 5.5, 5.5]
    torch.testing.assert_close(blended.flatten(), torch.tensor(expected, dtype=torch.float64))


def test_whole_map_up_to_the_window():
    """Without a window, or with one as large as the map, the function is called once."""
    x, calls = torch.randn(1, 3, 6, 8), []
    for window in (None, 8, 100):
        assert blend_windows(lambda part: calls.append(part) or part, x, window) is x
    assert len(calls) == 3
    assert all(part is x for part in calls)


def test_windowed_attention_compares_channels_inside_the_window():
    """A change more than a window and the convolutions away reaches no pixel."""
    attention = TransposedAttention(4, 2, window=4).double()
    whole = TransposedAttention(4, 2).double()
    whole.load_state_dict(attention.state_dict())
    x = torch.randn(1, 4, 4, 24, dtype=torch.float64)
    changed = x.clone()
    changed[..., 20:] += 1
    near = slice(0, 24 - 4 - 4 - 1)
    torch.testing.assert_close(attention(x)[..., near], attention(changed)[..., near])
    assert not torch.allclose(whole(x)[..., near], whole(changed)[..., near])


def test_window_changes_only_larger_pictures():
    """With and without a window the names and the results agree up to the window's size."""
    plain, local = small(None), small(16)
    assert plain.state_dict().keys() == local.state_dict().keys()
    fitting = torch.rand(1, 3, 16, 8, dtype=torch.float64)
    larger = torch.rand(1, 3, 16, 32, dtype=torch.float64)
    torch.testing.assert_close(plain(fitting), local(fitting))
    assert not torch.allclose(plain(larger), local(larger))


def test_window_halves_with_the_level():
    """A window of 384 means 192, 96 and 48 deeper down, and 384 again in the refinement."""
    with torch.device("meta"):
        network = Restormer(RestormerConfig(tlc_window=384))
    stages = ("encoder_level1", "encoder_level2", "encoder_level3", "latent")
    stages += ("decoder_level3", "decoder_level2", "decoder_level1", "refinement")
    windows = [getattr(network, stage)[0].attn.window for stage in stages]
    assert windows == [384, 192, 96, 48, 96, 192, 384, 384]


def test_window_keeps_half_precision_shares_exact():
    """In bfloat16 the blend is summed in float32 and comes back in the type that went in."""
    x = torch.full((1, 1, 40, 40), 100.0, dtype=torch.bfloat16)
    blended = blend_windows(lambda part: part, x, 6)
    assert torch.equal(blended, x)

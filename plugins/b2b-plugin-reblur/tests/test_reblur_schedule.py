"""The time that is wanted, shared out between what comes after one another."""

import math

import pytest

from b2b_plugin_reblur.schedule import Schedule


def test_without_a_limit_nothing_is_limited():
    """0 minutes are no limit, of either setting."""
    schedule = Schedule.within(0.0, 0.0)
    assert schedule.trial(3) == schedule.training(1e9) == math.inf


def test_the_narrower_limit_counts():
    """`strategy.minutes` and `run.minutes` both hold."""
    assert Schedule.within(20.0, 0.0).minutes == 20
    assert Schedule.within(20.0, 5.0).minutes == 5
    assert Schedule.within(0.0, 30.0).minutes == 30


def test_a_run_keeps_within_its_time():
    """20 minutes: 5 for three trials; of 14 left after 6, 5 % are spared for a pace that varies."""
    schedule = Schedule(20.0)
    assert 3 * schedule.trial(3) == pytest.approx(5 * 60)
    assert schedule.training(6 * 60) == pytest.approx(0.95 * 14 * 60)


def test_half_of_the_time_remains_for_the_chosen_one():
    """However long R and the trials took: a profile of twenty steps would help nobody."""
    assert Schedule(20.0).training(19 * 60) == Schedule(20.0).training(99 * 60) == 10 * 60

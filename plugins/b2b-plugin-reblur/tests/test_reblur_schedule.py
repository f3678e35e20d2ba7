"""The time that is wanted, shared out between what comes after one another."""

import math

import pytest

from b2b_plugin_reblur.schedule import Schedule


def test_without_a_limit_nothing_is_limited():
    """0 minutes are no limit, of either setting."""
    schedule = Schedule.within({"strategy.minutes": 0.0, "run.minutes": 0.0})
    assert schedule.trial(3) == schedule.training(1e9).seconds == math.inf


def test_the_narrower_limit_counts():
    """Both settings hold; what is left of the time knows which of them to raise."""
    for limits, minutes, option in [
        ({"strategy.minutes": 20.0, "run.minutes": 0.0}, 20, "strategy.minutes"),
        ({"strategy.minutes": 20.0, "run.minutes": 5.0}, 5, "run.minutes"),
        ({"strategy.minutes": 0.0, "run.minutes": 30.0}, 30, "run.minutes"),
    ]:
        schedule = Schedule.within(limits)
        assert (schedule.minutes, schedule.training(60.0).option) == (minutes, option)


def test_a_run_keeps_within_its_time():
    """20 minutes: 5 for three trials; of 14 left after 6, 5 % are spared for a pace that varies."""
    schedule = Schedule(20.0)
    assert 3 * schedule.trial(3) == pytest.approx(5 * 60)
    assert schedule.training(6 * 60).minutes == pytest.approx(0.95 * 14)


def test_half_of_the_time_remains_for_the_chosen_one():
    """However long R and the trials took: a profile of twenty steps would help nobody."""
    assert Schedule(20.0).training(19 * 60) == Schedule(20.0).training(99 * 60) == Schedule(10.0)

"""How many steps fit into a time: judged early, and again as the pace changes."""

import math

import pytest

from b2b_core.training.pacing import PACED, Pace


def trained(pace, seconds_of):
    """Do the steps that `pace` allows, each as long as `seconds_of(number)`; return (steps, s)."""
    done, seconds = 0, 0.0
    while done < pace.steps:
        seconds += seconds_of(done)
        done += 1
        pace.judge(done, seconds)
    return done, seconds


@pytest.mark.parametrize("allowed", [math.inf, 4000.0])
def test_where_time_is_enough_all_steps_are_done(allowed):
    """4000 steps of a second, in exactly their time or without a limit."""
    assert trained(Pace(4000, allowed), lambda _: 1.0) == (4000, 4000.0)


def test_an_even_pace_fills_the_time():
    """1000 seconds, steps of two: 500 of 4000, decided at the first look and not changed again."""
    pace = Pace(4000, 1000.0)
    changes = [done for done in range(1, 501) if pace.judge(done, 2.0 * done)]
    assert changes == [PACED]
    assert pace.steps == 500


def test_slow_first_steps_do_not_count_for_the_rest():
    """The first 20 take 3 s, the rest 1 s: by the first look 333 steps, in the end 960."""
    pace = Pace(4000, 1000.0)
    done, seconds = trained(pace, lambda number: 3.0 if number < PACED else 1.0)
    assert done == 20 + 940
    assert seconds == 1000.0


def test_a_machine_that_gets_busy_is_noticed():
    """Twice as slow from step 320 on: the plan follows at step 640, and time is kept to."""
    done, seconds = trained(Pace(4000, 1500.0), lambda number: 1.0 if number < 320 else 2.0)
    assert done == 320 + 590
    assert seconds == 1500.0


def test_time_that_is_over_ends_it():
    """A stage whose first twenty steps took longer than all was to take has no further one."""
    assert trained(Pace(4000, 10.0), lambda _: 1.0) == (PACED, 20.0)
    assert trained(Pace(15, 1.0), lambda _: 1.0) == (15, 15.0)  # over before it is judged


def test_steps_without_any_time_are_no_error():
    """A clock that stands still, as in tests: all steps fit, or none are left."""
    assert trained(Pace(100, 5.0), lambda _: 0.0) == (100, 0.0)
    assert trained(Pace(100, 5.0), lambda number: 9.0 * (number == 0)) == (PACED, 9.0)


def test_a_resumed_plan_is_the_same():
    """What was left out and judged remains, whenever it is stored."""
    pace = Pace(4000, 1000.0)
    for done in range(1, 101):
        pace.judge(done, 2.0 * done)
    resumed = Pace(4000, 1000.0)
    resumed.load_state_dict(pace.state_dict())
    assert resumed == pace

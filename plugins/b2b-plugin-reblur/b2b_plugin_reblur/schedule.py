"""How the time that is wanted is shared out: R as long as it needs, the comparison, the chosen."""

from __future__ import annotations

import math

from attrs import evolve, frozen

#: Share of the time that the comparison may take, all candidates together.
COMPARISON = 0.25
#: Share that a candidate trained to its end gets at least, however long all before it took.
LEAST = 0.5
#: Share of what is left that is planned with: the pace of steps varies.
CAREFUL = 0.95


@frozen
class Schedule:
    """The time for a run, or for what is left of it.

    Args:
        minutes: wanted for all of it; 0: no limit.
        option: which setting says so, for the user who wants to give more.
    """

    minutes: float
    option: str = "strategy.minutes"

    @classmethod
    def within(cls, limits: dict[str, float]) -> Schedule:
        """Return the schedule that keeps within all limits: minutes of each setting; 0 is none."""
        option = min(limits, key=lambda name: limits[name] or math.inf)
        return cls(limits[option], option)

    @property
    def seconds(self) -> float:
        """All of the time."""
        return self.minutes * 60 or math.inf

    def trial(self, candidates: int) -> float:
        """Return the seconds that one of the compared candidates may take."""
        return self.seconds * COMPARISON / candidates

    def training(self, spent: float) -> Schedule:
        """Return what a candidate trained to its end may take, after `spent` seconds of training.

        Each has what is left as if it were the only one: others are trained beside it to be shown.
        """
        left = CAREFUL * (self.minutes - spent / 60)
        return evolve(self, minutes=max(left, LEAST * self.minutes))

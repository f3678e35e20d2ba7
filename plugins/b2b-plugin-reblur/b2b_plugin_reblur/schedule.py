"""How the time that is wanted is shared out: R as long as it needs, the comparison, the chosen."""

from __future__ import annotations

import math

from attrs import frozen

#: Share of the time that the comparison may take, all candidates together.
COMPARISON = 0.25
#: Share that a candidate trained to its end gets at least, however long all before it took.
LEAST = 0.5
#: Share of what is left that is planned with: the pace of steps varies.
CAREFUL = 0.95


@frozen
class Schedule:
    """Seconds for each part of a run.

    Args:
        minutes: wanted for all of it; 0: no limit.
    """

    minutes: float

    @classmethod
    def within(cls, *limits: float) -> Schedule:
        """Return the schedule that keeps within all limits, in minutes; 0 is none."""
        return cls(min((limit for limit in limits if limit), default=0.0))

    @property
    def seconds(self) -> float:
        """All of the time."""
        return self.minutes * 60 or math.inf

    def trial(self, candidates: int) -> float:
        """Return what one of the compared candidates may take."""
        return self.seconds * COMPARISON / candidates

    def training(self, spent: float) -> float:
        """Return what a candidate trained to its end may take, after `spent` seconds of training.

        Each has what is left as if it were the only one: others are trained beside it to be shown.
        """
        return max(CAREFUL * (self.seconds - spent), LEAST * self.seconds)

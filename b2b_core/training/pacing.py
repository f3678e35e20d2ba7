"""How many steps of a stage fit into its time: judged while it trains, by the steps themselves."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import Factory, define, field

#: Steps after which the pace is judged for the first time.
PACED = 20


@define
class Pace:
    """The plan of one stage: as many of the steps that were asked for as its time allows.

    It is judged after `PACED` steps and again whenever their number has doubled, by those since the
    last time: the first ones are slower than the rest, and other programs come and go. A plan is
    judged ever more seldom, so a schedule over it stays smooth.
    """

    #: Steps that were asked for, and the seconds that they should take.
    asked: int
    allowed: float
    #: Steps that fit; all of them, until it is judged.
    steps: int = field(init=False, default=Factory(lambda self: self.asked, takes_self=True))
    #: Seconds that had gone by when it was judged last.
    marked: float = field(init=False, default=0.0)

    def judge(self, done: int, seconds: float) -> bool:
        """Plan anew if it is time to; return whether the plan has changed.

        Args:
            done: steps so far, by one more at each call.
            seconds: that they took together.
        """
        times, rest = divmod(done, PACED)
        if rest or not times or times & (times - 1):  # not PACED times a power of two
            return False
        since = done if done == PACED else done // 2
        left, taken, self.marked = self.allowed - seconds, seconds - self.marked, seconds
        before, self.steps = self.steps, self.asked
        if (self.asked - done) * taken > left * since:  # as products: a step may take no time
            self.steps = done + (int(left * since / taken) if left > 0 else 0)
        return self.steps != before

    def state_dict(self) -> dict[str, float]:
        """Return how many steps are left out, and when that was judged."""
        return {"left out": self.asked - self.steps, "marked": self.marked}

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        """Go on with the plan of an earlier session."""
        self.steps, self.marked = self.asked - int(state["left out"]), state["marked"]

"""When a fit is done, by what it gains: not by a number of steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

#: Shares of the learning rate, one leg of the fit after the other.
RATES = (1.0, 0.3, 0.1)
#: Looks in a row without a gain after which a leg is over.
PATIENCE = 2


class Settling:
    """Legs of a fit, each at a lower rate, each over where it gains no more than chance gives.

    A look measures the distance on the same batches each time, so that two looks can be compared
    batch by batch: the mean difference is a gain where it exceeds its own standard error.
    """

    def __init__(self) -> None:
        self.leg = 0
        #: Distances of the best look so far; empty before the first.
        self.best = torch.empty(0)
        # Those of the last look that gained: small gains add up until they count.
        self._mark = torch.empty(0)
        self._idle = 0

    @property
    def rate(self) -> float:
        """The share of the learning rate in this leg."""
        return RATES[min(self.leg, len(RATES) - 1)]

    @property
    def settled(self) -> bool:
        """Whether the last leg is over."""
        return self.leg >= len(RATES)

    def look(self, distances: Tensor, *, astray: bool = False) -> bool:
        """Take in the distances `(n,)` of a look, at least two; return whether it is the best.

        Args:
            distances: of the same batches, in the same order, at every look.
            astray: whether what is fitted makes no sense any more. Such a look is never the best,
                and its leg is over at once: at this rate it would only go further.
        """
        if astray:
            self._next()
            return False
        best = not len(self.best) or float(distances.mean()) < float(self.best.mean())
        if best:
            self.best = distances.clone()
        if not len(self._mark) or _gains(self._mark - distances):
            self._mark, self._idle = distances.clone(), 0
        else:
            self._idle += 1
        if self._idle >= PATIENCE:
            self._next()
        return best

    def begin_again(self, distances: Tensor) -> None:
        """Take `distances` for the best: what is fitted has changed its form."""
        self.best = self._mark = distances.clone()

    def _next(self) -> None:
        self.leg += 1
        self._mark, self._idle = self.best, 0

    def state_dict(self) -> dict[str, Any]:
        """Return the leg, the best look, the last that gained, and how many came since."""
        return {"leg": self.leg, "best": self.best, "mark": self._mark, "idle": self._idle}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where an earlier session was."""
        self.leg, self.best = state["leg"], state["best"]
        self._mark, self._idle = state["mark"], state["idle"]


def _gains(difference: Tensor) -> bool:
    """Return whether a mean of paired differences is above its standard error."""
    return bool(difference.mean() > difference.std() / len(difference) ** 0.5)

"""Training time that a checkpoint remembers."""

from __future__ import annotations

from collections.abc import Mapping


class Clock:
    """Seconds spent on steps, over all sessions of a run."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def state_dict(self) -> dict[str, float]:
        """Return the seconds so far."""
        return {"seconds": self.seconds}

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        """Go on from what an earlier session spent."""
        self.seconds = state["seconds"]

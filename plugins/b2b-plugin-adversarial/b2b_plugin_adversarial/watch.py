"""D's state in plain numbers: whether it sees a difference, and whether it is too sure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from b2b_core.training.stage import tenth

if TYPE_CHECKING:
    from b2b_core.training.run import Run

#: Share of the old value in each running mean.
_MEMORY = 0.98
#: Steps after which a running mean says something.
_SETTLED = 50
#: Steps that D may need to see blur, and that G may need to win ground: a tenth of the stage, but
#: not fewer and not more than this.
_SEEING, _CATCHING_UP = (100, 400), (50, 200)
#: An accuracy that is no chance: a D that never saw blur was at 0.53 to 0.55 (docs/method.md), one
#: that sees it in small patches at 0.58 after 100 steps.
_CHANCE = 0.56
#: Logits beyond this are sure: sigmoid(4) = 0.98.
_SURE = 4.0


class Watch:
    """Running means of D's accuracy and certainty; part of the checkpoint.

    Args:
        steps: of the stage.
        d_warmup: those of them in which only D learns.
    """

    def __init__(self, steps: int, d_warmup: int) -> None:
        self._seeing = _within(tenth(steps), _SEEING)
        self._catching_up = _within(tenth(steps) - d_warmup, _CATCHING_UP)
        self.accuracy = 0.5
        self.sure = 0.0
        self.best = 0.5
        self.steps = 0

    @torch.no_grad()
    def update(self, real: Sequence[Tensor], fake: Sequence[Tensor]) -> None:
        """Take in D's logits of one step, level by level."""
        right = [*real, *(-level for level in fake)]
        accuracy = sum(float((level > 0).float().mean()) for level in right) / len(right)
        sure = sum(float((level > _SURE).float().mean()) for level in right) / len(right)
        keep = min(_MEMORY, self.steps / (self.steps + 1))
        self.accuracy = keep * self.accuracy + (1 - keep) * accuracy
        self.sure = keep * self.sure + (1 - keep) * sure
        self.steps += 1
        if self.steps >= _SETTLED:
            self.best = max(self.best, self.accuracy)

    def warn(self, run: Run, playing: int) -> None:
        """Say what is wrong, if anything.

        Args:
            run: takes the warnings.
            playing: steps in which G has been learning too; below 1 before.
        """
        if playing >= self._catching_up and self.accuracy > 0.97 and self.sure > 0.8:
            run.warn(
                f"the discriminator wins: it tells translated from known-blur pictures "
                f"{self.accuracy:.0%} of the time and is sure of it, so G learns next to nothing. "
                "The two sets may differ in more than blur (noise, compression, colours), or its "
                "learning rate is too high: lower strategy.discriminator_lr"
            )
        if self.steps >= self._seeing and self.best < _CHANCE:
            run.warn(
                f"the discriminator is blind: in {self.steps} steps it never told known from "
                f"unknown blur (best accuracy {self.best:.0%}), so G learns nothing about it. Use "
                "the discriminator edge-patchgan, a smaller penalty.weight or more d_warmup"
            )

    def state_dict(self) -> dict[str, float]:
        """Return plain numbers."""
        return {
            "accuracy": self.accuracy, "sure": self.sure, "best": self.best, "steps": self.steps
        }  # fmt: skip

    def load_state_dict(self, state: dict[str, float]) -> None:
        """Take over what `state_dict` returned."""
        self.accuracy, self.sure, self.best = state["accuracy"], state["sure"], state["best"]
        self.steps = int(state["steps"])


def _within(number: int, limits: tuple[int, int]) -> int:
    return max(limits[0], min(number, limits[1]))

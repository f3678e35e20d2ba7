"""A run: one folder, one seed, one log, one device."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import define, field

from b2b_core.log import get_logger, record
from b2b_core.training.precision import Numerics

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from b2b_core.catalogue import Catalogue


@define(eq=False)
class Run:
    """What every stage of one run shares."""

    directory: Path
    seed: int
    numerics: Numerics
    catalogue: Catalogue
    log_every: int = 50
    validate_every: int = 250
    #: Seconds between checkpoints: what a kill costs at most.
    checkpoint_seconds: float = 30.0
    #: Minutes of training, all stages together, after which every stage stops; 0: no limit.
    minutes: float = 0.0
    #: Seconds of training so far, those of earlier sessions included.
    spent: float = field(default=0.0, init=False)
    #: Plain words for the user, in the order they came up.
    warnings: list[str] = field(factory=list[str])
    log: FilteringBoundLogger = field(factory=lambda: get_logger("b2b.run"))

    def log_step(self, stage: str, step: int, numbers: Mapping[str, float]) -> None:
        """Log a training step and tell the plugins that listen."""
        rounded = {name: float(f"{value:.5g}") for name, value in numbers.items()}
        record("step", stage=stage, step=step, **rounded)
        self.catalogue.notify("b2b_step_finished", stage=stage, step=step, numbers=dict(numbers))

    @property
    def out_of_time(self) -> bool:
        """Whether the time for training is over."""
        return 0 < self.minutes * 60 <= self.spent

    def recall(self, seconds: float, warnings: Iterable[str]) -> None:
        """Take over what an earlier session spent on a stage and said of it."""
        self.spent += seconds
        said = set(map(_wording, self.warnings))
        self.warnings += [message for message in warnings if _wording(message) not in said]

    def warn(self, message: str) -> None:
        """Say once, in plain words, that something looks wrong; new numbers make no new warning."""
        if _wording(message) not in map(_wording, self.warnings):
            self.warnings.append(message)
            self.log.warning(message)


def _wording(message: str) -> str:
    return re.sub(r"\d+(\.\d+)?", "", message)

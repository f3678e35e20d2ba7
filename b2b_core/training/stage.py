"""A stage: one network (or two that play against each other) trained for some steps, resumably."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from b2b_core.data.seeding import seed_torch
from b2b_core.errors import B2bError
from b2b_core.progress import Progress
from b2b_core.training.checkpoint import load_checkpoint, save_checkpoint

if TYPE_CHECKING:
    from b2b_core.training.run import Run


class Stage(ABC):
    """What `run_stage` drives. A step may depend on its number and the state, on nothing else."""

    #: Short name; also the checkpoint's file name.
    name: str
    #: What a person reads on the progress bar.
    title: str
    #: Number of steps, 0-based numbers 0 ... steps-1.
    steps: int
    #: `validate` is called after this many steps too, so that it can warn in time (see `tenth`);
    #: 0 for a stage that has nothing to warn of.
    first_look: int = 0

    @abstractmethod
    def step(self, number: int) -> dict[str, float]:
        """Do one step and return numbers worth logging."""

    @abstractmethod
    def parts(self) -> dict[str, Any]:
        """Return everything with `state_dict` and `load_state_dict` that a checkpoint holds."""

    def validate(self, number: int) -> dict[str, float]:  # noqa: ARG002
        """Return validation numbers after `number` steps.

        Called every `Run.validate_every` steps, at `first_look` and at the end.
        """
        return {}


def tenth(steps: int) -> int:
    """Return the number of steps by which a stage should have warned: a tenth, rounded up."""
    return -(-steps // 10)


def run_stage(stage: Stage, run: Run) -> None:
    """Train `stage` to its end, from its checkpoint where there is one.

    Every step starts from torch's generators seeded with (seed, stage, step), so that a resumed run
    repeats exactly what an uninterrupted one does.

    Raises:
        B2bError: if the numbers become NaN or infinite; the last good checkpoint is kept.
    """
    path = run.directory / "checkpoints" / f"{stage.name}.pt"
    path.parent.mkdir(parents=True, exist_ok=True)
    first = _restore(stage, path)
    if first >= stage.steps:
        return
    saved, latest = time.monotonic(), dict[str, float]()
    with Progress(stage.title, stage.steps, start=first) as bar:
        for number in range(first, stage.steps):
            seed_torch(run.seed, stage.name, number)
            numbers = stage.step(number)
            _refuse_nan(numbers, stage, number, path)
            done = number + 1
            last = done == stage.steps
            if done % run.validate_every == 0 or done == stage.first_look or last:
                numbers |= (latest := stage.validate(done))
            if done % run.log_every == 0 or last:
                run.log_step(stage.name, done, numbers)
            bar.update(done, **{**latest, **numbers})
            if last or time.monotonic() - saved > run.checkpoint_seconds:
                _save(stage, path, done)
                saved = time.monotonic()


def _restore(stage: Stage, path: Path) -> int:
    if not path.exists():
        return 0
    state = load_checkpoint(path)
    try:
        for name, part in stage.parts().items():
            part.load_state_dict(state["parts"][name])
        return int(state["step"])
    except (KeyError, RuntimeError, ValueError) as error:
        raise B2bError(
            "the checkpoint does not fit this configuration",
            where=path,
            mend="use the run's own config.toml, or another --out",
        ) from error


def _save(stage: Stage, path: Path, step: int) -> None:
    parts = {name: part.state_dict() for name, part in stage.parts().items()}
    save_checkpoint(path, {"step": step, "parts": parts})


def _refuse_nan(numbers: dict[str, float], stage: Stage, number: int, path: Path) -> None:
    bad = [name for name, value in numbers.items() if not math.isfinite(value)]
    if bad:
        kept = f"the checkpoint {path} holds the last good state" if path.exists() else ""
        raise B2bError(
            f"{stage.title}: {', '.join(bad)} became NaN or infinite at step {number}; {kept}",
            mend="lower the learning rate or use --set run.precision=float32",
        )

"""A stage: one network (or two that play against each other) trained for some steps, resumably."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import define

from b2b_core.data.seeding import seed_torch
from b2b_core.errors import B2bError
from b2b_core.progress import Progress
from b2b_core.training.checkpoint import load_checkpoint, save_checkpoint
from b2b_core.training.pacing import Pace

if TYPE_CHECKING:
    from b2b_core.training.run import Run


class Stage(ABC):
    """What `run_stage` drives. A step may depend on its number and the state, on nothing else."""

    #: Short name; also the checkpoint's file name.
    name: str
    #: What a person reads on the progress bar.
    title: str
    #: Number of steps at most, 0-based numbers 0 ... steps-1. `run_stage` lowers it where all of
    #: them would take longer than `seconds` (`pacing.py`), so a schedule asks for it at each step.
    steps: int
    #: Seconds that all steps together should take.
    seconds: float = math.inf
    #: `validate` is called after this many steps too, so that it can warn in time (see `tenth`);
    #: 0 for a stage that has nothing to warn of.
    first_look: int = 0

    @property
    def settled(self) -> bool:
        """Whether it is done before its `steps`, by what it measured; a part of its state."""
        return False

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


def run_stage(stage: Stage, run: Run) -> int:
    """Train `stage` to its end, from its checkpoint where there is one; return the steps done.

    Every step starts from torch's generators seeded with (seed, stage, step), so that a resumed run
    repeats exactly what an uninterrupted one does. Where the steps would take longer than
    `stage.seconds`, there are fewer of them (and where time decides, no two runs are alike). Where
    `run.minutes` are over, the stage ends with the step that it is at, and a warning says so.

    Raises:
        B2bError: if the numbers become NaN or infinite; the last good checkpoint is kept.
    """
    path = run.directory / "checkpoints" / f"{stage.name}.pt"
    path.parent.mkdir(parents=True, exist_ok=True)
    memory = _restore(stage, path, run)
    if memory.step < stage.steps and not (stage.settled or run.out_of_time):
        _train(stage, run, path, memory)
    if memory.step < stage.steps and not stage.settled:
        run.warn(
            f"{stage.title} was stopped at step {memory.step} of {stage.steps}: the time of "
            f"run.minutes = {run.minutes:g} is over"
        )
    return memory.step


@define
class _Memory:
    """How far a stage is, the seconds that it took, and how many steps it is to have."""

    pace: Pace
    step: int = 0
    seconds: float = 0.0


def _train(stage: Stage, run: Run, path: Path, memory: _Memory) -> None:
    saved, latest = time.monotonic(), dict[str, float]()
    with Progress(stage.title, stage.steps, start=memory.step) as bar:
        while memory.step < stage.steps:
            number, began = memory.step, time.monotonic()
            seed_torch(run.seed, stage.name, number)
            numbers = stage.step(number)
            _refuse_nan(numbers, stage, number, path)
            memory.step = done = number + 1
            memory.seconds += (seconds := time.monotonic() - began)
            run.spent += seconds
            if memory.pace.judge(done, memory.seconds):
                _plan(stage, memory, run)
            last = done == stage.steps or stage.settled or run.out_of_time
            if done % run.validate_every == 0 or done == stage.first_look or last:
                numbers |= (latest := stage.validate(done))
            if done % run.log_every == 0 or last:
                run.log_step(stage.name, done, numbers)
            bar.total = done if stage.settled else stage.steps
            bar.update(done, **{**latest, **numbers})
            if last or time.monotonic() - saved > run.checkpoint_seconds:
                _save(stage, path, memory, run)
                saved = time.monotonic()
            if last:
                break


def _plan(stage: Stage, memory: _Memory, run: Run) -> None:
    """Give the stage the steps that fit into its time, and say how many."""
    stage.steps = memory.pace.steps
    stage.first_look = min(stage.first_look, max(tenth(stage.steps), memory.step))
    run.log.info(
        "steps that fit into the time", stage=stage.name, steps=stage.steps,
        asked=memory.pace.asked, minutes=round(stage.seconds / 60, 1),
    )  # fmt: skip


def _restore(stage: Stage, path: Path, run: Run) -> _Memory:
    pace = Pace(stage.steps, stage.seconds)
    if not path.exists():
        return _Memory(pace)
    state = load_checkpoint(path)
    try:
        for name, part in stage.parts().items():
            part.load_state_dict(state["parts"][name])
        memory = _Memory(pace, int(state["step"]), float(state["seconds"]))
        pace.load_state_dict(state["pace"])
        stage.steps = pace.steps
    except (KeyError, RuntimeError, ValueError) as error:
        raise B2bError(
            "the checkpoint does not fit this configuration",
            where=path,
            mend="use the run's own config.toml, or another --out",
        ) from error
    run.recall(memory.seconds, state.get("warnings", ()))
    return memory


def _save(stage: Stage, path: Path, memory: _Memory, run: Run) -> None:
    parts = {name: part.state_dict() for name, part in stage.parts().items()}
    state = {
        "step": memory.step, "seconds": memory.seconds,
        "pace": memory.pace.state_dict(), "warnings": list(run.warnings), "parts": parts,
    }  # fmt: skip
    save_checkpoint(path, state)


def _refuse_nan(numbers: dict[str, float], stage: Stage, number: int, path: Path) -> None:
    bad = [name for name, value in numbers.items() if not math.isfinite(value)]
    if bad:
        kept = f"the checkpoint {path} holds the last good state" if path.exists() else ""
        raise B2bError(
            f"{stage.title}: {', '.join(bad)} became NaN or infinite at step {number}; {kept}",
            mend="lower the learning rate or use --set run.precision=float32",
        )

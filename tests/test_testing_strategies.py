"""Level 2 of the conformance kit on strategies: short adaptations with one fault each."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest
import torch
from attrs import frozen

from b2b_core.specs import StrategySpec
from b2b_core.training.job import Candidate, Outcome
from b2b_core.training.stage import Stage, run_stage
from tests.level_two import COMMON, made


@frozen
class Lengths:
    """Options of a strategy."""

    steps: int = 100_000
    batch: int = 64
    warmup_steps: int = 1000
    width: int = 3


class Learning(Stage):
    """Trains the translator to leave pictures as they are."""

    name = "learning"
    title = "learning"

    def __init__(self, job, steps):
        self.steps = steps
        self.job, self.part = job, job.build("translator")
        self.optimizer = torch.optim.SGD(self.part.module.parameters(), 0.1)

    def parts(self):
        return {"network": self.part.module}

    def step(self, _number):
        sharp = self.job.sharp[0].as_float()
        loss = (self.part.module(sharp)[-1] - sharp).square().mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return {"loss": float(loss)}


class Plain:
    """A good strategy."""

    seen: ClassVar[list[Lengths]] = []

    def __init__(self, config):
        self.config = config

    def adapt(self, job):
        self.seen.append(self.config)
        stage = Learning(job, self.config.steps)
        run_stage(stage, job.run)
        return self.outcome(stage.part)

    def outcome(self, part):
        candidates = [Candidate("translator", None, 0.0)]
        return Outcome(part, None, candidates=candidates, chosen="translator")


def strategy(base=Plain, **facts):
    """Return the spec of a strategy."""
    return StrategySpec(
        **{**COMMON, "config": Lengths}, factory=base, needs=("translator",), **facts
    )


class Unnamed(Plain):
    """Chooses what is not among its candidates."""

    def outcome(self, part):
        return evolve_outcome(super().outcome(part), chosen="best")


class Tensors(Plain):
    """Puts a tensor into its summary."""

    def outcome(self, part):
        return evolve_outcome(super().outcome(part), summary={"loss": torch.zeros(1)})


class Empty(Plain):
    """Returns nothing."""

    def outcome(self, _part):
        return None


class Broken(Plain):
    """Trains something that gives NaN."""

    def outcome(self, part):
        part.module.conv.bias.data.fill_(float("nan"))
        return super().outcome(part)


class Forgetful(Plain):
    """Starts anew each time, elsewhere."""

    def adapt(self, job):
        stage = Learning(job, self.config.steps)
        stage.part.module.conv.bias.data.normal_()
        return self.outcome(stage.part)


class Swapping(Plain):
    """Gives a translator at first and a deblurrer later."""

    def adapt(self, job):
        outcome = super().adapt(job)
        if (job.run.directory / "done").exists():
            outcome.translator, outcome.deblurrer = None, job.deblurrer
        (job.run.directory / "done").touch()
        return outcome


class Failing(Plain):
    """Needs what the job does not have."""

    def adapt(self, _job):
        raise RuntimeError("no GPU")


def evolve_outcome(outcome, **changes):
    """Set fields of an outcome."""
    for name, value in changes.items():
        setattr(outcome, name, value)
    return outcome


STRATEGIES = [
    ("adapts", Unnamed, "'best', which is not among", "among the candidates"),
    ("adapts", Tensors, "summary is no plain data", "float()"),
    ("adapts", Empty, "NoneType, not an Outcome", "Job alone"),
    ("adapts", Broken, "NaN", "Job alone"),
    ("adapts", Failing, "RuntimeError: no GPU", "'tiny'"),
    ("adapts-resumably", Swapping, "gives another network", "run_stage"),
    ("adapts-resumably", Forgetful, "changes 'translator.conv.bias'", "run_stage"),
]
BREAKS = {check for check, *_ in STRATEGIES}


def test_a_good_strategy_passes_with_its_lengths_shortened():
    """Whole numbers that are called steps or batch become 2, others stay; it runs twice."""
    Plain.seen.clear()
    assert {result.status for result in made(strategy()).values()} == {"passed"}
    assert Plain.seen == [Lengths(steps=2, batch=2, warmup_steps=2, width=3)] * 2


def test_a_preset_called_tiny_is_what_is_run():
    """A strategy may say itself what a short adaptation is."""
    Plain.seen.clear()
    made(strategy(presets={"tiny": {"steps": 3}}))
    assert Plain.seen == [Lengths(steps=3)] * 2


@pytest.mark.parametrize(("check", "base", "what", "mend"), STRATEGIES)
def test_strategies_are_checked(check, base, what, mend):
    """One fault of an adaptation fails one check."""
    only_one = {name for name, result in made(strategy(base)).items() if result.bad}
    if base is not Empty:
        assert only_one == {check}
    found = made(strategy(base))[check]
    assert what in found.what
    assert mend in found.mend
    assert found.where


def test_an_adaptation_that_takes_too_long_is_given_up(monkeypatch):
    """It is skipped, not passed; the reason says what would make it short."""
    monkeypatch.setattr("b2b_core.testing.checks.strategies.SECONDS", 0.0)
    found = made(strategy())
    assert {result.status for result in found.values()} == {"skipped"}
    assert "given up in 'learning', step 1" in found["adapts"].reason
    assert "preset 'tiny'" in found["adapts"].reason


def test_files_of_the_toys_lie_in_no_lasting_folder(tmp_path, monkeypatch):
    """An adaptation that is checked leaves nothing behind."""
    monkeypatch.chdir(tmp_path)
    made(strategy())
    assert not list(Path().iterdir())

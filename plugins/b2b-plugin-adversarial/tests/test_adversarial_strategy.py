"""The adversarial strategy: presets, steps, resumption."""

from pathlib import Path

import pytest
import torch

from b2b_core.config import structure
from b2b_core.training.presets import with_preset
from b2b_core.training.stage import run_stage
from b2b_plugin_adversarial.config import AdversarialConfig
from b2b_plugin_adversarial.heldout import HeldOut
from b2b_plugin_adversarial.stage import AdversarialStage


@pytest.mark.parametrize("preset", [None, "paper", "official", "b2b"])
def test_three_steps_of_every_preset(toys, tmp_path: Path, preset: str | None) -> None:
    """Each preset runs, trains both networks and returns the averaged translator."""
    quick: dict[str, object] = {"steps": 3, "batch": 2, "d_warmup": 1}
    quick["known"] = {"source": "extractor"}
    options = with_preset(toys.spec, quick | ({"preset": preset} if preset else {}))
    strategy = toys.spec.factory(structure(AdversarialConfig, options))
    before = toys.build("translator").module.state_dict()
    outcome = strategy.adapt(toys.job(tmp_path))
    assert outcome.translator is not None
    assert outcome.deblurrer is None
    assert (outcome.translator.kind, outcome.translator.component) == ("translator", "unet")
    after = outcome.translator.module.state_dict()
    assert any(not torch.equal(before[name], after[name]) for name in before)
    assert [candidate.name for candidate in outcome.candidates] == ["deblurrer alone", "translator"]
    assert outcome.chosen == "translator"
    assert set(outcome.alternatives) == {"deblurrer alone", "translator"}
    assert {"sharper", "known_psnr", "colour_drift"} <= set(outcome.summary["validation"])


@pytest.mark.parametrize(("sharper", "warned"), [(-0.05, True), (-0.0004, False), (0.05, False)])
def test_blurrier_pictures_are_named(
    toys, tmp_path: Path, monkeypatch, sharper: float, warned: bool
):
    """A difference that three digits show is a warning; a smaller one is none."""
    measure = HeldOut.measure

    def measured(*args: object, **options: object) -> dict[str, float]:
        return {**measure(*args, **options), "sharper": sharper}  # type: ignore[arg-type]

    monkeypatch.setattr(HeldOut, "measure", measured)
    job = toys.job(tmp_path)
    toys.spec.factory(toys.config()).adapt(job)
    assert any("come out blurrier" in said for said in job.run.warnings) is warned


def test_killed_run_goes_on_as_if_nothing_happened(toys, tmp_path: Path) -> None:
    """A run killed after two steps and resumed equals a straight one bit for bit."""

    class KilledError(Exception):
        pass

    def at_step_two(number: int) -> dict[str, float]:
        if number == 2:
            raise KilledError
        return AdversarialStage.step(stage, number)

    straight = AdversarialStage(toys.job(tmp_path / "straight"), toys.config(steps=5))
    run_stage(straight, straight.run)

    stage = AdversarialStage(
        toys.job(tmp_path / "killed", checkpoint_seconds=0.0), toys.config(steps=5)
    )
    stage.step = at_step_two  # type: ignore[method-assign]
    with pytest.raises(KilledError):
        run_stage(stage, stage.run)
    resumed = AdversarialStage(toys.job(tmp_path / "killed"), toys.config(steps=5))
    run_stage(resumed, resumed.run)

    expected, found = toys.weights(straight), toys.weights(resumed)
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    assert resumed.watch.state_dict() == straight.watch.state_dict()
    assert not torch.equal(expected["G.conv.weight"], torch.zeros_like(expected["G.conv.weight"]))


def test_only_d_learns_while_it_warms_up(toys, tmp_path: Path) -> None:
    """In the warm-up G stays what it was and D does not."""
    stage = AdversarialStage(toys.job(tmp_path), toys.config(d_warmup=3))
    before = toys.weights(stage)
    for number in range(3):
        torch.manual_seed(number)
        stage.step(number)
    after = toys.weights(stage)
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert all(name.startswith("D.") for name in changed)


def test_learning_rates_are_constant_then_fall_to_zero(toys, tmp_path: Path) -> None:
    """Constant for the given share of the steps, then linear."""
    stage = AdversarialStage(toys.job(tmp_path), toys.config(steps=8, constant=0.5, lr=1.0))
    rates = []
    for number in range(8):
        stage._set_rates(number)
        rates.append(stage.optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([1, 1, 1, 1, 1, 0.75, 0.5, 0.25])


def test_explicit_options_win_over_the_preset(toys) -> None:
    """A preset is laid below what is said, table by table."""
    options = with_preset(toys.spec, {"preset": "paper", "batch": 3, "penalty": {"weight": 9.0}})
    made = structure(AdversarialConfig, options)
    assert (made.batch, made.penalty.weight) == (3, 9.0)
    assert (made.steps, made.penalty.where) == (1_000_000, "blurry-translated")
    assert made.gan_options == {"saturating": True}
    assert made.curriculum.of == "batch"


def test_b2b_preset_is_the_default(toys) -> None:
    """Naming the preset b2b, or none, gives the same options."""
    named = structure(AdversarialConfig, with_preset(toys.spec, {"preset": "b2b"}))
    assert named == AdversarialConfig()

"""Stages: resumption to the bit, the NaN guard, checkpoints, averages."""

import pytest
import torch
from torch import nn

from b2b_core.errors import B2bError
from b2b_core.training.checkpoint import load_checkpoint, save_checkpoint
from b2b_core.training.ema import Ema
from b2b_core.training.pacing import PACED
from b2b_core.training.precision import Numerics
from b2b_core.training.run import Run
from b2b_core.training.stage import Stage, run_stage


class Silent:
    """A catalogue without plugins."""

    def notify(self, *_args, **_kwargs):
        """Tell nobody."""
        return []


class Noisy(Stage):
    """Adam on a random target: any difference in randomness or optimiser state shows."""

    name, title = "noisy", "noisy"

    def __init__(self, steps, fail_at=None):
        self.steps, self.fail_at = steps, fail_at
        torch.manual_seed(0)
        self.network = nn.Linear(3, 3)
        self.optimizer = torch.optim.Adam(self.network.parameters(), 0.1)

    def parts(self):
        return {"network": self.network, "optimizer": self.optimizer}

    def step(self, number):
        if number == self.fail_at:
            return {"loss": float("nan")}
        loss = (self.network(torch.randn(4, 3)) - torch.randn(4, 3)).square().mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return {"loss": loss.item()}


def make_run(folder, seconds=0.0):
    """Return a run that saves after every step."""
    return Run(folder, 5, Numerics("cpu", "float32"), Silent(), checkpoint_seconds=seconds)


def test_a_killed_stage_goes_on_to_the_bit(tmp_path):
    """4 steps, a kill, and 6 more end in the same weights as 10 steps in one go."""
    straight = Noisy(10)
    run_stage(straight, make_run(tmp_path / "straight"))

    class Killed(Noisy):
        def step(self, number):
            if number == 4:
                raise KeyboardInterrupt
            return super().step(number)

    with pytest.raises(KeyboardInterrupt):
        run_stage(Killed(10), make_run(tmp_path / "cut", seconds=-1.0))
    resumed = Noisy(10)
    run_stage(resumed, make_run(tmp_path / "cut"))
    assert torch.equal(straight.network.weight, resumed.network.weight)


def test_a_finished_stage_is_restored_and_not_repeated(tmp_path):
    """Running a finished stage again loads its weights and does no step."""
    first = Noisy(3)
    run_stage(first, make_run(tmp_path))
    again = Noisy(3, fail_at=0)
    run_stage(again, make_run(tmp_path))
    assert torch.equal(first.network.weight, again.network.weight)


class Settles(Noisy):
    """Done by its own measure, here after some steps."""

    after = 4

    def __init__(self, steps):
        super().__init__(steps)
        self.done = torch.zeros(1)

    def parts(self):
        return {**super().parts(), "done": self}

    def state_dict(self):
        return {"done": self.done}

    def load_state_dict(self, state):
        self.done = state["done"]

    @property
    def settled(self):
        return int(self.done) >= self.after

    def step(self, number):
        self.done += 1
        return super().step(number)


def test_a_stage_that_settles_is_over_and_stays_so(tmp_path, capsys):
    """4 of 10 steps, without a warning of lost time; run again it does none, resumed the rest."""
    run = make_run(tmp_path)
    assert run_stage(Settles(10), run) == 4
    assert run.warnings == []
    assert "noisy: 4/4  done" in capsys.readouterr().err
    again = Settles(10)
    assert run_stage(again, make_run(tmp_path)) == 4
    assert int(again.done) == 4
    again.after = 6
    assert run_stage(again, make_run(tmp_path)) == 6


def test_nan_stops_the_run_and_keeps_the_last_good_checkpoint(tmp_path):
    """The error names the number and the step; the checkpoint is from before."""
    with pytest.raises(B2bError, match=r"loss became NaN.*step 2"):
        run_stage(Noisy(5, fail_at=2), make_run(tmp_path, seconds=-1.0))
    state = load_checkpoint(tmp_path / "checkpoints" / "noisy.pt")
    assert state["step"] == 2


def test_a_checkpoint_of_another_network_is_refused_in_one_line(tmp_path):
    """A changed configuration is named as the cause."""
    run_stage(Noisy(1), make_run(tmp_path))
    other = Noisy(2)
    other.network = nn.Linear(4, 4)
    with pytest.raises(B2bError, match="does not fit this configuration"):
        run_stage(other, make_run(tmp_path))


def test_a_damaged_checkpoint_is_refused(tmp_path):
    """A truncated file gives one line with the remedy."""
    path = tmp_path / "x.pt"
    save_checkpoint(path, {"step": 1, "parts": {}})
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(B2bError, match=r"unreadable checkpoint.*delete it"):
        load_checkpoint(path)


def test_a_pickle_in_a_checkpoint_is_not_run(tmp_path):
    """Code hidden in a checkpoint is refused, not executed."""
    import os

    marker = tmp_path / "executed"

    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(marker),)

    path = tmp_path / "x.pt"
    torch.save({"step": Bomb()}, path)
    with pytest.raises(B2bError):
        load_checkpoint(path)
    assert not marker.exists()


def test_a_failed_write_leaves_the_old_checkpoint(tmp_path):
    """What cannot be saved does not touch what was saved."""
    path = tmp_path / "x.pt"
    save_checkpoint(path, {"step": 1})
    with pytest.raises(Exception, match="pickle"):
        save_checkpoint(path, {"step": lambda: None})
    assert load_checkpoint(path) == {"step": 1}


def test_the_average_follows_the_published_recursion():
    """EMA with warm-up equals the recursion written out for a scalar."""
    network = nn.Linear(1, 1, bias=False)
    ema = Ema(network, 0.9)
    expected = float(network.weight.detach())
    for step in range(30):
        with torch.no_grad():
            network.weight.fill_(float(step))
        ema.update(step)
        decay = min(0.9, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * step
    assert float(ema.shadow.weight) == pytest.approx(expected, rel=1e-5)


class Slow(Noisy):
    """Every step takes 10 minutes by a clock of its own."""

    def __init__(self, steps, clock):
        super().__init__(steps)
        self.clock = clock

    def step(self, number):
        self.clock[0] += 600.0
        return super().step(number)


@pytest.fixture
def hours(monkeypatch):
    """Replace the clock of training by one that only steps move."""
    now = [0.0]
    monkeypatch.setattr("b2b_core.training.stage.time.monotonic", lambda: now[0])
    return now


def test_a_stage_stops_when_its_time_is_over(tmp_path, hours):
    """30 minutes are three steps; they are kept, said, and not exceeded by going on."""
    for _ in range(2):
        run = make_run(tmp_path)
        run.minutes = 30
        assert run_stage(Slow(10, hours), run) == 3
        assert "stopped at step 3 of 10" in run.warnings[0]
    run = make_run(tmp_path)
    assert run_stage(Slow(10, hours), run) == 10  # without a limit it goes on
    assert run.spent == 6000


def test_all_stages_share_the_time(tmp_path, hours):
    """What a finished stage took is not there for the next one, in a resumed run as well."""

    class Next(Slow):
        name = "next"

    for _ in range(2):
        run = make_run(tmp_path)
        run.minutes = 45
        assert run_stage(Slow(3, hours), run) == 3
        assert run_stage(Next(10, hours), run) == 2


class Paced(Slow):
    """One that notes how many steps it is told to have, and when it is looked at."""

    def __init__(self, steps, clock, minutes):
        super().__init__(steps, clock)
        self.seconds, self.first_look = minutes * 60, steps // 10
        self.told, self.looks = [], []

    def step(self, number):
        self.told.append(self.steps)
        return super().step(number)

    def validate(self, number):
        self.looks.append(number)
        return {}


def test_steps_that_do_not_fit_into_a_stages_time_are_left_out(tmp_path, hours):
    """300 minutes are 30 steps of 10: known after 20, by schedules too, and looked at in time."""
    stage = Paced(400, hours, minutes=300)
    assert run_stage(stage, make_run(tmp_path)) == 30
    assert stage.told == [400] * PACED + [30] * 10
    assert stage.looks == [20, 30]  # not after 40, a tenth of what was asked


@pytest.mark.parametrize("killed", [10, 25])
def test_the_time_of_a_stage_counts_earlier_sessions(tmp_path, hours, killed):
    """A kill before or after the plan changes nothing about it; a finished stage stays so."""

    class Killed(Paced):
        def step(self, number):
            if number == killed:
                raise KeyboardInterrupt
            return super().step(number)

    with pytest.raises(KeyboardInterrupt):
        run_stage(Killed(400, hours, 300), make_run(tmp_path, seconds=-1.0))
    for steps in (30 - killed, 0):
        resumed = Paced(400, hours, 300)
        assert run_stage(resumed, make_run(tmp_path)) == 30
        assert len(resumed.told) == steps
        assert resumed.steps == 30


def test_steps_that_fit_are_all_done(tmp_path, hours):
    """On time to the minute is in time; what is over before its pace is known is not cut."""
    assert run_stage(Paced(40, hours, minutes=400), make_run(tmp_path / "all")) == 40
    assert run_stage(Paced(15, hours, minutes=1), make_run(tmp_path / "few")) == 15
    assert run_stage(Paced(40, hours, minutes=1), make_run(tmp_path / "least")) == PACED


def test_a_resumed_run_remembers_its_warnings(tmp_path):
    """What a finished stage warned of is there again, once, though no step repeats it."""

    class Warns(Noisy):
        def step(self, number):
            self.run.warn(f"colours drift by {number}")
            return super().step(number)

    for _ in range(3):
        stage, run = Warns(3), make_run(tmp_path)
        stage.run = run
        run_stage(stage, run)
        assert run.warnings == ["colours drift by 0"]

"""When a fit is over: legs by what looks show, against looks made by hand."""

import pytest
import torch

from b2b_plugin_reblur.settling import PATIENCE, RATES, Settling


def looks(mean, wobble=0.0, count=8, seed=0):
    """Return distances of one look: a mean and differences between its batches."""
    drawn = torch.randn(count, generator=torch.Generator().manual_seed(seed))
    return mean + wobble * (drawn - drawn.mean())


def test_without_gain_it_is_over_after_its_patience_in_every_leg():
    """Looks that never change: the first counts, then two for each of three legs."""
    settling, count = Settling(), 0
    while not settling.settled:
        settling.look(looks(1.0))
        count += 1
    assert count == 1 + PATIENCE * len(RATES)


def test_while_it_gains_it_goes_on_at_the_full_rate():
    """Each look is clearly nearer than the one before: the first leg never ends."""
    settling = Settling()
    for number in range(100):
        assert settling.look(looks(10.0 - 0.1 * number, wobble=0.01, seed=number))
    assert settling.rate == RATES[0]


def test_gains_below_chance_add_up():
    """A gain of 0.7 standard errors is none; two of them, one after the other, are one."""
    settling = Settling()
    first = looks(1.0, wobble=0.1)
    spread = looks(0.0, wobble=0.1, seed=1)
    error = float(spread.std()) / 8**0.5
    settling.look(first)
    for number in range(1, 9):
        settling.look(first + spread - 0.7 * error * number)
    assert settling.leg == 0


def test_chance_is_no_gain():
    """Looks that differ by chance alone end, though one of them is always the best."""
    settling = Settling()
    for number in range(60):
        settling.look(looks(1.0, wobble=0.0) + 0.1 * torch.randn(8, generator=generator(number)))
    assert settling.settled


def generator(seed):
    """Return a seeded CPU generator."""
    return torch.Generator().manual_seed(seed)


def test_a_look_astray_is_never_the_best_and_lowers_the_rate():
    """The nearest look makes no sense: it is not kept, and the next leg begins."""
    settling = Settling()
    assert settling.look(looks(1.0))
    assert not settling.look(looks(0.1), astray=True)
    assert settling.rate == RATES[1]
    assert settling.look(looks(0.9))


def test_the_best_is_the_lowest_mean():
    """A look that is worse is not kept, and the best stays."""
    settling = Settling()
    assert settling.look(looks(1.0))
    assert not settling.look(looks(1.2))
    assert float(settling.best.mean()) == pytest.approx(1.0)


def test_a_resumed_fit_settles_at_the_same_look():
    """After every look a fresh object that takes over the state goes on alike."""
    straight, resumed = Settling(), Settling()
    for number in range(30):
        distances = looks(1 / (number + 1), wobble=0.05, seed=number)
        assert straight.look(distances) == resumed.look(distances)
        state, resumed = resumed.state_dict(), Settling()
        resumed.load_state_dict(state)
        assert resumed.state_dict()["leg"] == straight.leg
        assert resumed.settled == straight.settled

"""What guesses are worth: the simulation of `tests.benchmarks.guessing`, in small."""

import pytest

from brands.guarding.suspicion import CLIENT, DOUBLINGS
from tests.benchmarks.guessing import KINDS, Attack, Guesses, Population, listed

AGENCIES, DAYS = 3, 60


@pytest.fixture(scope="module")
def population() -> Population:
    """Members of a brand whose numbers are generated."""
    return Population(5_000, seed=1)


@pytest.mark.parametrize("guesses", KINDS.values(), ids=list(KINDS))
def test_guesses_win_nothing(population: Population, guesses: Guesses) -> None:
    """Whoever guesses, in haste or with patience, has the answers that are free and one more a
    day, raises an alarm, and learns nobody's number and name, not nearly."""
    hasty = Attack(population, guesses, agencies=AGENCIES, stock=100_000).hastily()
    assert (hasty.offered >= 100_000, hasty.answered) == (True, AGENCIES * CLIENT.free)
    patient = Attack(population, guesses, agencies=AGENCIES, stock=100_000).patiently(DAYS)
    assert patient.answered <= AGENCIES * (CLIENT.free + DOUBLINGS + 2 + DAYS)
    for outcome in (hasty, patient):
        assert outcome.alarms >= AGENCIES
        assert (outcome.won, outcome.nearly) == (set(), set())


def test_customers_buy_a_quarter_of_a_guess_a_week(population: Population) -> None:
    """An agency with forty customers of its own can hide ten guesses a week among them."""
    guesses = KINDS["random numbers, random names"]
    attack = Attack(population, guesses, agencies=1, stock=100_000, customers=40)
    outcome = attack.patiently(DAYS)
    weeks = DAYS // 7 + 1
    assert outcome.answered <= CLIENT.free + DOUBLINGS + 2 + DAYS + weeks * 10
    assert (outcome.won, outcome.nearly) == (set(), set())


def test_the_simulation_would_notice(population: Population) -> None:
    """With a list of real numbers the commonest surname is right now and then: wins are counted."""
    assert Attack(population, listed, agencies=60, stock=1_500).hastily().won

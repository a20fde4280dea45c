"""The arithmetic of budgets: how many wrong answers there are to be had."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brands.guarding.suspicion import (
    CLIENT,
    DAY,
    DOUBLINGS,
    MEMBER,
    MINUTE,
    NUMBER,
    AlarmKind,
    Budget,
    Charge,
    Marks,
    Memory,
    Meter,
    charge_of,
    obstacle,
)

NOW = 10**15


class Ledger:
    """What one asker leaves behind, at a clock that is moved by hand."""

    def __init__(self, budget: Budget = CLIENT) -> None:
        self.budget = budget
        self.now = NOW
        self.meters: dict[str, Meter] = {}
        self.seen: set[str] = set()
        self.alarms: list[AlarmKind] = []

    def memory(self) -> Memory:
        return Memory(self.now, 0, self.meters, self.seen)

    def shut_for(self, *marks: Marks) -> int:
        """For how long nothing of this is looked up."""
        found = obstacle(self.memory(), "own", marks)
        return 0 if found is None else found[0] - self.now

    def ask(self, *asked: tuple[Marks, bool]) -> bool:
        """Asks, and returns whether it was answered."""
        marks = [mark for mark, _ in asked]
        if self.shut_for(*marks):
            return False
        charge = charge_of(self.memory(), "own", self.budget, marks, [hit for _, hit in asked])
        if charge is not None:
            self._keep(charge)
        return charge is None or charge.retry_at is None

    def _keep(self, charge: Charge) -> None:
        self.meters |= charge.meters
        for key, (more, shut) in charge.shared.items():
            held = self.meters.get(key, Meter())
            self.meters[key] = Meter(max(held.empty_at, self.now) + more, shut)
        self.seen.update(charge.seen)
        self.alarms += [alarm.kind for alarm in charge.alarms]


def marks(name: int, number: int | None = None) -> Marks:
    """A question of its own; about a number of its own unless one is given."""
    n = name if number is None else number
    return Marks(f"g{n}/{name}", f"w{n}/{name}", f"m{n}", f"n{n}", f"s{name}", f"b{n}")


def miss(name: int, number: int | None = None) -> tuple[Marks, bool]:
    """What does not match."""
    return marks(name, number), False


def hit(number: int) -> tuple[Marks, bool]:
    """What does."""
    return marks(number), True


@pytest.mark.parametrize("budget", [CLIENT, MEMBER])
def test_the_free_misses_come_without_delay_and_the_next_doubles_it(budget: Budget) -> None:
    """So many misses are free; each after them shuts for twice as long, up to a bound, as long as
    none is forgotten."""
    ledger = Ledger(budget)
    for name in range(budget.free):
        assert ledger.ask(miss(name))
    assert ledger.shut_for(marks(-1)) == 0
    delays = []
    for name in range(100, 100 + DOUBLINGS + 4):
        assert ledger.ask(miss(name))
        delays.append(ledger.shut_for(marks(-1)))
        assert not ledger.ask(miss(-1))
        ledger.now += delays[-1]
    assert delays[:9] == [MINUTE << doubled for doubled in range(9)]
    assert max(delays) <= MINUTE << DOUBLINGS


def test_a_year_of_patience_gives_no_more_than_a_miss_a_day() -> None:
    """Whoever waits exactly as long as she has to has 20 wrong answers at once, a dozen in the
    first days, and then one a day."""
    ledger, answered = Ledger(), 0
    while ledger.now < NOW + 365 * DAY:
        assert ledger.ask(miss(answered))
        answered += 1
        ledger.now += ledger.shut_for(marks(-1))
    assert 365 < answered < 365 + CLIENT.free + DOUBLINGS + 2


def test_a_batch_beyond_the_free_misses_is_not_answered() -> None:
    """A hundred guesses at once are not answered, nor twenty-one; twenty are."""
    for size, answered in ((100, False), (CLIENT.free + 1, False), (CLIENT.free, True)):
        ledger = Ledger()
        assert ledger.ask(*(miss(name) for name in range(size))) is answered
        assert ledger.shut_for(marks(-1)) == (0 if answered else MINUTE)
        assert bool(ledger.seen) is answered


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 3)), max_size=60), st.randoms())
def test_no_order_of_batches_buys_more_wrong_answers(
    batches: list[tuple[int, int]], chance: random.Random
) -> None:
    """However guesses are put into batches and whatever is waited for, no more wrong answers are
    given than are free, were forgotten, were made up for by matches, or came alone after a
    delay."""
    ledger, wrong, matches, alone, names = Ledger(), 0, 0, 0, 0
    for size, pause in batches:
        found = chance.randrange(3)
        asked = [miss(names + place) for place in range(size)]
        asked += [hit(10**6 + names + place) for place in range(found)]
        names += size + found
        if ledger.ask(*asked):
            wrong += size
            matches += found
            alone += size + found == 1
        ledger.now += pause * ledger.shut_for(marks(-1))
    forgotten = (ledger.now - NOW) // DAY + 1
    assert wrong <= CLIENT.free + forgotten + matches // 4 + 1 + alone


def test_the_same_row_again_costs_nothing() -> None:
    """A guess that was answered once is answered again, for it tells nothing; and so often as one
    likes."""
    ledger = Ledger()
    assert ledger.ask(miss(1))
    before = dict(ledger.meters)
    for _ in range(50):
        assert ledger.ask(miss(1), miss(1))
    assert ledger.meters == before


def test_what_is_known_to_be_right_clears_nothing() -> None:
    """A number and name that the asker knows make up for a quarter of a miss, once; in other words
    and other spellings of the name, too."""
    ledger = Ledger()
    for name in range(CLIENT.free):
        ledger.ask(miss(name))
    before = ledger.meters["own"]
    assert ledger.ask(hit(500))
    once = ledger.meters["own"]
    assert once.empty_at == before.empty_at - DAY // 4
    for spelling in range(30):
        again = replace(marks(500), guess=f"spelling {spelling}", wrong=f"so {spelling}")
        assert ledger.ask((again, True))
    assert ledger.meters["own"] == once


def test_a_batch_that_is_not_answered_credits_nothing() -> None:
    """Matches in a batch that is refused for the sake of a number count when they are answered, and
    not each time that they are sent."""
    ledger = Ledger()
    for name in range(CLIENT.free):
        ledger.ask(miss(name))
    good = [hit(number) for number in range(500, 580)]
    level = ledger.meters["own"].empty_at
    for number in range(3):
        wrong = [miss(10_000 + 100 * number + name, 900 + number) for name in range(7)]
        ledger.now += ledger.shut_for(marks(-1))
        assert not ledger.ask(*wrong, *good)
        assert ledger.meters["own"].empty_at > level
        level = ledger.meters["own"].empty_at


@pytest.mark.parametrize("size", [1, 10, 100])
def test_an_honest_agency_is_never_stopped(size: int) -> None:
    """With one miss in ten, 50,000 verifies in a day are all answered, one by one and in
    batches, and no alarm is raised."""
    chance, ledger = random.Random(7), Ledger()
    for first in range(0, 50_000, size):
        asked = [
            miss(name) if chance.random() < 0.1 else hit(name)
            for name in range(first, first + size)
        ]
        assert ledger.ask(*asked), first
        ledger.now += DAY * size // 50_000
    assert ledger.alarms == []


def test_who_was_shut_gets_back_to_work() -> None:
    """After a file of nonsense an agency that goes on as ever is answered as soon as the delay is
    over, and is as good as new soon after."""
    ledger = Ledger()
    assert not ledger.ask(*(miss(name) for name in range(100)))
    ledger.now += ledger.shut_for(marks(-1))
    for batch in range(1, 4):
        names = range(batch * 1_000, batch * 1_000 + 90)
        assert ledger.ask(*(hit(name) for name in names), *(miss(-name) for name in names[:10]))
    assert CLIENT.misses(ledger.meters["own"], ledger.now) == 0


def test_a_number_has_a_budget_of_its_own_over_all_askers() -> None:
    """Five names may be tried with a number, by whomever; then it is shut for everybody but those
    who have named its member rightly."""
    ledger = Ledger()
    for name in range(NUMBER.free + 1):
        ledger.meters.pop("own", None)  # somebody else
        assert ledger.ask(miss(name, number=9))
    assert ledger.shut_for(marks(77, number=9)) == MINUTE
    assert obstacle(ledger.memory(), "own", [marks(1), marks(77, 9)]) == (NOW + MINUTE, 1)
    assert ledger.shut_for(marks(77, number=8)) == 0
    assert ledger.alarms == [AlarmKind.NAMES]
    ledger.seen.add(marks(0, number=9).match)
    assert ledger.shut_for(marks(77, number=9)) == 0


def test_names_come_at_no_discount_in_a_batch() -> None:
    """Two names tried at once with a number cost it two, answered or not; so that nobody has two
    for the price of one by asking whether both are wrong."""
    together, apart = Ledger(), Ledger()
    for name in range(NUMBER.free):
        together.ask(miss(name, number=9))
        apart.ask(miss(name, number=9))
    for name in (100, 102):
        for ledger in (together, apart):
            ledger.now += ledger.shut_for(marks(-1, number=9))
        assert not together.ask(miss(name, 9), miss(name + 1, 9))
        for each in (name, name + 1):
            apart.now += apart.shut_for(marks(-1, number=9))
            assert apart.ask(miss(each, 9))
    names = [NUMBER.misses(each.meters["n9"], each.now) for each in (together, apart)]
    assert names == [NUMBER.free + 4] * 2


def test_one_wrong_name_counts_once_for_its_number() -> None:
    """A member whose name is out of date is asked for by many agencies under the new one: that is
    one guess."""
    ledger = Ledger()
    for agency in range(50):
        ledger.meters.pop("own", None)
        asked = replace(marks(3, number=9), guess=f"agency {agency}")
        assert ledger.ask((asked, False))
    assert NUMBER.misses(ledger.meters["n9"], ledger.now) == 1


def test_alarms_tell_what_is_being_done() -> None:
    """One surname over many numbers and a walk along neighbours raise an alarm before the budget
    is used up, the used up budget another, each once."""
    ledger = Ledger()
    for number in range(CLIENT.free + 1):
        asked = replace(marks(number), surname="smith", neighbours="street")
        assert ledger.ask((asked, False))
    assert ledger.alarms == [AlarmKind.SURNAME, AlarmKind.NEIGHBOURS, AlarmKind.MISSES]


def test_a_clock_that_is_set_back_shuts_nobody_out() -> None:
    """However far ahead of the clock a meter is, it is never fuller than full."""
    meter = CLIENT.charged(Meter(NOW + 10_000 * DAY), NOW, misses=1)
    assert meter.empty_at == NOW + CLIENT.highest
    assert meter.shut_until == NOW + (MINUTE << DOUBLINGS)

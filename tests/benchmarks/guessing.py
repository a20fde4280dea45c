"""What two million guesses are worth: attackers of several kinds against the budgets of lookups.

`python -m tests.benchmarks.guessing` plays them in virtual time with the code that decides in the
gateway (marks, meters, name matching), and prints how many guesses were answered, how long that
took, and whose memberships were won. Several agencies collude and share what they learn.

Hasty attackers send batch after batch, shut or not, until they have sent all they have. Patient
ones ask what is answered, one by one when they have to, and wait exactly as long as they must, for
a year; some have customers, whose numbers and names they hold, to make up for misses with. The last
kind has a list of real numbers: she holds one part already, and it is shown what the other is
worth then.
"""

import argparse
import random
import sys
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass, field
from itertools import accumulate, count
from uuid import UUID

from brands.callers import Caller, CallerKind
from brands.guarding.lookup_marks import Asker, Marker, Question
from brands.guarding.suspicion import (
    CLIENT,
    DAY,
    REMEMBERED,
    Charge,
    Memory,
    Meter,
    charge_of,
    obstacle,
)
from brands.naming.check_digits import luhn_digit
from brands.naming.name_matching import NameMatch, match_names
from brands.naming.numbers import GENERATED_DIGITS
from brands.naming.permutations import permuted

CODE = "AERO"
BRAND = UUID(int=1)
PAYLOADS: int = 10 ** (GENERATED_DIGITS - 1)
SECOND = 1_000_000
BETWEEN_BATCHES = SECOND // 10
"""An agency sends ten batches of a hundred a second: about what its bucket restores."""

_COMMON = (
    "Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez "
    "Gonzalez Wilson Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris"
)
_GIVEN = "James Mary Robert Patricia John Jennifer Michael Linda David Elizabeth William"
COMMON, GIVEN = _COMMON.split(), _GIVEN.split()


class Names:
    """Names by how common they are: the share of the k-th falls with k, as Zipf's law has it. The
    first has one in a hundred, as Smith has in the United States."""

    def __init__(self, surnames: int = 20_000) -> None:
        self.surnames = COMMON + [f"Rare{_letters(n)}" for n in range(surnames - len(COMMON))]
        weights = [1 / (rank + 9) for rank in range(len(self.surnames))]
        self._upto = list(accumulate(weights))
        self.share_of_first = weights[0] / self._upto[-1]

    def draw(self, chance: random.Random) -> tuple[str, str]:
        """A surname and a given name."""
        (surname,) = chance.choices(self.surnames, cum_weights=self._upto)
        return surname, chance.choice(GIVEN)


def _letters(number: int) -> str:
    return "".join("abcdefghij"[int(digit)] for digit in str(number))


class Population:
    """So many members of a brand, under the numbers that the brand generates."""

    def __init__(self, members: int, seed: int) -> None:
        chance, key = random.Random(seed), seed.to_bytes(16)
        self.names = Names()
        self.members = {
            number_of(permuted(place, PAYLOADS, key)): self.names.draw(chance)
            for place in range(1, members + 1)
        }
        self.numbers = list(self.members)

    @property
    def density(self) -> float:
        """Which part of all numbers is somebody's."""
        return len(self.members) / PAYLOADS

    def verdict(self, asked: Question) -> NameMatch:
        """As the gateway compares."""
        her = self.members.get(asked.numbers[0])
        if her is None:
            return NameMatch.NO_MATCH
        return match_names(asked.surname, asked.given_name, *her)


def number_of(payload: int) -> str:
    """A number as it is generated: with its check digit, so that it is looked up."""
    digits = f"{payload % PAYLOADS:0{GENERATED_DIGITS - 1}d}"
    return f"{CODE}{digits}{luhn_digit(digits)}"


class Remembered(Set[str]):
    """What was seen, until it is forgotten."""

    def __init__(self) -> None:
        self.now = 0
        self.until: dict[str, int] = {}

    def __contains__(self, mark: object) -> bool:
        return self.until.get(mark, 0) > self.now  # type: ignore[call-overload, no-any-return]

    def __iter__(self) -> Iterator[str]:
        return (mark for mark in self.until if mark in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Gateway:
    """The guard, with its memory in a dictionary and a clock that is moved by hand."""

    def __init__(self, population: Population) -> None:
        self.population = population
        self.now = 10**15
        self.meters: dict[str, Meter] = {}
        self.seen = Remembered()
        self.alarms = 0
        self._marker = Marker(b"simulation")

    def asker(self, agency: int) -> Asker:
        """An agency."""
        caller = Caller(CallerKind.AGENCY, "agency", agency_id=UUID(int=1_000 + agency))
        return self._marker.asker(caller)

    def shut_until(self, asker: Asker) -> int:
        """Until when it is answered nothing."""
        return self.meters.get(asker.key, Meter()).shut_until

    def ask(self, asker: Asker, asked: list[Question]) -> list[NameMatch] | None:
        """What is answered; None for nothing."""
        if self.shut_until(asker) > self.now:
            return None  # as `obstacle` has it, without the work for a hundred rows
        marks = self._marker.marks(asker, asked)
        self.seen.now = self.now
        memory = Memory(self.now, 0, self.meters, self.seen)
        if obstacle(memory, asker.key, marks) is not None:
            return None
        verdicts = [self.population.verdict(each) for each in asked]
        hits = [verdict is NameMatch.MATCH for verdict in verdicts]
        charge = charge_of(memory, asker.key, asker.budget, marks, hits)
        if charge is not None:
            self._keep(charge)
        return None if charge is not None and charge.retry_at is not None else verdicts

    def _keep(self, charge: Charge) -> None:
        self.meters.update(charge.meters)
        for key, (more, shut) in charge.shared.items():
            held = self.meters.get(key, Meter())
            self.meters[key] = Meter(max(held.empty_at, self.now) + more, shut)
        self.seen.until.update(dict.fromkeys(charge.seen, self.now + REMEMBERED))
        self.alarms += len(charge.alarms)


@dataclass(slots=True)
class Outcome:
    """What came of an attack. `won` are members whose number she guessed, `nearly` those of them
    of whom she was told REVIEW."""

    offered: int = 0
    answered: int = 0
    days: float = 0.0
    alarms: int = 0
    won: set[str] = field(default_factory=set)
    nearly: set[str] = field(default_factory=set)


Guesses = Callable[[random.Random, Population], Iterator[Question]]


def question(number: str, surname: str, given: str | None) -> Question:
    """A guess."""
    return Question(BRAND, (number,), number, surname, given)


def anything(chance: random.Random, population: Population) -> Iterator[Question]:
    """Random numbers with random names."""
    while True:
        surname, given = population.names.draw(chance)
        yield question(number_of(chance.randrange(PAYLOADS)), surname, given)


def commonest(chance: random.Random, population: Population) -> Iterator[Question]:
    """Random numbers with the commonest surname, and no given name to be wrong."""
    while True:
        surname = population.names.surnames[0]
        yield question(number_of(chance.randrange(PAYLOADS)), surname, None)


def walking(chance: random.Random, population: Population) -> Iterator[Question]:
    """The numbers next to a member's that she knows, with the commonest surname."""
    payload = int(chance.choice(population.numbers)[len(CODE) : -1])
    for step in count(1):
        yield question(number_of(payload + step), population.names.surnames[0], None)


def one_number(chance: random.Random, population: Population) -> Iterator[Question]:
    """One number after another, each with the five commonest surnames."""
    while True:
        number = number_of(chance.randrange(PAYLOADS))
        for surname in population.names.surnames[:5]:
            yield question(number, surname, None)


def listed(chance: random.Random, population: Population) -> Iterator[Question]:
    """Real numbers from a list, with the commonest surname."""
    while True:
        yield question(chance.choice(population.numbers), population.names.surnames[0], None)


class Attack:
    """Colluding agencies with one stock of guesses; and customers of their own, whose numbers and
    names they have."""

    def __init__(
        self,
        population: Population,
        guesses: Guesses,
        *,
        agencies: int,
        stock: int,
        customers: int = 0,
        seed: int = 1,
    ) -> None:
        self._chance = random.Random(seed)
        self._population = population
        self._guesses = guesses(self._chance, population)
        self._gateway = Gateway(population)
        self._askers = [self._gateway.asker(agency) for agency in range(agencies)]
        self._stock = stock
        picked = [self._chance.sample(population.numbers, customers) for _ in range(agencies)]
        self._customers = [[question(n, *population.members[n]) for n in own] for own in picked]
        self._shown = [(0, 0) for _ in range(agencies)]
        self._began = self._gateway.now
        self.outcome = Outcome()

    def hastily(self) -> Outcome:
        """Batches of a hundred, and whatever is left over of the free misses first."""
        first = True
        while self.outcome.offered < self._stock:
            for place, asker in enumerate(self._askers):
                self._send(place, asker, CLIENT.free if first else 100)
            first = False
            self._gateway.now += BETWEEN_BATCHES
        return self._ended()

    def patiently(self, days: int) -> Outcome:
        """What is answered and no more, by whoever may ask first."""
        end = self._began + days * DAY
        while self.outcome.offered < self._stock:
            place = min(
                range(len(self._askers)),
                key=lambda each: self._gateway.shut_until(self._askers[each]),
            )
            asker = self._askers[place]
            self._gateway.now = max(self._gateway.now, self._gateway.shut_until(asker))
            if self._gateway.now >= end:
                break
            meter = self._gateway.meters.get(asker.key, Meter())
            room = CLIENT.free - CLIENT.misses(meter, self._gateway.now)
            self._send(place, asker, max(room, 1))
            self._gateway.now += SECOND
        return self._ended()

    def _send(self, place: int, asker: Asker, size: int) -> None:
        """One batch; before it, four customers for each guess, as far as there are any."""
        if self._gateway.shut_until(asker) > self._gateway.now:
            self.outcome.offered += size
            return
        self._show_customers(place, asker)
        asked = [guess for _, guess in zip(range(size), self._guesses, strict=False)]
        verdicts = self._gateway.ask(asker, asked)
        self.outcome.offered += size
        if verdicts is None:
            return
        self.outcome.answered += size
        for guess, verdict in zip(asked, verdicts, strict=True):
            if verdict is NameMatch.MATCH:
                self.outcome.won.add(guess.numbers[0])
            elif verdict is NameMatch.REVIEW:
                self.outcome.nearly.add(guess.numbers[0])

    def _show_customers(self, place: int, asker: Asker) -> None:
        """As many as there are misses to be made up for; each counts once a week."""
        began, shown = self._shown[place]
        if self._gateway.now >= began + REMEMBERED:
            began, shown = self._gateway.now, 0
        own = self._customers[place]
        misses = CLIENT.misses(self._gateway.meters.get(asker.key, Meter()), self._gateway.now)
        asked = own[shown : shown + min(misses * CLIENT.credit, 100)]
        if asked:
            self._gateway.ask(asker, asked)
        self._shown[place] = (began, shown + len(asked))

    def _ended(self) -> Outcome:
        self.outcome.days = (self._gateway.now - self._began) / DAY
        self.outcome.alarms = self._gateway.alarms
        return self.outcome


KINDS: dict[str, Guesses] = {
    "random numbers, random names": anything,
    "random numbers, commonest name": commonest,
    "walking from a known number": walking,
    "each number with five names": one_number,
}


def main() -> None:
    """Plays every kind and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=1_000_000)
    parser.add_argument("--guesses", type=int, default=2_000_000)
    parser.add_argument("--agencies", type=int, default=10)
    parser.add_argument("--customers", type=int, default=200)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    population = Population(given.members, given.seed)
    share = population.names.share_of_first
    print(
        f"{given.members:,} members, one in {1 / population.density:,.0f} numbers; the commonest "
        f"surname is {share:.2%}; {given.agencies} colluding agencies, {given.customers} customers"
    )
    print(f"{'':56}{'offered':>10}{'answered':>10}{'days':>8}{'alarms':>8}{'nearly':>8}{'won':>6}")
    won = 0
    for name, kind in KINDS.items():
        for way in ("hasty", "patient", "patient, with customers"):
            attack = _attack(given, population, kind, given.customers if "with" in way else 0)
            out = attack.hastily() if way == "hasty" else attack.patiently(given.days)
            won += len(out.won) + len(out.nearly)
            _print(f"{name}, {way}", out)
    for way in ("hasty", "patient"):
        attack = _attack(given, population, listed, 0)
        out = attack.hastily() if way == "hasty" else attack.patiently(given.days)
        _print(f"(real numbers, commonest name, {way})", out)
    print(f"memberships won without holding a part of them: {won}")
    sys.exit(int(won > 0))


def _attack(
    given: argparse.Namespace, population: Population, kind: Guesses, customers: int
) -> Attack:
    return Attack(
        population,
        kind,
        agencies=given.agencies,
        stock=given.guesses,
        customers=customers,
        seed=given.seed,
    )


def _print(name: str, out: Outcome) -> None:
    print(
        f"{name:56}{out.offered:>10,}{out.answered:>10,}{out.days:>8,.1f}{out.alarms:>8,}"
        f"{len(out.nearly):>8}{len(out.won):>6}"
    )


if __name__ == "__main__":
    main()

"""How many lookups by number and name may fail before there are delays: the arithmetic alone.

Whoever may ask whether a number and a name belong together can guess. A guess is worth something
only if it is answered; so what is bounded is how many wrong ones are answered, as follows.

A meter counts misses: what did not match, `REVIEW` included, each once however often it is asked.
It is kept as one instant, the one at which it will be empty, and so runs down by itself: a miss
moves that by `leak`, the time in which one is forgotten. With a budget of `free` misses,

    level   = max(empty_at - now, 0) / leak
    a miss      empty_at = max(empty_at, now) + leak
    a match     empty_at = max(empty_at - leak / credit, now)

Nothing is saved up below empty, and a match counts once for each number in a week: to ask again
and again for what is known to be right clears nothing. An agency with fewer than one miss in five
lookups (`credit` 4) drifts towards empty, however many it makes; at one in ten, chance takes it
past 20 misses about once in e^24 bursts. Without matches there are 20 at once and one more a day.

Above `free` the meter shuts: for a minute, and twice as long for each miss more, up to 5.7 days
(2^13 minutes). While it is shut nothing is looked up. Once it is not, one question is answered, and
shuts it again unless it matches.

A batch that would take the meter above `free` is not answered at all, for a hundred guesses are not
to be had for the price of the last free one. It is charged one miss above `free`, or above what
there was, since "not all of these are right" is all that it tells. Of one number it tells more: of
two names, if both are wrong and only then, it would not be answered. So there each name is charged.
One question alone is always answered: to refuse it would say the same as NO_MATCH. A batch that
leaves the meter no higher than it was is answered as well, so that who was shut can get back to
work.

Everything is whole microseconds, and pure: what is read and written is the affair of `guarding`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from enum import StrEnum

from brands.clock import Micros

MINUTE: Micros = 60 * 1_000_000
DAY: Micros = 24 * 60 * MINUTE

FIRST_DELAY = MINUTE
DOUBLINGS = 13

REMEMBERED: Micros = 7 * DAY
"""How long it is remembered what was looked up: engines verify one traveller more than once, when
they search, book and ticket."""


class AlarmKind(StrEnum):
    """What makes lookups look like guessing."""

    MISSES = "MISSES"
    """One caller has used up its budget."""

    NAMES = "NAMES"
    """Many names were tried with one number, by whomever."""

    SURNAME = "SURNAME"
    """One caller tries one surname with many numbers."""

    NEIGHBOURS = "NEIGHBOURS"
    """One caller walks along numbers that differ in their last digits only."""


@dataclass(frozen=True, slots=True)
class Meter:
    """Misses, as the moment at which all are forgotten; nothing is answered before `shut_until`."""

    empty_at: Micros = 0
    shut_until: Micros = 0


@dataclass(frozen=True, slots=True)
class Budget:
    """How many misses are `free`, how long it takes to forget one, and how many matches make up
    for one; where `credit` is 0, none do."""

    free: int
    leak: Micros
    credit: int = 0

    @property
    def full(self) -> Micros:
        """How far ahead a meter is empty whose misses are just free."""
        return self.free * self.leak

    @property
    def highest(self) -> Micros:
        """How far ahead a meter is empty at most: more misses make nothing worse."""
        return self.full + (DOUBLINGS + 1) * self.leak

    def charged(self, meter: Meter, now: Micros, misses: int, matches: int = 0) -> Meter:
        """A meter after so many more of each."""
        credit = matches * self.leak // self.credit if self.credit else 0
        change = misses * self.leak - credit
        after = min(max(self._ahead(meter, now) + change, 0), self.highest)
        return self._shut(now, after) if change > 0 else Meter(now + after)

    def stepped(self, meter: Meter, now: Micros) -> Meter:
        """A meter after a batch that is not answered: one miss above what is free, or above what
        there was."""
        before = max(self._ahead(meter, now), self.full)
        return self._shut(now, min(before + self.leak, self.highest))

    def is_over(self, meter: Meter, now: Micros) -> bool:
        """Whether there are more misses than are free."""
        return meter.empty_at - now > self.full

    def misses(self, meter: Meter, now: Micros) -> int:
        """How many misses are not forgotten, rounded up."""
        return -(-self._ahead(meter, now) // self.leak)

    def _ahead(self, meter: Meter, now: Micros) -> Micros:
        return min(max(meter.empty_at - now, 0), self.highest)  # though a clock were set back

    def _shut(self, now: Micros, ahead: Micros) -> Meter:
        """A meter that has risen."""
        more = -(-(ahead - self.full) // self.leak)
        if more <= 0:
            return Meter(now + ahead)
        return Meter(now + ahead, now + (FIRST_DELAY << min(more - 1, DOUBLINGS)))


CLIENT = Budget(free=20, leak=DAY, credit=4)
"""Of an agency with all its credentials, and of whoever else asks for others' sake."""

MEMBER = Budget(free=10, leak=DAY)
"""Of a member, who names those whom she gives points to."""

NUMBER = Budget(free=5, leak=7 * DAY)
"""Of one loyalty number, whoever asks for it, and whether there is such a number or not."""

PATTERN = Budget(free=12, leak=DAY, credit=4)
"""Of what only raises an alarm, and shuts nothing."""


@dataclass(frozen=True, slots=True)
class Marks:
    """What a question leaves behind, as keyed hashes: `guess` is all of it, and `wrong` the same
    whoever asks; `match` is who asks for which number."""

    guess: str
    wrong: str
    match: str
    number: str
    surname: str
    neighbours: str


@dataclass(frozen=True, slots=True)
class Memory:
    """What was remembered of lookups when a request came: the meters by their keys, and what was
    looked up before."""

    now: Micros
    version: int
    meters: Mapping[str, Meter]
    seen: Set[str]

    def meter(self, key: str) -> Meter:
        """A meter; an empty one where there is none."""
        return self.meters.get(key, Meter())


@dataclass(frozen=True, slots=True)
class Suspicion:
    """An alarm to be raised, and which of the questions it is about."""

    kind: AlarmKind
    place: int
    misses: int


@dataclass(frozen=True, slots=True)
class Charge:
    """What a request has to leave behind before it is answered; `retry_at` if it is not answered.

    `shared` are the meters that others may have charged meanwhile, with how much to add.
    """

    now: Micros
    version: int
    meters: Mapping[str, Meter]
    shared: Mapping[str, tuple[Micros, Micros]]
    seen: Sequence[str]
    alarms: Sequence[Suspicion]
    retry_at: Micros | None


def obstacle(memory: Memory, own: str, marks: Sequence[Marks]) -> tuple[Micros, int | None] | None:
    """Until when a request is not to be answered, and which question is in the way, if one is.

    The number of a traveller whom the caller has named rightly before is in nobody's way.
    """
    if memory.meter(own).shut_until > memory.now:
        return memory.meter(own).shut_until, None
    shut = [
        (memory.meter(each.number).shut_until, place)
        for place, each in enumerate(marks)
        if each.match not in memory.seen and memory.meter(each.number).shut_until > memory.now
    ]
    return max(shut, default=None)


def charge_of(
    memory: Memory, own: str, budget: Budget, marks: Sequence[Marks], matched: Sequence[bool]
) -> Charge | None:
    """What has to be charged for questions whose answers are known; None for nothing."""
    missed = _first(marks, (not hit for hit in matched), "guess", memory.seen)
    found = _first(marks, matched, "match", memory.seen) if budget.credit else {}
    if not (missed or found):
        return None
    reckoning = _Reckoning(memory, marks, missed, found)
    reckoning.numbers()
    reckoning.own(own, budget)
    for kind in (AlarmKind.SURNAME, AlarmKind.NEIGHBOURS):
        reckoning.pattern(kind)
    return reckoning.charge()


def _first(
    marks: Sequence[Marks], chosen: Iterable[bool], name: str, seen: Set[str]
) -> dict[str, int]:
    """The places of the questions chosen, by a mark of theirs that was not seen: each mark once."""
    places: dict[str, int] = {}
    for place, (each, is_chosen) in enumerate(zip(marks, chosen, strict=True)):
        mark = getattr(each, name)
        if is_chosen and mark not in seen:
            places.setdefault(mark, place)
    return places


class _Reckoning:
    """One request, reckoned up."""

    def __init__(
        self,
        memory: Memory,
        marks: Sequence[Marks],
        missed: Mapping[str, int],
        found: Mapping[str, int],
    ) -> None:
        self._memory = memory
        self._marks = marks
        self._missed = missed
        self._found = found
        self._meters: dict[str, Meter] = {}
        self._shared: dict[str, Meter] = {}
        self._alarms: list[Suspicion] = []
        self._unanswered: list[Micros] = []

    def numbers(self) -> None:
        """The meters of the numbers asked for: each name that was never tried with one counts."""
        chosen = (place in self._missed.values() for place in range(len(self._marks)))
        wrong = _first(self._marks, list(chosen), "wrong", self._memory.seen)
        places = {self._marks[place].number: place for place in wrong.values()}
        for key, misses in Counter(self._marks[place].number for place in wrong.values()).items():
            now, before = self._memory.now, self._memory.meter(key)
            after = NUMBER.charged(before, now, misses)
            if after.shut_until > now and misses > 1:
                self._unanswered.append(after.shut_until)
            self._shared[key] = after
            self._watch(AlarmKind.NAMES, NUMBER, (before, after), places[key])

    def own(self, key: str, budget: Budget) -> None:
        """The caller's own meter."""
        misses, matches = len(self._missed), 0 if self._unanswered else len(self._found)
        now, before = self._memory.now, self._memory.meter(key)
        after = budget.charged(before, now, misses, matches)
        if after.shut_until > now and misses + matches > 1:
            after = budget.stepped(before, now)
            self._unanswered.append(after.shut_until)
        self._meters[key] = after
        if misses:
            self._watch(AlarmKind.MISSES, budget, (before, after), max(self._missed.values()))

    def pattern(self, kind: AlarmKind) -> None:
        """The meters of what the misses have in common. A match only lowers one that there is."""
        name = kind.value.lower()
        misses = Counter(getattr(self._marks[place], name) for place in self._missed.values())
        found = () if self._unanswered else self._found.values()
        matches = Counter(getattr(self._marks[place], name) for place in found)
        places = {getattr(self._marks[place], name): place for place in self._missed.values()}
        for key in {*misses, *(matches.keys() & self._memory.meters.keys())}:
            before = self._memory.meter(key)
            after = PATTERN.charged(before, self._memory.now, misses[key], matches[key])
            self._meters[key] = replace(after, shut_until=0)
            if key in places:
                self._watch(kind, PATTERN, (before, after), places[key])

    def charge(self) -> Charge:
        """All of it. What is not answered is not remembered, for it has told nothing; so the same
        matches would count again, and they do not count until they are."""
        now, retry_at = self._memory.now, max(self._unanswered, default=None)
        seen: list[str] = []
        if retry_at is None:
            wrong = (self._marks[place].wrong for place in self._missed.values())
            seen = sorted({*self._missed, *wrong, *self._found})
        shared = {
            key: (after.empty_at - max(self._memory.meter(key).empty_at, now), after.shut_until)
            for key, after in self._shared.items()
        }
        return Charge(now, self._memory.version, self._meters, shared, seen, self._alarms, retry_at)

    def _watch(
        self, kind: AlarmKind, budget: Budget, change: tuple[Meter, Meter], place: int
    ) -> None:
        """Raises an alarm when a meter goes above what is free, and not again while it is there."""
        now, (before, after) = self._memory.now, change
        if budget.is_over(after, now) and not budget.is_over(before, now):
            self._alarms.append(Suspicion(kind, place, budget.misses(after, now)))

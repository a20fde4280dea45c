"""The life of a booking: a state machine drives bookings against an oracle made of plain dicts."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from brands.coalition import open_coalition
from brands.errors import DomainError
from brands.ledger.audit import audit
from brands.travel.attaching import attach, detach
from brands.travel.booking_parts import Done
from brands.travel.bookings import Booking, SegmentStatus
from brands.travel.crediting import Confirmation, confirm
from brands.travel.voiding import VoidReason, void
from tests.brands.booked import Scene, attachment, flight, pending, scene, whole
from tests.brands.shutting import shut_numbers
from tests.brands.stage import OPERATOR, all_money, balances, key

PENDING, CREDITED, VOIDED = SegmentStatus.PENDING, SegmentStatus.CREDITED, SegmentStatus.VOIDED
INELIGIBLE, NOT_CREDITED = SegmentStatus.INELIGIBLE, SegmentStatus.NOT_CREDITED
DETACHED = SegmentStatus.DETACHED

PRICE = 12_000
"""What a supplier pays for a point, at either program, in micro-units."""

# The third is the second's partner's: sold as AE 2, it is flown as GR 9. So is the fifth the
# fourth's, of which only the partner knows that it is GR 8; and the last is the first once more.
JOURNEYS = (
    flight(1),
    flight(2, operating_carrier="GR", operating_number="9"),
    flight(9, carrier="GR"),
    flight(3, operating_carrier="GR"),
    flight("8A", carrier="GR"),
    flight("1B"),
)
SAME = (0, 1, 2, 3, 4, 0)
CHART = (500, 250, 250, 250, 250)
SUPPLIER = ("AERO", "GROCER", "GROCER", "GROCER", "GROCER")
SOLD_AS = ("AE1", "AE2", "GR9", "AE3", "GR8")
BOOKED_AS_FLOWN = {1: "9"}
CODESHARES = (1, 3)
ALIKE = ({0}, {1, 2}, {3}, {4})
"""Of the journeys of a set one is pending at a time: as booked they are one flight."""

PICK = st.integers(0, 10_000)
SOME = st.sets(st.integers(0, 5), min_size=1, max_size=4)
NUMBER = st.sampled_from([None, "8", "8", "7"])
"""What the partner says that a codeshare was flown as."""
PROGRAM = st.sampled_from(["AERO", "AERO", "HOTEL", "NOBODY"])


@dataclass
class Leg:
    """What the oracle knows of a segment."""

    journey: int
    program: str
    status: SegmentStatus = PENDING
    points: int = 0
    number: str | None = None
    """What it was flown as, where its partner has said that."""
    linked: bool = True
    """Whether it is known to be Ada's: not where her number was shut, until it is confirmed."""

    @property
    def supplier(self) -> str:
        return SUPPLIER[self.journey]

    def names(self, number: str | None = None) -> set[str]:
        """By what it is known, if its partner says a number."""
        flown = number or self.number or BOOKED_AS_FLOWN.get(self.journey)
        return {SOLD_AS[self.journey], *([f"GR{flown}"] if flown else [])}


class Lives(RuleBasedStateMachine):
    """Two agencies, two record locators, five journeys, two programs; operators, who may all."""

    def __init__(self, template: Path, place: Path) -> None:
        super().__init__()
        self.template, self.place = template, place
        self.runner = asyncio.Runner()
        self.legs: dict[tuple[int, int], list[Leg]] = {}
        self.bookings: dict[tuple[int, int], Booking] = {}
        self.asked: list[tuple[Callable[[], Awaitable[Any]], list[str | None]]] = []

    @initialize()
    def open(self) -> None:
        """A coalition in which nothing is booked."""
        shutil.copy(self.template, self.place)
        self.coalition = self.runner.run(open_coalition(f"sqlite:///{self.place}"))
        self.it: Scene = self.runner.run(scene(self.coalition))
        self.agencies = (self.it.sky, self.it.sea)

    # What is done.

    @rule(
        who=st.integers(0, 1),
        locator=st.integers(0, 1),
        some=SOME,
        program=PROGRAM,
        shut=st.booleans(),
    )
    def attached(self, who: int, locator: int, some: set[int], program: str, shut: bool) -> None:
        """Ada's number, or nobody's, for some of the journeys; perhaps in place of another, and
        perhaps while it is shut to everybody."""
        name = (who, locator)
        live = {leg.journey: leg for leg in self.legs.get(name, []) if self._lives(leg)}
        given = list(dict.fromkeys(SAME[each] for each in sorted(some)))
        held = [live[each] for each in given if each in live]
        refusal = next(
            (
                "SegmentAlreadyCredited" if leg.status is CREDITED else "SegmentClosed"
                for leg in held
                if leg.status is not PENDING and leg.program != program
            ),
            None,
        )
        brand, number = (program, {}) if program != "NOBODY" else ("AERO", {"number": "X1"})
        said = attachment(
            self.it,
            *(JOURNEYS[each] for each in sorted(some)),
            brand=brand,
            record_locator=f"LOC{locator}",
            **number,
        )
        with shut_numbers(are_shut=shut):
            answer = self._ask(lambda: attach(self.coalition, self.agencies[who], said), [refusal])
        if refusal is None:
            of_it = [leg for leg in self.legs.get(name, []) if leg.program == program]
            linked = not shut or any(leg.linked for leg in of_it)
            for leg in held:
                if leg.status is PENDING:
                    leg.program, leg.linked = program, linked
            new = [Leg(each, program, linked=linked) for each in given if each not in live]
            self.legs.setdefault(name, []).extend(new)
            self.bookings[name] = answer.booking
        self._compare()

    @rule(pick=PICK, everything=st.booleans())
    def detached(self, pick: int, everything: bool) -> None:
        """One of a booking's segments, or all that are pending, by its agency."""
        if not (found := self._picked(pick)):
            return
        name, place = found
        legs = self.legs[name]
        chosen = [leg for leg in legs if leg.status is PENDING] if everything else [legs[place]]
        ids = None if everything else [self._segment(name, place).id]
        refusal = None if chosen else "NothingPending"
        if chosen and chosen[0].status is not PENDING:
            closed = chosen[0].status is not CREDITED
            refusal = "SegmentClosed" if closed else "SegmentAlreadyCredited"
        booking, named, who = self.bookings[name].id, key(), self.agencies[name[0]]
        self._ask(lambda: detach(self.coalition, who, booking, ids, named), [refusal])
        for leg in chosen if refusal is None else []:
            leg.status = DETACHED
        self._compare()

    @rule(
        picks=st.lists(PICK, min_size=1, max_size=3),
        points=st.sampled_from([None, 7, 7, 0]),
        number=NUMBER,
    )
    def confirmed(self, picks: list[int], points: int | None, number: str | None) -> None:
        """Some segments of any bookings, with so many points or those of the chart; of codeshares
        perhaps with a number."""
        chosen = [found for pick in picks if (found := self._picked(pick))]
        chosen = list(dict.fromkeys(chosen))
        if not chosen:
            return
        legs = [self.legs[name][place] for name, place in chosen]
        numbers = [number if leg.journey in CODESHARES else None for leg in legs]
        before = self._credited_names()
        expected = [
            self._confirm(leg, points, each, before)
            for leg, each in zip(legs, numbers, strict=True)
        ]
        reason = "A bought seat." if points == 0 else None
        ids = [self._segment(name, place).id for name, place in chosen]
        said = [
            Confirmation(id, points, reason, operating_number=each)
            for id, each in zip(ids, numbers, strict=True)
        ]
        named = key()
        self._ask(lambda: confirm(self.coalition, OPERATOR, said, named), expected)
        self._compare()

    def _confirm(
        self, leg: Leg, points: int | None, number: str | None, before: set[str]
    ) -> str | None:
        """What becomes of one, and why it is refused; `before` the request those were credited."""
        if leg.status is not PENDING:
            return "SegmentAlreadyCredited" if leg.status is CREDITED else "SegmentClosed"
        names = leg.names(number)
        if points is None:
            if leg.program == "HOTEL":
                return "FlightAlreadyCredited" if names & before else "AccrualNotCharted"
            points = CHART[leg.journey]
        if points == 0 or leg.program == "NOBODY":
            leg.status = INELIGIBLE if points == 0 else NOT_CREDITED
            leg.linked = True
            return None
        if names & before:
            return "FlightAlreadyCredited"
        if leg.journey in CODESHARES and len(names) == 1:
            return "OperatingFlightUnknown"
        if names & self._credited_names():
            return "FlightAlreadyCredited"
        leg.status, leg.points, leg.number, leg.linked = CREDITED, points, number, True
        return None

    @rule(pick=PICK, by_agency=st.booleans(), refund=st.booleans())
    def voided(self, pick: int, by_agency: bool, refund: bool) -> None:
        """A segment of a booking or all of it, by its agency or by an operator."""
        if not (found := self._picked(pick, CREDITED)):
            return
        name, place = found
        legs = self.legs[name]
        whole_booking = pick % 3 == 0
        chosen = [leg for leg in legs if self._lives(leg)] if whole_booking else [legs[place]]
        expected = [self._void(leg, by_agency) for leg in chosen]
        which = self.bookings[name].id if whole_booking else [self._segment(name, place).id]
        who = self.agencies[name[0]] if by_agency else OPERATOR
        reason = VoidReason.REFUND if refund else VoidReason.VOID
        named = key()
        self._ask(lambda: void(self.coalition, who, which, reason, named), expected)
        self._compare()

    def _void(self, leg: Leg, by_agency: bool) -> str | None:
        if not self._lives(leg):
            return "SegmentClosed"
        if leg.status is CREDITED and by_agency:
            return "SegmentAlreadyCredited"
        leg.status, leg.points = VOIDED, 0
        return None

    @rule(pick=PICK)
    def retried(self, pick: int) -> None:
        """Something that was asked before, with the same key: the same answer, and no change."""
        if self.asked:
            ask, expected = self.asked[pick % len(self.asked)]
            assert self._answer(ask)[1] == expected
            self._compare()

    # How it is asked, and what is expected.

    def _ask(self, ask: Callable[[], Awaitable[Any]], expected: list[str | None]) -> Any:
        self.asked.append((ask, expected))
        answer, refusals = self._answer(ask)
        assert refusals == expected
        return answer

    def _answer(self, ask: Callable[[], Awaitable[Any]]) -> tuple[Any, list[str | None]]:
        try:
            answer = self.runner.run(cast("Any", ask()))
        except DomainError as error:
            return None, [type(error).__name__]
        if not isinstance(answer, Done):
            return answer, [None]
        errors = [each.error for each in answer.results]
        return answer, [None if each is None else type(each).__name__ for each in errors]

    def _lives(self, leg: Leg) -> bool:
        return leg.status not in (DETACHED, VOIDED)

    def _credited_names(self) -> set[str]:
        legs = [leg for of_one in self.legs.values() for leg in of_one if leg.status is CREDITED]
        return {name for leg in legs for name in leg.names()}

    def _picked(
        self, pick: int, likely: SegmentStatus = PENDING
    ) -> tuple[tuple[int, int], int] | None:
        """Some segment of some booking: mostly one with which there is something to be done."""
        places = [(name, n) for name, legs in self.legs.items() for n in range(len(legs))]
        chosen = [(name, n) for name, n in places if self.legs[name][n].status is likely]
        among = chosen if chosen and pick % 4 else places
        return among[pick % len(among)] if among else None

    def _segment(self, name: tuple[int, int], place: int) -> Any:
        return self.runner.run(whole(self.coalition, self.bookings[name].id)).segments[place]

    def _compare(self) -> None:
        """All is as the oracle says: what became of each, what Ada has, what is to come, and who
        has paid for it."""
        self.runner.run(self._compared())

    async def _compared(self) -> None:
        credited = [leg for legs in self.legs.values() for leg in legs if leg.status is CREDITED]
        for name, booking in self.bookings.items():
            found = (await whole(self.coalition, booking.id)).segments
            assert [each.status for each in found] == [leg.status for leg in self.legs[name]]
        names = [name for leg in credited for name in leg.names()]
        assert len(names) == len(set(names))
        for program in ("AERO", "HOTEL"):
            due = sum(leg.points for leg in credited if leg.program == program)
            assert await balances(self.coalition, [self.it.ada.at[program]]) == [due]
        money = await all_money(self.coalition)
        for supplier in ("AERO", "GROCER"):
            paid = sum(leg.points for leg in credited if leg.supplier == supplier)
            assert money[f"{supplier}.SETTLEMENT"] == -paid * PRICE
        assert await pending(self.coalition, self.it) == self._pending()

    def _pending(self) -> int:
        """What AERO's chart gives for journeys that are pending there and known to be Ada's, each
        once; where two are the same under different names, both earn as much."""
        credited = self._credited_names()
        waiting = {
            leg.journey
            for legs in self.legs.values()
            for leg in legs
            if leg.status is PENDING
            and leg.program == "AERO"
            and leg.linked
            and not leg.names() & credited
        }
        return sum(CHART[min(alike)] for alike in ALIKE if alike & waiting)

    def teardown(self) -> None:
        """The books are sound."""
        if hasattr(self, "coalition"):
            assert self.runner.run(audit(self.coalition.database)) == []
            self.runner.run(self.coalition.close())
        self.runner.close()


def test_every_life_of_a_booking_ends_well(sqlite_template: Path, tmp_path: Path) -> None:
    """However bookings are attached, replaced, detached, confirmed, voided and retried, a flight is
    never credited twice, nothing voided stays credited, and every sum is the oracle's."""
    run_state_machine_as_test(
        cast("type[Lives]", lambda: Lives(sqlite_template, tmp_path / "lives.db")),
        settings=settings(
            max_examples=20,
            stateful_step_count=40,
            deadline=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )

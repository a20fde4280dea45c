"""Claims beside bookings: a state machine drives both against an oracle made of plain lists."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import Any, cast

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from brands.callers import Caller
from brands.coalition import open_coalition
from brands.errors import DomainError
from brands.ledger.audit import audit
from brands.travel.attaching import attach
from brands.travel.booking_parts import Done
from brands.travel.bookings import Segment, SegmentStatus, whole_segments
from brands.travel.claiming import claim
from brands.travel.claims import ClaimStatus, CreditClaim, all_claims
from brands.travel.crediting import Confirmation, confirm
from brands.travel.deciding import Decision, Verdict, decide
from brands.travel.pursuing import appeal, withdraw
from brands.travel.taking_back import void as void_claim
from brands.travel.voiding import VoidReason, void
from tests.brands.booked import Scene, attachment, flight, scene, stay
from tests.brands.claimed import new_claim
from tests.brands.shutting import shut_numbers
from tests.brands.stage import OPERATOR, all_money, balances, key

# The third is the second's partner's: sold as AE 2, it is flown as GR 9. The last is a part of the
# stay before.
JOURNEYS = (
    flight(1),
    flight(2, operating_carrier="GR", operating_number="9"),
    flight(9, carrier="GR"),
    stay(3),
    stay(2),
)
CHART = (500, 250, 250, 300, 200)
SUPPLIER = ("AERO", "GROCER", "GROCER", "AERO", "AERO")
NAMES = ({"AE1"}, {"AE2", "GR9"}, {"GR9"}, {"1st", "2nd", "3rd"}, {"1st", "2nd"})
CREDITS = ({0}, {1, 2}, {1, 2}, {3}, {4})
"""Which journeys, where they are booked, an approved claim for a journey credits."""
PRICE = 12_000
"""What a supplier pays for a point, in micro-units."""

PICK = st.integers(0, 10_000)
JOURNEY = st.integers(0, 4)
POINTS = st.sampled_from([None, 0, 7, 80])


@dataclass
class Credit:
    """Points that Ada has by a journey."""

    names: set[str]
    points: int
    supplier: str


@dataclass
class Leg:
    """What the oracle knows of a segment."""

    id: Any
    agency: int
    journey: int
    status: SegmentStatus = SegmentStatus.PENDING
    credit: Credit | None = None


@dataclass
class Asked:
    """What the oracle knows of a claim."""

    id: Any
    claimant: int
    journey: int
    status: ClaimStatus = ClaimStatus.OPEN
    appealed: bool = False
    credit: Credit | None = field(default=None)
    linked: bool = True
    """Whether it is known to be Ada's: not where her number was shut, until it is approved."""


class Act(Enum):
    """What can be done."""

    ATTACH = auto()
    CONFIRM = auto()
    VOID = auto()
    CLAIM = auto()
    APPROVE = auto()
    REJECT = auto()
    APPEAL = auto()
    WITHDRAW = auto()
    TAKE_BACK = auto()
    RETRY = auto()


class Claims(RuleBasedStateMachine):
    """Two agencies and Ada, five journeys, one program."""

    def __init__(self, template: Path, place: Path) -> None:
        super().__init__()
        self.template, self.place = template, place
        self.runner = asyncio.Runner()
        self.legs: list[Leg] = []
        self.claims: list[Asked] = []
        self.done: list[tuple[Callable[[], Awaitable[Any]], str | None]] = []

    @initialize()
    def open(self) -> None:
        """A coalition in which nothing is booked and nothing claimed."""
        shutil.copy(self.template, self.place)
        self.coalition = self.runner.run(open_coalition(f"sqlite:///{self.place}"))
        self.it: Scene = self.runner.run(scene(self.coalition))
        self.claimants: tuple[Caller, ...] = (self.it.sky, self.it.sea, self.it.ada.caller)

    # One rule for all: of many, hypothesis would leave most out of a run.
    @rule(act=st.sampled_from(Act), pick=PICK, journey=JOURNEY, points=POINTS)
    def lived(self, act: Act, pick: int, journey: int, points: int | None) -> None:
        """Something is done; where there is nothing to do it with yet, that is made first."""
        if act in (Act.CONFIRM, Act.VOID) and not self.legs:
            act = Act.ATTACH
        on_claims = (Act.APPROVE, Act.REJECT, Act.APPEAL, Act.WITHDRAW, Act.TAKE_BACK)
        if act in on_claims and not self.claims:
            act = Act.CLAIM
        acts: dict[Act, Callable[[], None]] = {
            Act.ATTACH: lambda: self._attached(pick, journey),
            Act.CONFIRM: lambda: self._confirmed(pick, points),
            Act.VOID: lambda: self._voided(pick),
            Act.CLAIM: lambda: self._claimed(pick, journey),
            Act.APPROVE: lambda: self._decided(pick, points or None, approves=True),
            Act.REJECT: lambda: self._decided(pick, None, approves=False),
            Act.APPEAL: lambda: self._appealed(pick),
            Act.WITHDRAW: lambda: self._withdrawn(pick),
            Act.TAKE_BACK: lambda: self._taken_back(pick),
            Act.RETRY: lambda: self._retried(pick),
        }
        acts[act]()
        self._compare()

    def _attached(self, pick: int, journey: int) -> None:
        """A journey, booked under a record locator of its own."""
        agency, locator = pick % 2, f"LOC{len(self.legs)}"
        said = attachment(self.it, JOURNEYS[journey], record_locator=locator)
        answer = self._ask(lambda: attach(self.coalition, self.claimants[agency], said), None)
        self.legs.append(Leg(answer.booking.segments[0].id, agency, journey))

    def _confirmed(self, pick: int, points: int | None) -> None:
        """A segment, with points or without."""
        leg, named = self.legs[pick % len(self.legs)], key()
        said = [Confirmation(leg.id, points, "A bought seat." if points == 0 else None)]
        refusal = None
        if leg.status is SegmentStatus.CREDITED:
            refusal = "SegmentAlreadyCredited"
        elif leg.status is not SegmentStatus.PENDING:
            refusal = "SegmentClosed"
        elif points != 0 and self._is_credited(NAMES[leg.journey]):
            refusal = "FlightAlreadyCredited"
        self._ask(lambda: confirm(self.coalition, OPERATOR, said, named), refusal)
        if refusal is None and points == 0:
            leg.status = SegmentStatus.INELIGIBLE
        elif refusal is None:
            leg.status, leg.credit = SegmentStatus.CREDITED, self._credit(leg.journey, points)

    def _voided(self, pick: int) -> None:
        """A segment, whatever it was credited by."""
        leg, named = self.legs[pick % len(self.legs)], key()
        refusal = "SegmentClosed" if leg.status is SegmentStatus.VOIDED else None
        which = [leg.id]
        self._ask(lambda: void(self.coalition, OPERATOR, which, VoidReason.REFUND, named), refusal)
        self._undo(leg.credit)
        leg.status = SegmentStatus.VOIDED

    def _claimed(self, pick: int, journey: int) -> None:
        """A journey, by an agency, perhaps while her number is shut, or by Ada."""
        claimant, said = pick % 3, new_claim(self.it, JOURNEYS[journey])
        shut, who = pick % 2 == 1, self.claimants[claimant]
        refusal = self._claim_refused(claimant, journey)
        with shut_numbers(are_shut=shut):
            answer = self._ask(lambda: claim(self.coalition, who, said), refusal)
        if refusal is None:
            linked = claimant == 2 or not shut
            self.claims.append(Asked(answer.claim.id, claimant, journey, linked=linked))

    def _claim_refused(self, claimant: int, journey: int) -> str | None:
        for each in self.claims:
            own = each.claimant == claimant
            seen = own or (claimant == 2 and each.linked)
            if not seen or not NAMES[journey] & NAMES[each.journey]:
                continue
            if each.status not in (ClaimStatus.VOIDED, ClaimStatus.WITHDRAWN) and (
                own or each.status is not ClaimStatus.REJECTED
            ):
                return "DuplicateClaim"
        known = (
            self._is_credited(NAMES[journey])
            if claimant == 2
            else any(
                leg.agency == claimant and leg.credit and NAMES[leg.journey] & NAMES[journey]
                for leg in self.legs
            )
        )
        return "AlreadyCredited" if known else None

    def _decided(self, pick: int, points: int | None, *, approves: bool) -> None:
        """A claim, one way or the other."""
        one, named = self._mostly(pick, ClaimStatus.OPEN, ClaimStatus.APPEALED), key()
        verdict = Verdict.APPROVE if approves else Verdict.REJECT
        said = Decision(one.id, verdict, points if approves else None, "So it is.", named)
        refusal = None
        if one.status not in (ClaimStatus.OPEN, ClaimStatus.APPEALED):
            refusal = "ClaimDecided"
        elif approves and self._is_credited(NAMES[one.journey]):
            refusal = "FlightAlreadyCredited"
        self._ask(lambda: decide(self.coalition, OPERATOR, said), refusal)
        if refusal is None and approves:
            self._approve(one, points)
        elif refusal is None:
            one.status = ClaimStatus.REJECTED

    def _approve(self, one: Asked, points: int | None) -> None:
        """The books say which of the segments it could be was credited by it."""
        one.status, one.linked = ClaimStatus.APPROVED, True
        one.credit = self._credit(one.journey, points)
        could_be = [
            leg
            for leg in self.legs
            if leg.status in (SegmentStatus.PENDING, SegmentStatus.INELIGIBLE)
            and leg.journey in CREDITS[one.journey]
        ]
        segments = self.runner.run(whole_segments(self.coalition, [leg.id for leg in could_be]))
        by_it = [
            leg
            for leg, segment in zip(could_be, segments, strict=True)
            if segment.status is SegmentStatus.CREDITED
        ]
        assert len(by_it) == min(len(could_be), 1)
        for leg in by_it:
            leg.status, leg.credit = SegmentStatus.CREDITED, one.credit
            one.credit.names = NAMES[leg.journey] | NAMES[one.journey]

    def _appealed(self, pick: int) -> None:
        """A claim, by who has made it."""
        one, named = self._mostly(pick, ClaimStatus.REJECTED), key()
        possible = one.status is ClaimStatus.REJECTED and not one.appealed
        who = self.claimants[one.claimant]
        refusal = None if possible else "AppealNotPossible"
        self._ask(lambda: appeal(self.coalition, who, one.id, "She did fly.", named), refusal)
        if possible:
            one.status, one.appealed = ClaimStatus.APPEALED, True

    def _withdrawn(self, pick: int) -> None:
        """A claim, by who has made it."""
        one, named = self._mostly(pick, ClaimStatus.OPEN), key()
        who = self.claimants[one.claimant]
        refusal = None if one.status is ClaimStatus.OPEN else "WithdrawalNotPossible"
        self._ask(lambda: withdraw(self.coalition, who, one.id, named), refusal)
        if refusal is None:
            one.status = ClaimStatus.WITHDRAWN

    def _taken_back(self, pick: int) -> None:
        """A claim that was approved, or was not."""
        one, named = self._mostly(pick, ClaimStatus.APPROVED), key()
        refusal = None if one.status is ClaimStatus.APPROVED else "ClaimNotCredited"
        self._ask(
            lambda: void_claim(self.coalition, OPERATOR, one.id, "A mistake.", named), refusal
        )
        self._undo(one.credit)

    def _retried(self, pick: int) -> None:
        """Something that was asked before, with the same key: the same answer, and no change."""
        if self.done:
            ask, expected = self.done[pick % len(self.done)]
            assert self._answer(ask)[1] == expected

    # How it is asked, and what is expected.

    def _ask(self, ask: Callable[[], Awaitable[Any]], expected: str | None) -> Any:
        self.done.append((ask, expected))
        answer, refusal = self._answer(ask)
        assert refusal == expected
        return answer

    def _answer(self, ask: Callable[[], Awaitable[Any]]) -> tuple[Any, str | None]:
        try:
            answer = self.runner.run(cast("Any", ask()))
        except DomainError as error:
            return None, type(error).__name__
        refused = answer.results[0].error if isinstance(answer, Done) else None
        return answer, None if refused is None else type(refused).__name__

    def _mostly(self, pick: int, *statuses: ClaimStatus) -> Asked:
        """Some claim; four times in five one of such a status, if there is one."""
        fit = [each for each in self.claims if each.status in statuses]
        some = fit if fit and pick % 5 else self.claims
        return some[pick % len(some)]

    def _credits(self) -> list[Credit]:
        """Each once, whatever holds it."""
        holders: list[Leg | Asked] = [*self.legs, *self.claims]
        found = {id(each.credit): each.credit for each in holders if each.credit is not None}
        return list(found.values())

    def _is_credited(self, names: set[str]) -> bool:
        return any(names & each.names for each in self._credits())

    def _credit(self, journey: int, points: int | None) -> Credit:
        given = CHART[journey] if points is None else points
        return Credit(set(NAMES[journey]), given, SUPPLIER[journey])

    def _undo(self, credit: Credit | None) -> None:
        """Whatever holds a credit loses it."""
        for leg in self.legs:
            if credit is not None and leg.credit is credit:
                leg.credit, leg.status = None, SegmentStatus.VOIDED
        for one in self.claims:
            if credit is not None and one.credit is credit:
                one.credit, one.status = None, ClaimStatus.VOIDED

    def _compare(self) -> None:
        """All is as the oracle says: what became of each, what Ada has, and who has paid."""
        self.runner.run(self._compared())

    async def _compared(self) -> None:
        segments: list[Segment] = await whole_segments(
            self.coalition, [leg.id for leg in self.legs]
        )
        assert [each.status for each in segments] == [leg.status for leg in self.legs]
        claims: list[CreditClaim] = await all_claims(
            self.coalition, [one.id for one in self.claims]
        )
        found = {each.id: (each.status, each.is_appealed, each.is_linked) for each in claims}
        assert found == {one.id: (one.status, one.appealed, one.linked) for one in self.claims}
        credits_ = self._credits()
        names = [name for each in credits_ for name in each.names]
        assert len(names) == len(set(names))
        has = await balances(self.coalition, [self.it.ada.at["AERO"]])
        assert has == [sum(each.points for each in credits_)]
        money = await all_money(self.coalition)
        for supplier in ("AERO", "GROCER"):
            paid = sum(each.points for each in credits_ if each.supplier == supplier)
            assert money[f"{supplier}.SETTLEMENT"] == -paid * PRICE

    def teardown(self) -> None:
        """The books are sound."""
        if hasattr(self, "coalition"):
            assert self.runner.run(audit(self.coalition.database)) == []
            self.runner.run(self.coalition.close())
        self.runner.close()


def test_claims_and_bookings_credit_a_flight_once(sqlite_template: Path, tmp_path: Path) -> None:
    """However journeys are booked, claimed, confirmed, decided, appealed, voided and retried, by
    whomever, none is credited twice, nothing voided stays credited, and every sum is the
    oracle's."""
    run_state_machine_as_test(
        cast("Any", lambda: Claims(sqlite_template, tmp_path / "claims.db")),
        settings=settings(
            max_examples=25,
            stateful_step_count=30,
            deadline=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )

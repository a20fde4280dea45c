"""Deciding on claims for missing credit.

The brand that supplied the flight or stay decides, for it pays, as it does for a segment that it
confirms. Where a booking of the member has the same journey, that segment is credited by the claim:
so it counts once in every report, and whoever voids the booking takes the claim's points back.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from brands.accruals import credit
from brands.callers import Caller
from brands.clock import Micros, from_micros, now_micros
from brands.coalition import Coalition
from brands.errors import InvalidInput, NotPermitted
from brands.ids import book_of, new_id
from brands.intents import claim_of, wording_of
from brands.itineraries import Facts, flown_as
from brands.ledger.chart import AccountKind, TransactionKind
from brands.ledger.commands import Claim, Note, Outcome, Post, Record
from brands.money import positive_points
from brands.parties import Party
from brands.rejections import MembershipClosed, Rejection
from brands.suspension import suspension
from brands.travel.booking_steps import answered_before, step_records, stepped
from brands.travel.booking_steps import token_of as token_of_segment
from brands.travel.bookings import Segment, SegmentStatus
from brands.travel.claim_records import accepted, link_record, refuse, step_record, token_of
from brands.travel.claim_segments import (
    booked_journey,
    claimed_as,
    disputed_operator,
    facts_to_credit,
)
from brands.travel.claiming import Claimed
from brands.travel.claims import (
    ClaimStatus,
    CreditClaim,
    all_claims,
    claim_by_id,
    whole_claim,
)
from brands.travel.crediting import wording
from brands.travel.flown import Turns, operated_by_another, turns_of, unknown_operator
from brands.travel.journey_days import midnight
from brands.travel.linking import owner_of_claim
from brands.travel.rejections import (
    AccrualNotCharted,
    ClaimChanged,
    ClaimDecided,
    ClaimEarnsNothing,
    ClaimNotLinked,
    FlightAlreadyCredited,
    OperatedByAnotherBrand,
    OperatingFlightUnknown,
)

DECIDE = "missingCreditDecide"

_NO_REASON = "the chart gives no reason."


class Verdict(StrEnum):
    """What a brand decides."""

    APPROVE = "APPROVE"
    REJECT = "REJECT"


@dataclass(frozen=True, slots=True)
class Decision:
    """What is decided on a claim, and why.

    Approved `points` None are those of the program's chart on the day of travel. A number only the
    program's own brand, where it supplied the journey, and the operator may give.
    `operating_carrier` operates the flight, under `operating_number`; what is said here holds.
    """

    claim_id: UUID
    verdict: Verdict
    points: int | None
    reason: str
    idempotency_key: str
    operating_number: str | None = None
    operating_carrier: str | None = None

    @property
    def flown(self) -> dict[str, str]:
        """What is said of who has operated the flight."""
        said = {
            "operating_number": self.operating_number,
            "operating_carrier": self.operating_carrier,
        }
        return {name: value for name, value in said.items() if value is not None}


async def decide(coalition: Coalition, caller: Caller, decision: Decision) -> Claimed:
    """Approves a claim, and so credits it, or rejects it. For the brand that supplied the journey,
    and for operators.

    Raises `ClaimNotFound`, `NotPermitted`, `InvalidInput`, `PointsNotPositive`, `PointsOutOfRange`.
    Refused for good: `ClaimDecided`, `ClaimChanged`; of an approval `BrandSuspended` (the
    program's), `ClaimNotLinked`, `OperatedByAnotherBrand`, `FlightAlreadyCredited`,
    `OperatingFlightUnknown`, `AccrualNotCharted`, `ClaimEarnsNothing`, `MembershipClosed`
    (`ClaimNotLinked`, for a supplier that is not the program's brand) and `AmountTooLarge`.
    """
    reason = wording_of(decision.reason, "reason")
    approved = decision.verdict is Verdict.APPROVE
    if not approved:
        _require_nothing_earned(decision)
    if decision.points is not None:
        positive_points(decision.points)
    key = claim_of(
        caller,
        decision.idempotency_key,
        DECIDE,
        claim=decision.claim_id,
        verdict=decision.verdict,
        points=decision.points,
        reason=reason,
        **decision.flown,
    )
    claim = await whole_claim(coalition, caller, decision.claim_id)
    if not caller.acts_for_brand(claim.supplier_id):
        raise NotPermitted
    if decision.points is not None and not caller.acts_for_brand(claim.brand_id):
        raise NotPermitted
    work = _Deciding(coalition, caller, key, claim)
    try:
        if await answered_before(coalition, [key]):
            outcome = await work.refuse(ClaimChanged())
        elif not claim.is_undecided:
            outcome = await work.refuse(ClaimDecided(status=claim.status.value))
        elif approved:
            outcome = await work.approve(decision, reason)
        else:
            outcome = await work.reject(reason)
    except MembershipClosed as closed:
        if caller.acts_for_brand(claim.brand_id):
            raise
        # Whether there is a membership is told to nobody but the brand that it is at.
        raise ClaimNotLinked(replayed=closed.replayed) from None
    return Claimed(await claim_by_id(coalition, caller, claim.id), outcome.replayed)


def _require_nothing_earned(decision: Decision) -> None:
    """Raises `InvalidInput` if more is said of a rejection than why."""
    if decision.points is not None:
        raise InvalidInput(path="points", reason="What is rejected earns no points.")
    for name, field in (
        ("operating_carrier", "operatingCarrier"),
        ("operating_number", "operatingFlightNumber"),
    ):
        if name in decision.flown:
            reason = "Of what is rejected nobody need know who has operated it: leave it out."
            raise InvalidInput(path=field, reason=reason)


class _Deciding:
    """One request on one claim, made into commands."""

    def __init__(
        self, coalition: Coalition, caller: Caller, key: Claim, claim: CreditClaim
    ) -> None:
        self._coalition = coalition
        self._caller = caller
        self._key = key
        self._claim = claim
        self._at: Micros = now_micros()
        self._links: tuple[Record, ...] = ()

    async def refuse(self, rejection: Rejection) -> Outcome:
        """Refused for good, unless the key was answered otherwise before."""
        return await refuse(self._coalition, self._key, book_of(self._claim.id), rejection)

    async def reject(self, reason: str) -> Outcome:
        """Nothing is credited."""
        note = Note(
            id=new_id(book_of(self._claim.id)),
            claim=self._key,
            operation=DECIDE,
            subject=self._claim.id,
            tokens=(token_of(self._claim),),
            records=(self._step(ClaimStatus.REJECTED, reason=reason),),
            request_id=self._caller.request_id,
        )
        return accepted(await self._coalition.ledger.submit(note))

    async def approve(self, decision: Decision, reason: str) -> Outcome:
        """Credits the claim, and with it the segment of a booking that has the same journey.
        Raises `InvalidInput`."""
        program = self._coalition.registry.snapshot.brand_by_id(self._claim.brand_id)
        if (suspended := suspension(program)) is not None:
            return await self.refuse(suspended)
        party = await self._party()
        if party is None:
            return await self.refuse(ClaimNotLinked())
        booked = await booked_journey(self._coalition, self._claim)
        facts = flown_as(
            facts_to_credit(self._claim, booked),
            decision.operating_carrier,
            decision.operating_number,
            "",
        )
        given = self._points(facts) if decision.points is None else decision.points
        refusal = self._elsewhere(decision, facts)
        if refusal is None and isinstance(given, Rejection):
            refusal = given
        if refusal is not None:
            return await self.refuse(refusal)
        assert isinstance(given, int)
        turns = await self._turns(party, facts)
        if turns.is_credited:
            return await self.refuse(await self._met())
        if (unknown := self._unnumbered(decision, facts, booked)) is not None:
            return await self.refuse(unknown)
        command = self._post(party, given, reason, facts, turns, self._supplied(booked))
        return accepted(await self._coalition.ledger.submit(command))

    def _elsewhere(self, decision: Decision, facts: Facts) -> Rejection | None:
        """Whether who decides says that the flight was another brand's."""
        if decision.operating_carrier is None:
            return None
        programs = self._coalition.registry.snapshot.programs
        carrier = operated_by_another(programs, self._claim.supplier_id, facts)
        return None if carrier is None else OperatedByAnotherBrand(carrier=carrier)

    def _unnumbered(
        self, decision: Decision, facts: Facts, booked: Segment | None
    ) -> Rejection | None:
        """Whether it has to be said first under which number it was flown."""
        programs = self._coalition.registry.snapshot.programs
        operator = unknown_operator(programs, facts)
        if operator is None and decision.operating_number is None:
            operator = disputed_operator(programs, self._claim, booked)
        return None if operator is None else OperatingFlightUnknown(carrier=operator)

    def _supplied(self, booked: Segment | None) -> Segment | None:
        """The segment that is credited: another brand's is not."""
        is_its = booked is not None and booked.supplier_id == self._claim.supplier_id
        return booked if is_its else None

    async def _turns(self, party: Party, facts: Facts) -> Turns:
        """What crediting the journey spends: all the names by which it is booked or claimed."""
        said = claimed_as(self._claim, facts)
        one, other = await turns_of(
            self._coalition, [(party.member_id, facts), (party.member_id, said)]
        )
        return Turns(party.member_id, one.counts | other.counts)

    async def _met(self) -> Rejection:
        """What it means that the journey is credited: perhaps by this claim, decided meanwhile."""
        (claim,) = await all_claims(self._coalition, [self._claim.id])
        if claim.is_undecided:
            return FlightAlreadyCredited()
        return ClaimDecided(status=claim.status.value)

    async def _party(self) -> Party | None:
        """Whose claim it is, if that is known, or found now."""
        membership = self._claim.membership_id
        if membership is None:
            owner = await owner_of_claim(self._coalition, self._caller, self._claim)
            if owner is not None:
                self._claim = replace(self._claim, membership_id=owner.id)
                self._links = (link_record(self._claim.id, owner.id, self._at),)
            return owner
        return (await self._coalition.parties.find([membership])).get(membership)

    def _points(self, facts: Facts) -> int | Rejection:
        """What the program's chart gives for what was travelled, as it was on that day."""
        programs = self._coalition.registry.snapshot.programs
        terms = programs.terms_for(self._claim.brand_id, midnight(facts), from_micros(self._at))
        earned = terms.earned(facts)
        if earned is None:
            return AccrualNotCharted()
        if earned.points == 0:
            return ClaimEarnsNothing(reason=earned.reason or _NO_REASON)
        return earned.points

    def _post(
        self,
        party: Party,
        points: int,
        reason: str,
        facts: Facts,
        turns: Turns,
        segment: Segment | None,
    ) -> Post:
        claim, transaction = self._claim, new_id(book_of(party.id))
        rates = self._coalition.registry.snapshot.valuation(party.brand_id).rates
        records = [
            self._step(ClaimStatus.APPROVED, points, reason, transaction),
            *self._links,
            *turns.credited(claim.id, self._at),
        ]
        tokens = [token_of(claim), *turns.tokens()]
        if segment is not None:
            credited = stepped(
                segment,
                SegmentStatus.CREDITED,
                facts=facts,
                points=points,
                reason=None,
                transaction_id=transaction,
            )
            records += step_records(credited, self._caller.client, self._at)
            tokens.append(token_of_segment(segment))
        return Post(
            id=transaction,
            claim=self._key,
            kind=TransactionKind.ACCRUAL,
            postings=credit(AccountKind.ISSUED, party, claim.supplier_id, points, rates),
            points=points,
            event_at=self._at,
            description=wording(facts),
            tokens=tuple(tokens),
            records=tuple(records),
            request_id=self._caller.request_id,
        )

    def _step(
        self,
        status: ClaimStatus,
        points: int | None = None,
        reason: str | None = None,
        transaction: UUID | None = None,
    ) -> Record:
        return step_record(
            self._claim.id,
            self._claim.step + 1,
            status,
            self._caller.client,
            self._at,
            points=points,
            reason=reason,
            transaction=transaction,
        )

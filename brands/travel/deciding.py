"""Deciding on claims for missing credit, and taking back what was credited by one.

The brand that supplied the flight or stay decides, for it pays, as it does for a segment that it
confirms. Where a booking of the member has the same journey, that segment is credited by the claim:
so it counts once in every report, and whoever voids the booking takes the claim's points back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from brands.accruals import credit
from brands.callers import Caller, CallerKind
from brands.clock import Micros, from_micros, now_micros
from brands.coalition import Coalition
from brands.database import as_uuid
from brands.errors import InvalidInput, NotPermitted
from brands.ids import book_of, new_id
from brands.intents import claim_of, wording_of
from brands.itineraries import Facts
from brands.ledger.chart import AccountKind, TransactionKind
from brands.ledger.commands import Claim, Note, Outcome, Post, Record, Reverse, Shortfall, Token
from brands.money import positive_points
from brands.parties import Party
from brands.rejections import (
    AccrualNotCharted,
    AlreadyReversed,
    ClaimChanged,
    ClaimDecided,
    ClaimEarnsNothing,
    ClaimNotCredited,
    ClaimNotLinked,
    FlightAlreadyCredited,
    InsufficientPoints,
    PointsSpent,
    Rejection,
)
from brands.travel.booking_steps import answered_before, part_of, refuse, step_records, stepped
from brands.travel.booking_steps import token_of as token_of_segment
from brands.travel.bookings import Segment, SegmentStatus, whole_segments
from brands.travel.claim_records import accepted, step_record, token_of
from brands.travel.claiming import Claimed
from brands.travel.claims import ClaimStatus, CreditClaim, all_claims, claim_by_id
from brands.travel.crediting import wording
from brands.travel.flown import Turns, turns_of

DECIDE = "missingCreditDecide"
VOID = "missingCreditVoid"

_NO_REASON = "the chart gives no reason."

_CREDITABLE = (SegmentStatus.PENDING, SegmentStatus.INELIGIBLE, SegmentStatus.NOT_CREDITED)


class Verdict(StrEnum):
    """What a brand decides."""

    APPROVE = "APPROVE"
    REJECT = "REJECT"


@dataclass(frozen=True, slots=True)
class Decision:
    """What is decided on a claim, and why.

    Approved `points` None are those of the program's chart now. A number only the program's own
    brand, where it supplied the journey, and the operator may give.
    """

    claim_id: UUID
    verdict: Verdict
    points: int | None
    reason: str
    idempotency_key: str


async def decide(coalition: Coalition, caller: Caller, decision: Decision) -> Claimed:
    """Approves a claim, and so credits it, or rejects it. For the brand that supplied the journey,
    and for operators.

    Raises `ClaimNotFound`, `NotPermitted`, `InvalidInput`, `PointsNotPositive`, `PointsOutOfRange`.
    Refused for good: `ClaimDecided`, `ClaimChanged`; of an approval `ClaimNotLinked`,
    `FlightAlreadyCredited`, `AccrualNotCharted`, `ClaimEarnsNothing`, `MembershipClosed` and
    `AmountTooLarge`.
    """
    reason = wording_of(decision.reason, "reason")
    approved = decision.verdict is Verdict.APPROVE
    if decision.points is not None:
        if not approved:
            raise InvalidInput(path="points", reason="What is rejected earns no points.")
        positive_points(decision.points)
    key = claim_of(
        caller,
        decision.idempotency_key,
        DECIDE,
        claim=decision.claim_id,
        verdict=decision.verdict,
        points=decision.points,
        reason=reason,
    )
    seen = await claim_by_id(coalition, caller, decision.claim_id)
    if not caller.acts_for_brand(seen.supplier_id):
        raise NotPermitted
    if decision.points is not None and not caller.acts_for_brand(seen.brand_id):
        raise NotPermitted
    work = _Deciding(coalition, caller, key, await _whole(coalition, seen))
    if await answered_before(coalition, [key]):
        outcome = await work.refuse(ClaimChanged())
    elif not seen.is_undecided:
        outcome = await work.refuse(ClaimDecided(status=seen.status.value))
    elif approved:
        outcome = await work.approve(decision.points, reason)
    else:
        outcome = await work.reject(reason)
    return Claimed(await claim_by_id(coalition, caller, seen.id), outcome.replayed)


async def void(
    coalition: Coalition, caller: Caller, claim_id: UUID, reason: str, idempotency_key: str
) -> Claimed:
    """Takes back what was credited by a claim, as far as the clawback of the program's brand goes.

    For the brand that supplied the journey, the one whose program it is, and operators. Raises
    `ClaimNotFound`, `NotPermitted`, `InvalidInput`. Refused for good: `ClaimNotCredited`,
    `ClaimChanged`, `InsufficientPoints` (`PointsSpent`, for a supplier that is not the program's
    brand).
    """
    words = wording_of(reason, "reason")
    key = claim_of(caller, idempotency_key, VOID, claim=claim_id, reason=words)
    seen = await claim_by_id(coalition, caller, claim_id)
    if caller.kind not in (CallerKind.BRAND, CallerKind.OPERATOR):
        raise NotPermitted
    work = _Deciding(coalition, caller, key, await _whole(coalition, seen))
    if seen.status is not ClaimStatus.APPROVED and not await answered_before(coalition, [key]):
        outcome = await work.refuse(ClaimNotCredited(status=seen.status.value))
    else:
        outcome = await work.take_back(words)
    return Claimed(await claim_by_id(coalition, caller, claim_id), outcome.replayed)


async def _whole(coalition: Coalition, claim: CreditClaim) -> CreditClaim:
    return (await all_claims(coalition, [claim.id]))[0]


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

    async def refuse(self, rejection: Rejection) -> Outcome:
        """Refused for good, unless the key was answered otherwise before."""
        return await refuse(self._coalition, self._key, book_of(self._claim.id), rejection)

    async def reject(self, reason: str) -> Outcome:
        """Nothing is credited."""
        return accepted(
            await self._coalition.ledger.submit(
                self._note(self._key, DECIDE, (self._step(ClaimStatus.REJECTED, reason=reason),))
            )
        )

    async def approve(self, points: int | None, reason: str) -> Outcome:
        """Credits the claim, and with it the segment of a booking that has the same journey."""
        party = await self._party()
        if party is None:
            return await self.refuse(ClaimNotLinked())
        given = self._points() if points is None else points
        if isinstance(given, Rejection):
            return await self.refuse(given)
        segment = self._to_credit(await self._segments())
        facts = self._claim.facts if segment is None else segment.facts
        (turns,) = await turns_of(self._coalition, [(party.member_id, facts)])
        if turns.is_credited:
            return await self.refuse(FlightAlreadyCredited())
        command = self._post(party, given, reason, facts, turns, segment)
        return accepted(await self._coalition.ledger.submit(command))

    async def take_back(self, reason: str) -> Outcome:
        """Reverses what was credited, and opens the journey for another credit."""
        party, claim = await self._party(), self._claim
        if party is None or claim.transaction_id is None:  # the key was refused before
            return await self.refuse(ClaimNotCredited(status=claim.status.value))
        segment = next(
            (s for s in await self._segments() if s.transaction_id == claim.transaction_id), None
        )
        facts = claim.facts if segment is None else segment.facts
        (turns,) = await turns_of(self._coalition, [(party.member_id, facts)])
        records = list(turns.undone(claim.id, self._at))
        tokens = [token_of(claim)]
        if segment is not None:
            voided = stepped(segment, SegmentStatus.VOIDED, reason=reason)
            records += step_records(voided, self._caller.client, self._at)
            tokens.append(token_of_segment(segment))
        clawback = self._coalition.registry.snapshot.brand_by_id(claim.brand_id).clawback
        reverse = Reverse(
            id=new_id(book_of(claim.transaction_id)),
            claim=self._key,
            original=claim.transaction_id,
            points=None,
            event_at=self._at,
            shortfall=clawback,
            tokens=tuple(tokens),
            description=reason,
            records=tuple(records),
            request_id=self._caller.request_id,
        )
        outcome = await self._coalition.ledger.submit(reverse)
        if not _nothing_left(outcome.rejection, clawback):
            self._require_told(outcome)
            return accepted(outcome)
        # There is nothing to be taken back; the journey counts no more all the same.
        part = part_of(self._key, VOID, claim.id)
        note = self._note(part, VOID, tuple(records), tuple(tokens))
        return accepted(await self._coalition.ledger.submit(note))

    def _require_told(self, outcome: Outcome) -> None:
        """What a member has is told to nobody but the brand whose points they are."""
        is_hers = self._caller.acts_for_brand(self._claim.brand_id)
        if isinstance(outcome.rejection, InsufficientPoints) and not is_hers:
            raise PointsSpent(replayed=outcome.replayed)

    async def _party(self) -> Party | None:
        """Whose claim it is, if that is known."""
        membership = self._claim.membership_id
        if membership is None:
            return None
        return (await self._coalition.parties.find([membership])).get(membership)

    def _points(self) -> int | Rejection:
        """What the program's chart gives now."""
        programs = self._coalition.registry.snapshot.programs
        terms = programs.terms(self._claim.brand_id, from_micros(self._at))
        earned = terms.earned(self._claim.facts)
        if earned is None:
            return AccrualNotCharted()
        if earned.points == 0:
            return ClaimEarnsNothing(reason=earned.reason or _NO_REASON)
        return earned.points

    async def _segments(self) -> Sequence[Segment]:
        """The segments of bookings that are linked to the claim's membership and name its journey,
        the oldest first."""
        membership = self._claim.membership_id
        assert membership is not None
        rows = await self._coalition.database.fetch(
            "SELECT DISTINCT segment_id FROM booking_links WHERE book = $1 AND membership_id = $2",
            *(book_of(membership), membership),
        )
        linked = await whole_segments(
            self._coalition, sorted(as_uuid(row["segment_id"]) for row in rows)
        )
        # A segment that is known by fewer names than the claim could be credited once more.
        return [
            each
            for each in linked
            if each.membership_id == membership
            and set(each.facts.identities) >= set(self._claim.facts.identities)
        ]

    def _to_credit(self, segments: Sequence[Segment]) -> Segment | None:
        return next(
            (
                each
                for each in segments
                if each.status in _CREDITABLE and each.supplier_id == self._claim.supplier_id
            ),
            None,
        )

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
            *turns.credited(claim.id, self._at),
        ]
        tokens = [token_of(claim), *turns.tokens()]
        if segment is not None:
            credited = stepped(
                segment,
                SegmentStatus.CREDITED,
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

    def _note(
        self,
        key: Claim,
        operation: str,
        records: tuple[Record, ...],
        tokens: tuple[Token, ...] | None = None,
    ) -> Note:
        return Note(
            id=new_id(book_of(self._claim.id)),
            claim=key,
            operation=operation,
            subject=self._claim.id,
            tokens=(token_of(self._claim),) if tokens is None else tokens,
            records=records,
            request_id=self._caller.request_id,
        )


def _nothing_left(rejection: Rejection | None, clawback: Shortfall) -> bool:
    """Whether the points are gone already, in a way that is as good as taken back."""
    return isinstance(rejection, AlreadyReversed) or (
        clawback is Shortfall.UP_TO_BALANCE and isinstance(rejection, InsufficientPoints)
    )

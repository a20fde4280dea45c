"""Voiding what was booked: what is pending ends, and points that were credited are taken back.

As reversals do, that gives the supplier its money back; where the points are spent, the policy of
the brand whose points they are decides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from uuid import UUID

from brands.callers import Caller, CallerKind
from brands.clock import NEVER, Micros, now_micros, to_micros
from brands.coalition import Coalition
from brands.errors import BookingNotFound, NotPermitted
from brands.ids import book_of, new_id
from brands.intents import claim_of
from brands.ledger.commands import Claim, Command, Note, Record, Refuse, Reverse, Shortfall, Token
from brands.rejections import InsufficientPoints, Rejection
from brands.travel.booking_parts import Chosen, Done, Part, carry_out, choose, refusing, require_few
from brands.travel.booking_steps import (
    first_asked,
    nothing_left,
    points_spent,
    step_records,
    stepped,
    token_of,
)
from brands.travel.bookings import (
    ENDED,
    Segment,
    SegmentStatus,
    all_bookings,
    bookings_of,
    required,
)
from brands.travel.claim_records import token_of as token_of_claim
from brands.travel.claim_records import voiding_record
from brands.travel.claims import CreditClaim, approved_by
from brands.travel.flown import Credit, credits_by
from brands.travel.rejections import BookingChanged, SegmentAlreadyCredited, SegmentClosed

VOID = "bookingVoid"


class VoidReason(StrEnum):
    """Why something booked counts no more."""

    VOID = "VOID"
    REFUND = "REFUND"
    EXCHANGE = "EXCHANGE"
    NOT_TRAVELLED = "NOT_TRAVELLED"
    MISTAKE = "MISTAKE"


async def void(
    coalition: Coalition,
    caller: Caller,
    which: UUID | Sequence[UUID],
    reason: VoidReason,
    idempotency_key: str,
) -> Done:
    """Voids segments: those given, or all of a booking (given by its id) that have not ended.

    For the agency, as long as they are not credited; for the brand that supplies them or whose
    program they are credited to, of what concerns it; and for operators. Raises `BookingNotFound`,
    `SegmentNotFound`, `NotPermitted`, `InvalidInput`. Of each segment, for good: `SegmentClosed`,
    `SegmentAlreadyCredited`, `PointsSpent`, `BookingChanged`.
    """
    ids = None if isinstance(which, UUID) else list(which)
    claim = claim_of(
        caller, idempotency_key, VOID, which=which if ids is None else ids, reason=reason
    )
    if isinstance(which, UUID):
        found = await all_bookings(coalition, [which])
        chosen = await choose(coalition, caller, found, claim, VOID)
        asked_at = await first_asked(coalition, claim)
        subject, picked = which, _of_booking(chosen, which, NEVER if asked_at is None else asked_at)
    else:
        require_few(which, "segments")
        found = await bookings_of(coalition, which)
        chosen = await choose(coalition, caller, found, claim, VOID)
        picked = [
            chosen.whole[id]
            if id in chosen.answered
            else required(chosen.seen, id, f"segments.{n}")
            for n, id in enumerate(which)
        ]
        subject = picked[0].booking_id
    if caller.kind is CallerKind.MEMBER:
        raise NotPermitted
    segments = [chosen.whole[each.id] for each in picked]
    work = _Voiding(coalition, caller, reason)
    await work.look_up(segments)
    parts = [work.part(each, is_seen=each.id in chosen.seen) for each in segments]
    return await carry_out(coalition, caller, claim, VOID, subject, parts)


def _of_booking(chosen: Chosen, booking: UUID, asked_at: Micros) -> list[Segment]:
    """Of a booking's segments those that the caller sees and that have not ended, and those of
    which this very request was answered before.

    What was attached, or has changed, since it was first asked was not asked for: who asks again
    with the same key does not void it.
    """
    if not chosen.seen and not chosen.answered:
        raise BookingNotFound(path="booking", name=str(booking))
    return [
        each
        for each in chosen.whole.values()
        if each.id in chosen.answered
        or (
            each.id in chosen.seen
            and each.status not in ENDED
            and to_micros(each.changed_at) <= asked_at
        )
    ]


class _Voiding:
    """One request, made into commands."""

    def __init__(
        self,
        coalition: Coalition,
        caller: Caller,
        reason: VoidReason,
    ) -> None:
        self._coalition = coalition
        self._caller = caller
        self._reason = reason
        self._claims: Mapping[UUID, CreditClaim] = {}
        self._credits: Mapping[UUID, Credit] = {}
        self._at = now_micros()

    async def look_up(self, segments: Sequence[Segment]) -> None:
        """What the segments have credited, and the claims by which, where it was not a
        confirmation."""
        credited = [each for each in segments if each.status is SegmentStatus.CREDITED]
        transactions = [each.transaction_id for each in credited if each.transaction_id is not None]
        self._claims = await approved_by(self._coalition, transactions)
        claims = [each.id for each in self._claims.values()]
        found = await credits_by(self._coalition, [*(each.id for each in credited), *claims])
        self._credits = found

    def part(self, segment: Segment, *, is_seen: bool) -> Part:
        """What is to be done with a segment. What a member has is told to nobody else, though the
        answer is an earlier one."""
        # What is not seen was answered before, and so is answered again.
        part = self._part(segment) if is_seen else refusing(segment, BookingChanged())
        return replace(part, told=lambda refused: self._told(segment, refused))

    def _told(self, segment: Segment, refused: Rejection) -> Rejection:
        if isinstance(refused, InsufficientPoints):
            return points_spent(self._caller, segment.brand_id, refused)
        return refused

    def _part(self, segment: Segment) -> Part:
        if segment.status in ENDED:
            return refusing(segment, SegmentClosed(status=segment.status.value))
        if segment.status is not SegmentStatus.CREDITED:
            return Part(segment, lambda claim: self._note(segment, claim))
        if self._caller.kind is CallerKind.AGENCY:
            return refusing(segment, SegmentAlreadyCredited())
        brand = self._coalition.registry.snapshot.brand_by_id(segment.brand_id)

        def otherwise(rejection: Rejection, claim: Claim) -> Command | None:
            if nothing_left(rejection, brand.clawback):
                # There is nothing to be taken back; the journey counts no more all the same.
                return self._note(segment, claim)
            if isinstance(rejection, InsufficientPoints):
                # For good, whatever the clawback is by the time the same is asked again.
                return Refuse(new_id(book_of(segment.id)), claim, rejection)
            return None

        return Part(segment, lambda claim: self._reverse(segment, brand.clawback, claim), otherwise)

    def _note(self, segment: Segment, claim: Claim) -> Note:
        return Note(
            id=new_id(book_of(segment.id)),
            claim=claim,
            operation=VOID,
            subject=segment.booking_id,
            tokens=self._tokens(segment),
            records=self._records(segment),
            request_id=self._caller.request_id,
        )

    def _reverse(self, segment: Segment, shortfall: Shortfall, claim: Claim) -> Reverse:
        assert segment.transaction_id is not None
        return Reverse(
            id=new_id(book_of(segment.transaction_id)),
            claim=claim,
            original=segment.transaction_id,
            points=None,
            event_at=self._at,
            shortfall=shortfall,
            tokens=self._tokens(segment),
            description=self._reason.value,
            records=self._records(segment),
            request_id=self._caller.request_id,
        )

    def _claim(self, segment: Segment) -> CreditClaim | None:
        """The claim by which a segment was credited, if it was by one."""
        transaction = segment.transaction_id
        return None if transaction is None else self._claims.get(transaction)

    def _tokens(self, segment: Segment) -> tuple[Token, ...]:
        claim = self._claim(segment)
        return (token_of(segment), *(() if claim is None else (token_of_claim(claim),)))

    def _records(self, segment: Segment) -> tuple[Record, ...]:
        reason, client, claim = self._reason.value, self._caller.client, self._claim(segment)
        voided = stepped(segment, SegmentStatus.VOIDED, reason=reason)
        credit = self._credits.get(segment.id if claim is None else claim.id)
        return (
            *step_records(voided, client, self._at),
            *(() if claim is None else (voiding_record(claim, reason, client, self._at),)),
            *(() if credit is None else credit.undone(segment.id, self._at)),
        )

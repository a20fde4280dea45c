"""Voiding what was booked: what is pending ends, and points that were credited are taken back.

As reversals do, that gives the supplier its money back; where the points are spent, the policy of
the brand whose points they are decides.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from uuid import UUID

from brands.callers import Caller, CallerKind
from brands.clock import NEVER, Micros, now_micros, to_micros
from brands.coalition import Coalition
from brands.errors import BookingNotFound, NotPermitted
from brands.ids import book_of, new_id
from brands.intents import claim_of
from brands.ledger.commands import Claim, Command, Note, Record, Reverse, Shortfall
from brands.rejections import (
    AlreadyReversed,
    BookingChanged,
    InsufficientPoints,
    PointsSpent,
    Rejection,
    SegmentAlreadyCredited,
    SegmentClosed,
)
from brands.travel.booking_parts import Chosen, Done, Part, carry_out, choose, refusing, require_few
from brands.travel.booking_steps import first_asked, step_records, stepped, token_of
from brands.travel.bookings import (
    ENDED,
    Segment,
    SegmentStatus,
    all_bookings,
    bookings_of,
    required,
)
from brands.travel.flown import Turns, turns_of

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
    `SegmentAlreadyCredited`, `InsufficientPoints` (`PointsSpent`, for a supplier that is not the
    program's brand), `BookingChanged`.
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
    work = _Voiding(coalition, caller, reason, await _turns(coalition, segments))
    parts = [
        work.part(each)
        if each.id in chosen.seen
        else refusing(each, BookingChanged())  # answered before, and so answered again
        for each in segments
    ]
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


async def _turns(coalition: Coalition, segments: Sequence[Segment]) -> dict[UUID, Turns]:
    """By segment, of those credited: how often the journey was credited to the member."""
    members = {
        each.id: each.membership_id
        for each in segments
        if each.status is SegmentStatus.CREDITED and each.membership_id is not None
    }
    parties = await coalition.parties.find(list(members.values()))
    credited = [each for each in segments if each.id in members]
    turns = await turns_of(
        coalition, [(parties[members[each.id]].member_id, each.facts) for each in credited]
    )
    return {each.id: turn for each, turn in zip(credited, turns, strict=True)}


class _Voiding:
    """One request, made into commands."""

    def __init__(
        self,
        coalition: Coalition,
        caller: Caller,
        reason: VoidReason,
        turns: Mapping[UUID, Turns],
    ) -> None:
        self._coalition = coalition
        self._caller = caller
        self._reason = reason
        self._turns = turns
        self._at = now_micros()

    def part(self, segment: Segment) -> Part:
        """What is to be done with a segment."""
        if segment.status in ENDED:
            return refusing(segment, SegmentClosed(status=segment.status.value))
        if segment.status is not SegmentStatus.CREDITED:
            return Part(segment, lambda claim: self._note(segment, claim))
        if self._caller.kind is CallerKind.AGENCY:
            return refusing(segment, SegmentAlreadyCredited())
        brand = self._coalition.registry.snapshot.brand_by_id(segment.brand_id)

        def otherwise(rejection: Rejection, claim: Claim) -> Command | None:
            # There is nothing to be taken back; the journey counts no more all the same.
            nothing_left = isinstance(rejection, AlreadyReversed) or (
                brand.clawback is Shortfall.UP_TO_BALANCE
                and isinstance(rejection, InsufficientPoints)
            )
            return self._note(segment, claim) if nothing_left else None

        def told(rejection: Rejection) -> Rejection:
            # What a member has is told to nobody but the brand whose points they are.
            is_hers = self._caller.acts_for_brand(segment.brand_id)
            if isinstance(rejection, InsufficientPoints) and not is_hers:
                return PointsSpent(replayed=rejection.replayed)
            return rejection

        return Part(
            segment, lambda claim: self._reverse(segment, brand.clawback, claim), otherwise, told
        )

    def _note(self, segment: Segment, claim: Claim) -> Note:
        return Note(
            id=new_id(book_of(segment.id)),
            claim=claim,
            operation=VOID,
            subject=segment.booking_id,
            tokens=(token_of(segment),),
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
            tokens=(token_of(segment),),
            description=self._reason.value,
            records=self._records(segment),
            request_id=self._caller.request_id,
        )

    def _records(self, segment: Segment) -> tuple[Record, ...]:
        voided = stepped(segment, SegmentStatus.VOIDED, reason=self._reason.value)
        turns = self._turns.get(segment.id)
        return (
            *step_records(voided, self._caller.client, self._at),
            *(() if turns is None else turns.undone(segment.id, self._at)),
        )

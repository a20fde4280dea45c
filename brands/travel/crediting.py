"""Confirming that a segment was flown or a stay has ended: then its points are credited.

Whoever supplies the flight or stay confirms it, and pays for the points, whichever brand's they
are: at a codeshare, or at a booking credited to a partner, the supplier's settlement account pays
what the points of the program's brand cost. How many those are is the program's to say, by its
chart; and of what they cost then and now the supplier pays what is more, so that by no choice of an
instant it leaves a part to the program.
"""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from brands.accruals import credit
from brands.callers import Caller
from brands.clock import Micros, from_micros, now_micros
from brands.coalition import Coalition
from brands.errors import EventInFuture, InvalidInput, NotPermitted, PointsOutOfRange
from brands.ids import book_of, new_id
from brands.intents import claim_of, happened_at, wording_of
from brands.itineraries import Facts, Flight, flown_as
from brands.ledger.chart import AccountKind, TransactionKind
from brands.ledger.commands import Claim, Command, Note, Post, Record
from brands.money import MAX_POINTS
from brands.moving.rule_bounds import aware
from brands.parties import Found, Party
from brands.rejections import MembershipClosed, Rejection
from brands.suspension import suspension
from brands.travel.booking_parts import Chosen, Done, Part, carry_out, choose, refusing, require_few
from brands.travel.booking_steps import step_records, stepped, token_of
from brands.travel.bookings import (
    Segment,
    SegmentStatus,
    bookings_of,
    required,
    whole_segments,
)
from brands.travel.flown import Turns, operated_by_another, turns_of, unknown_operator
from brands.travel.journey_days import has_begun, midnight
from brands.travel.linking import owners_of_segments
from brands.travel.rejections import (
    AccrualNotCharted,
    BookingChanged,
    FlightAlreadyCredited,
    OperatedByAnotherBrand,
    OperatingFlightUnknown,
    SegmentAlreadyCredited,
    SegmentClosed,
    SegmentNotTravelled,
    SegmentTooOld,
)
from brands.valuations import Rates, dearer

CONFIRM = "bookingSegmentConfirm"

NOT_A_MEMBER = "No open membership has this number and this name."
"""Why a segment is not credited whose number is nobody's: all that anybody is told of it."""

INELIGIBLE = "It earns no points."

_OVER_WITHIN = timedelta(days=3)
"""So long after the beginning of the day on which it counts a journey is over everywhere: no
instant after that is one at which it was made."""

_REMEMBERED = timedelta(days=731)
"""How long ago a journey may have been made that a brand confirms."""


_ALWAYS_SAID = 4
"""So many of its fields a confirmation has always had."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """That a segment was flown, or that a stay has ended, at an instant (now, if none is given).

    `points` None are those of the chart of the program; with 0 there is a reason. More only the
    program's own brand, and the operator, may give. `operating_carrier` operates the flight, under
    `operating_number`; what is said here holds, whatever the booking says.
    """

    segment_id: UUID
    points: int | None = None
    reason: str | None = None
    travelled_at: datetime | None = None
    operating_number: str | None = None
    operating_carrier: str | None = None

    @property
    def intent(self) -> tuple[Any, ...]:
        """What the client means by it: what is left unsaid of who operates it is not there, as it
        was before that could be said."""
        said = list(astuple(self))
        while len(said) > _ALWAYS_SAID and said[-1] is None:
            said.pop()
        return tuple(said)


async def confirm(
    coalition: Coalition,
    caller: Caller,
    confirmations: Sequence[Confirmation],
    idempotency_key: str,
) -> Done:
    """Credits up to 100 segments, or says why one earns nothing. For the brand that supplies them,
    and for operators.

    Raises `SegmentNotFound`, `NotPermitted`, `InvalidInput`, `PointsOutOfRange`, `EventInFuture`.
    Of each segment, for good: `SegmentAlreadyCredited`, `SegmentClosed`, `FlightAlreadyCredited`,
    `SegmentNotTravelled`, `SegmentTooOld`, `BrandSuspended` (the program's),
    `OperatedByAnotherBrand`, `AccrualNotCharted`, `OperatingFlightUnknown`, `BookingChanged`,
    `AmountTooLarge`.
    """
    ids = [each.segment_id for each in confirmations]
    require_few(ids, "segments")
    claim = claim_of(
        caller, idempotency_key, CONFIRM, segments=[each.intent for each in confirmations]
    )
    checked = [_checked(each, f"segments.{place}") for place, each in enumerate(confirmations)]
    found = await bookings_of(coalition, ids)
    chosen = await choose(coalition, caller, found, claim, CONFIRM)
    for place, given in enumerate(checked):
        if given.segment_id not in chosen.answered:
            segment = required(chosen.seen, given.segment_id, f"segments.{place}.segment")
            _require_permitted(caller, segment, given)
            _require_its_time(segment, confirmations[place], f"segments.{place}")
    segments = [
        chosen.whole[each.segment_id]
        if each.segment_id in chosen.answered
        else _as_flown(chosen.whole[each.segment_id], each, f"segments.{place}")
        for place, each in enumerate(checked)
    ]
    asked = [each for each in segments if each.id not in chosen.answered]
    owners = await owners_of_segments(coalition, caller, found, asked)
    segments = [
        replace(each, membership_id=owners[each.id].id) if each.id in owners else each
        for each in segments
    ]
    booked = {each.id: found[each.booking_id].created_at for each in asked if each.id in owners}
    work = _Confirming(coalition, caller, await _parties(coalition, segments), booked)
    await work.look_up(segments)
    parts = [
        work.part(segment, given)
        if _is_still_hers(caller, chosen, segment)
        else refusing(segment, BookingChanged())  # answered before, and so answered again
        for segment, given in zip(segments, checked, strict=True)
    ]
    parts = [replace(part, told=_told) for part in parts]
    return await carry_out(coalition, caller, claim, CONFIRM, segments[0].booking_id, parts)


def _told(refused: Rejection) -> Rejection:
    """What the caller is told of a refusal: never whose the number is. That the membership is
    closed is left standing only where the request was cut off, and the segment is no more hers."""
    if isinstance(refused, MembershipClosed):
        return BookingChanged(replayed=refused.replayed)
    return refused


def _is_still_hers(caller: Caller, chosen: Chosen, segment: Segment) -> bool:
    return segment.id in chosen.seen and caller.acts_for_brand(segment.supplier_id)


def _require_permitted(caller: Caller, segment: Segment, given: Confirmation) -> None:
    """The supplier confirms; points that are not the chart's only their own brand issues."""
    if not caller.acts_for_brand(segment.supplier_id):
        raise NotPermitted
    if given.points and not caller.acts_for_brand(segment.brand_id):
        raise NotPermitted


def _require_its_time(segment: Segment, given: Confirmation, path: str) -> None:
    """An instant that is given is one at which the journey was made."""
    day = midnight(segment.facts)
    if given.travelled_at is not None and given.travelled_at - day >= _OVER_WITHIN:
        reason = f"The journey was made on {segment.facts.travelled_on}."
        raise InvalidInput(path=f"{path}.flownAt", reason=reason)


def _as_flown(segment: Segment, given: Confirmation, path: str) -> Segment:
    """The segment as it was flown, where its supplier says by whom and under which number."""
    said = given.operating_carrier, given.operating_number
    return replace(segment, facts=flown_as(segment.facts, *said, f"{path}."))


async def _parties(coalition: Coalition, segments: Sequence[Segment]) -> Found:
    return await coalition.parties.find(
        [each.membership_id for each in segments if each.membership_id is not None]
    )


def _checked(given: Confirmation, path: str) -> Confirmation:
    """The same in due form, with the instant filled in."""
    points, reason = given.points, given.reason
    if points is not None and points < 0:
        raise InvalidInput(path=f"{path}.points", reason="Points are not below zero.")
    if points is not None and points > MAX_POINTS:
        raise PointsOutOfRange(path=f"{path}.points", maximum=MAX_POINTS)
    if points == 0 and reason is None:
        raise InvalidInput(path=f"{path}.reason", reason="Say why it earns nothing.")
    aware(given.travelled_at, f"{path}.flownAt")
    try:
        at = happened_at(given.travelled_at)
    except EventInFuture as future:
        raise EventInFuture(path=f"{path}.flownAt", event_at=future.event_at) from None
    words = None if reason is None else wording_of(reason, f"{path}.reason")
    return replace(given, reason=words, travelled_at=from_micros(at))


class _Confirming:
    """One request, made into commands."""

    def __init__(
        self,
        coalition: Coalition,
        caller: Caller,
        parties: Found,
        booked: Mapping[UUID, datetime],
    ) -> None:
        self._coalition = coalition
        self._caller = caller
        self._parties = parties
        self._booked = booked
        """Of the segments that are linked to somebody now only: when they were booked."""
        self._turns: dict[UUID, Turns] = {}
        self._now: dict[UUID, Segment] = {}
        self._at: Micros = now_micros()

    async def look_up(self, segments: Sequence[Segment]) -> None:
        """Whether the segments' flights are credited already; if so, whether the segments have
        been confirmed since they were read."""
        linked = [each for each in segments if each.membership_id in self._parties]
        members = [(self._party(each).member_id, each.facts) for each in linked]
        turns = await turns_of(self._coalition, members)
        self._turns = {each.id: turn for each, turn in zip(linked, turns, strict=True)}
        met = [
            each.id
            for each in linked
            if each.status is SegmentStatus.PENDING and self._turns[each.id].is_credited
        ]
        if met:
            self._now = {each.id: each for each in await whole_segments(self._coalition, met)}

    def part(self, segment: Segment, given: Confirmation) -> Part:
        """What is to be done with a segment."""
        program = self._coalition.registry.snapshot.brand_by_id(segment.brand_id)
        refusal = _refusal(segment, given, self._caller, from_micros(self._at))
        refusal = refusal or suspension(program) or self._elsewhere(segment, given)
        if refusal is not None:
            return refusing(segment, refusal)
        points, reason = given.points, given.reason
        if points is None:
            programs = self._coalition.registry.snapshot.programs
            terms = programs.terms_for(segment.brand_id, _instant(given), from_micros(self._at))
            earned = terms.earned(segment.facts)
            if earned is None:
                return refusing(segment, self._met(segment) or AccrualNotCharted())
            points, reason = earned.points, reason or earned.reason
        if points == 0:
            ended = stepped(segment, SegmentStatus.INELIGIBLE, reason=reason or INELIGIBLE)
            return Part(segment, lambda claim: self._note(segment, ended, claim))
        nobodys = stepped(segment, SegmentStatus.NOT_CREDITED, reason=NOT_A_MEMBER)

        def otherwise(rejection: Rejection, claim: Claim) -> Command | None:
            closed = isinstance(rejection, MembershipClosed)
            return self._note(segment, nobodys, claim) if closed else None

        if segment.membership_id not in self._parties:
            return Part(segment, lambda claim: self._note(segment, nobodys, claim), otherwise)
        refusal = self._met(segment) or self._unnumbered(segment)
        if refusal is not None:
            return refusing(segment, refusal)
        return Part(segment, lambda claim: self._post(segment, given, points, claim), otherwise)

    def _elsewhere(self, segment: Segment, given: Confirmation) -> Rejection | None:
        """Whether who confirms says that the flight was another brand's."""
        if given.operating_carrier is None:
            return None
        programs = self._coalition.registry.snapshot.programs
        carrier = operated_by_another(programs, segment.supplier_id, segment.facts)
        return None if carrier is None else OperatedByAnotherBrand(carrier=carrier)

    def _met(self, segment: Segment) -> Rejection | None:
        """Whether the member is credited with the flight or stay already; by this segment, if that
        was confirmed meanwhile."""
        turns = self._turns.get(segment.id)
        if turns is None or not turns.is_credited:
            return None
        return _ended(self._now[segment.id]) or FlightAlreadyCredited()

    def _unnumbered(self, segment: Segment) -> Rejection | None:
        """Whether it has to be said first under which number it was flown."""
        operator = unknown_operator(self._coalition.registry.snapshot.programs, segment.facts)
        return None if operator is None else OperatingFlightUnknown(carrier=operator)

    def _party(self, segment: Segment) -> Party:
        assert segment.membership_id is not None
        return self._parties[segment.membership_id]

    def _note(self, before: Segment, after: Segment, claim: Claim) -> Note:
        """The segment ends without points."""
        return Note(
            id=new_id(book_of(before.id)),
            claim=claim,
            operation=CONFIRM,
            subject=before.booking_id,
            tokens=(token_of(before),),
            records=self._step(after),
            request_id=self._caller.request_id,
        )

    def _step(self, after: Segment) -> tuple[Record, ...]:
        booked_at = self._booked.get(after.id)
        return tuple(step_records(after, self._caller.client, self._at, booked_at))

    def _rates(self, segment: Segment, at: datetime) -> Rates:
        """What the points cost whoever supplies the journey."""
        snapshot = self._coalition.registry.snapshot
        then = snapshot.valuation(segment.brand_id, at).rates
        if segment.supplier_id == segment.brand_id:
            return then
        return dearer(then, snapshot.valuation(segment.brand_id, from_micros(self._at)).rates)

    def _post(self, segment: Segment, given: Confirmation, points: int, claim: Claim) -> Post:
        party, turns = self._party(segment), self._turns[segment.id]
        at = _instant(given)
        rates = self._rates(segment, at)
        transaction = new_id(book_of(party.id))
        credited = stepped(
            segment,
            SegmentStatus.CREDITED,
            points=points,
            reason=given.reason,
            transaction_id=transaction,
        )
        return Post(
            id=transaction,
            claim=claim,
            kind=TransactionKind.ACCRUAL,
            postings=credit(AccountKind.ISSUED, party, segment.supplier_id, points, rates),
            points=points,
            event_at=happened_at(at),
            description=wording(segment.facts),
            tokens=(token_of(segment), *turns.tokens()),
            records=(
                *self._step(credited),
                *turns.credited(segment.id, self._at),
            ),
            request_id=self._caller.request_id,
        )


def _refusal(
    segment: Segment, given: Confirmation, caller: Caller, now: datetime
) -> Rejection | None:
    """Why a segment cannot be confirmed, whatever it earns."""
    if (ended := _ended(segment)) is not None:
        return ended
    day = segment.facts.travelled_on.isoformat()
    if not has_begun(segment.facts, _instant(given)):
        return SegmentNotTravelled(begins_on=day)
    if now - _REMEMBERED > midnight(segment.facts) and not caller.is_operator:
        return SegmentTooOld(travelled_on=day)
    return None


def _ended(segment: Segment) -> Rejection | None:
    """Why a segment that is not pending cannot be confirmed."""
    if segment.status is SegmentStatus.CREDITED:
        return SegmentAlreadyCredited()
    if segment.status is not SegmentStatus.PENDING:
        return SegmentClosed(status=segment.status.value)
    return None


def _instant(given: Confirmation) -> datetime:
    assert given.travelled_at is not None
    return given.travelled_at


def wording(facts: Facts) -> str:
    """A flight or stay as a statement names it."""
    if isinstance(facts, Flight):
        way = f"{facts.origin}-{facts.destination}" if facts.destination else facts.origin
        return f"Flight {facts.carrier} {facts.number}, {way}, {facts.departs_on}"
    return f"Stay at {facts.place}, {facts.check_in} to {facts.check_out}"

"""Bookings of travel agencies as they stand: who travels, and what became of each segment.

A booking is one passenger's, under one record locator, at one agency. What became of a segment is a
row for each step, of which the last one holds. An agency sees its own bookings and the operator
all of them; a brand, of those that name it, the segments that are credited to its program or that
it supplies; a member the segments that are linked to her. To anybody else they do not exist.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from uuid import UUID

from brands import bounds
from brands.callers import Caller, CallerKind
from brands.clock import from_micros
from brands.coalition import Coalition
from brands.database import Row, as_uuid
from brands.errors import BookingNotFound, InvalidInput, SegmentNotFound
from brands.ids import book_of
from brands.itineraries import Facts, facts_from_text
from brands.naming.name_parts import given_name_of, surname_of
from brands.naming.name_spellings import joined, words_of
from brands.naming.names import folded
from brands.naming.number_reading import NumberVerdict, bare, judge
from brands.parties import Found
from brands.registry import Brand


class SegmentStatus(StrEnum):
    """What became of a segment."""

    PENDING = "PENDING"
    CREDITED = "CREDITED"
    INELIGIBLE = "INELIGIBLE"
    NOT_CREDITED = "NOT_CREDITED"
    DETACHED = "DETACHED"
    VOIDED = "VOIDED"


ENDED = (SegmentStatus.DETACHED, SegmentStatus.VOIDED)
"""What ended so is over: the same flight, booked again, is another segment."""


@dataclass(frozen=True, slots=True)
class Passenger:
    """Who travels, as the agency wrote it."""

    surname: str = field(repr=False)  # personal data, for no log
    given_name: str | None = field(default=None, repr=False)

    @property
    def told_apart_by(self) -> tuple[str, str, str]:
        """What tells travellers of one booking apart: surname, given name and generation, however
        they are written, and whatever the title: unless there are initials only, or nothing, for
        then it is the title that tells `J MR` from `J MRS`. One that is glued is part of a name."""
        surname, generation = surname_of(words_of(self.surname))
        written = words_of(self.given_name or "")
        given, other = given_name_of(written)
        if all(len(word.plain) == 1 for word in given):
            given = written
        return joined(surname).plain, joined(given).plain, generation or other or ""


@dataclass(frozen=True, slots=True)
class Segment:
    """A flight or stay that is to be credited to a loyalty number of a brand.

    `membership_id` is whose that is, if the passenger's name is hers; `step` counts what happened
    to it, from 0; there are `points` while it is credited. What the caller may not know is None,
    and `is_linked` with it.
    """

    id: UUID
    booking_id: UUID
    facts: Facts
    step: int
    status: SegmentStatus
    brand_id: UUID
    number: str
    membership_id: UUID | None
    is_linked: bool | None
    supplier_id: UUID
    points: int | None
    reason: str | None
    transaction_id: UUID | None
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Booking:
    """A passenger's booking, and the segments of it that the caller may see, in the order in which
    they were attached."""

    id: UUID
    agency_id: UUID
    record_locator: str
    passenger: Passenger | None
    segments: tuple[Segment, ...]
    created_at: datetime

    def segment(self, id: UUID) -> Segment | None:
        """The segment of this id, if there is one."""
        return next((each for each in self.segments if each.id == id), None)


def checked_passenger(who: Passenger, path: str) -> Passenger:
    """The same in due form. Raises `InvalidInput`."""
    surname = bounds.text(who.surname, f"{path}.surname", bounds.MAX_NAME)
    if not any(map(str.isalpha, folded(surname))):
        raise InvalidInput(path=f"{path}.surname", reason="A surname has a letter, of any script.")
    given_name = bounds.optional_text(who.given_name, f"{path}.givenName", bounds.MAX_NAME)
    return Passenger(surname, given_name)


def checked_number(brand: Brand, written: str) -> str:
    """A number as it is kept. Raises `InvalidInput` for one that no number of the brand looks like:
    that is no secret, and a slip of the pen is found before anybody travels."""
    reading = judge(written, brand.number_format)
    if reading.verdict is NumberVerdict.MALFORMED:
        reason = f"No loyalty number of {brand.code} looks so."
        raise InvalidInput(path="loyalty.number", reason=reason)
    return reading.number or bare(written)


def name_of(
    coalition: Coalition, agency_id: UUID, record_locator: str, passenger: Passenger
) -> str:
    """What tells a booking from all others: a digest under the coalition's secret, without which no
    name can be tried on it."""
    told = "\n".join((agency_id.hex, record_locator, *passenger.told_apart_by))
    digest = blake2b(told.encode(), key=coalition.secret, person=b"booking", digest_size=16)
    return digest.hexdigest()


async def bookings_by_id(
    coalition: Coalition, caller: Caller, ids: Sequence[UUID]
) -> dict[UUID, Booking]:
    """Those of the bookings that the caller may see, as far as she may see them."""
    return await seen_by(coalition, caller, await all_bookings(coalition, ids))


async def booking_by_id(
    coalition: Coalition, caller: Caller, id: UUID, *, path: str = "booking"
) -> Booking:
    """The booking of this id, as far as the caller may see it. Raises `BookingNotFound`."""
    found = await bookings_by_id(coalition, caller, [id])
    if id not in found:
        raise BookingNotFound(path=path, name=str(id))
    return found[id]


async def segments_by_id(
    coalition: Coalition, caller: Caller, ids: Sequence[UUID]
) -> dict[UUID, Segment]:
    """Those of the segments that the caller may see."""
    found = await seen_by(coalition, caller, await bookings_of(coalition, ids))
    segments = {each.id: each for booking in found.values() for each in booking.segments}
    return {id: segments[id] for id in ids if id in segments}


async def whole_segments(coalition: Coalition, ids: Sequence[UUID]) -> list[Segment]:
    """The segments, whole, in the order asked for: for services that ask who may by themselves."""
    found = await bookings_of(coalition, ids)
    segments = {each.id: each for booking in found.values() for each in booking.segments}
    return [segments[id] for id in ids]


async def bookings_of(coalition: Coalition, ids: Sequence[UUID]) -> dict[UUID, Booking]:
    """The bookings, whole, of some segments: for services that ask who may by themselves."""
    rows = await coalition.database.fetch(
        "SELECT DISTINCT booking_id FROM booking_segments"
        " WHERE book = ANY($1::smallint[]) AND id = ANY($2::uuid[])",
        list({book_of(id) for id in ids}),
        list(ids),
    )
    return await all_bookings(coalition, [as_uuid(row["booking_id"]) for row in rows])


def required(found: Mapping[UUID, Segment], id: UUID, path: str) -> Segment:
    """The segment of this id. Raises `SegmentNotFound`."""
    if id not in found:
        raise SegmentNotFound(path=path, name=str(id))
    return found[id]


async def all_bookings(coalition: Coalition, ids: Sequence[UUID]) -> dict[UUID, Booking]:
    """The bookings, whole, in the order asked for: for services that ask who may by themselves."""
    if not ids:
        return {}
    rows = await coalition.database.fetch(
        f"{_SELECT} WHERE b.book = ANY($1::smallint[]) AND b.id = ANY($2::uuid[])"
        " ORDER BY s.created_at, s.id",
        list({book_of(id) for id in ids}),
        list(ids),
    )
    found = _bookings(rows)
    return {id: found[id] for id in ids if id in found}


async def booking_of_name(coalition: Coalition, book: int, name: str) -> Booking | None:
    """The booking that is named so, whole, if there is one."""
    rows = await coalition.database.fetch(
        f"{_SELECT} WHERE b.book = $1 AND b.name = $2 ORDER BY s.created_at, s.id", book, name
    )
    return next(iter(_bookings(rows).values()), None)


async def seen_by(
    coalition: Coalition, caller: Caller, found: Mapping[UUID, Booking]
) -> dict[UUID, Booking]:
    """Those of the bookings that the caller may see, as far as she may see them."""
    linked: Found = {}
    if caller.kind is CallerKind.MEMBER:
        linked = await coalition.parties.find(
            [
                each.membership_id
                for booking in found.values()
                for each in booking.segments
                if each.membership_id is not None
            ]
        )
    shown = ((id, _as_seen(caller, booking, linked)) for id, booking in found.items())
    return {id: booking for id, booking in shown if booking is not None}


_SELECT = """
SELECT b.id, b.agency_id, b.record_locator, b.created_at, p.surname, p.given_name,
       s.id AS segment_id, t.step, t.status, t.brand_id, t.number, t.membership_id, t.supplier_id,
       t.facts, t.points, t.reason, t.transaction_id, t.recorded_at
FROM bookings b
JOIN booking_segments s ON s.book = b.book AND s.booking_id = b.id
JOIN booking_steps t ON t.book = s.book AND t.segment_id = s.id AND NOT EXISTS (
    SELECT 1 FROM booking_steps n
    WHERE n.book = t.book AND n.segment_id = t.segment_id AND n.step = t.step + 1)
LEFT JOIN booking_passengers p ON p.book = b.book AND p.booking_id = b.id
"""
"""Rows repeat a booking for each of its segments, of which each has one at least."""


def _bookings(rows: Sequence[Row]) -> dict[UUID, Booking]:
    grouped: dict[UUID, list[Row]] = {}
    for row in rows:
        grouped.setdefault(as_uuid(row["id"]), []).append(row)
    return {id: _booking(id, of_one) for id, of_one in grouped.items()}


def _booking(id: UUID, rows: Sequence[Row]) -> Booking:
    row = rows[0]
    return Booking(
        id=id,
        agency_id=as_uuid(row["agency_id"]),
        record_locator=row["record_locator"],
        passenger=None if row["surname"] is None else Passenger(row["surname"], row["given_name"]),
        segments=tuple(_segment(id, each) for each in rows),
        created_at=from_micros(row["created_at"]),
    )


def _segment(booking_id: UUID, row: Row) -> Segment:
    membership, transaction = row["membership_id"], row["transaction_id"]
    status = SegmentStatus(row["status"])
    return Segment(
        id=as_uuid(row["segment_id"]),
        booking_id=booking_id,
        facts=facts_from_text(row["facts"]),
        step=row["step"],
        status=status,
        brand_id=as_uuid(row["brand_id"]),
        number=row["number"],
        membership_id=None if membership is None else as_uuid(membership),
        is_linked=membership is not None,
        supplier_id=as_uuid(row["supplier_id"]),
        points=row["points"] if status is SegmentStatus.CREDITED else None,
        reason=row["reason"],
        transaction_id=None if transaction is None else as_uuid(transaction),
        changed_at=from_micros(row["recorded_at"]),
    )


def _as_seen(caller: Caller, booking: Booking, linked: Found) -> Booking | None:
    """The booking as the caller may see it, if she may.

    An agency is told neither whether a number is that of its passenger, nor how many points there
    are; a supplier is not told the first of another program's numbers. An operator without the
    scope `pii` sees no names.
    """
    if caller.is_operator:
        return booking if "pii" in caller.scopes else replace(booking, passenger=None)
    if caller.kind is CallerKind.AGENCY:
        if not caller.sees_agency(booking.agency_id):
            return None
        return replace(booking, segments=tuple(map(_without_member, booking.segments)))
    segments = tuple(
        _as_supplied(caller, each) for each in booking.segments if _concerns(caller, each, linked)
    )
    return replace(booking, segments=segments) if segments else None


def _without_member(segment: Segment) -> Segment:
    return replace(segment, membership_id=None, is_linked=None, points=None, transaction_id=None)


def _as_supplied(caller: Caller, segment: Segment) -> Segment:
    """To the supplier another program's numbers are numbers, until it has confirmed."""
    if caller.kind is CallerKind.BRAND and caller.brand_id != segment.brand_id:
        return replace(segment, membership_id=None, is_linked=None)
    return segment


def _concerns(caller: Caller, segment: Segment, linked: Found) -> bool:
    if caller.kind is CallerKind.BRAND:
        return caller.brand_id in (segment.brand_id, segment.supplier_id)
    party = None if segment.membership_id is None else linked.get(segment.membership_id)
    return party is not None and caller.sees_membership(party.brand_id, party.member_id)

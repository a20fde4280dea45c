"""What one attachment does to a booking: which segments it adds, and which it changes.

Nothing is read or written here; what is to be written comes out as one command.
"""

import re
from dataclasses import dataclass, field, replace
from uuid import UUID

from brands import bounds
from brands.callers import Caller
from brands.clock import from_micros, now_micros, to_micros
from brands.errors import InvalidInput
from brands.ids import book_of, new_id
from brands.itineraries import Facts, Flight, Stay, checked_flight, checked_stay
from brands.ledger.commands import Claim, Note, Record, Token
from brands.naming.numbers import MAX_NUMBER
from brands.program_terms import Programs, supplier_of
from brands.registry import Brand
from brands.travel.booking_steps import (
    BOOKING_RECORD,
    BRAND_RECORD,
    PASSENGER_RECORD,
    SEGMENT_RECORD,
    step_records,
    stepped,
    token_of,
)
from brands.travel.bookings import (
    ENDED,
    Booking,
    Passenger,
    Segment,
    SegmentStatus,
    checked_passenger,
)
from brands.travel.rejections import SegmentAlreadyCredited, SegmentClosed

ATTACH = "bookingAttach"

MAX_SEGMENTS = 100
"""Of one booking, those that have ended included."""

_LOCATOR = re.compile(r"[A-Z0-9-]{2,20}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A passenger's number for flights and stays of a booking. `agency` is a code; only an operator
    gives one, for an agency is itself."""

    record_locator: str
    passenger: Passenger
    brand: str
    number: str = field(repr=False)
    flights: tuple[Flight, ...]
    stays: tuple[Stay, ...]
    idempotency_key: str
    agency: str | None = None


@dataclass(frozen=True, slots=True)
class Loyalty:
    """The number as it is to be attached, and whose it is, if the name is hers. `is_guarded` where
    that could not be looked up."""

    brand: Brand
    number: str
    membership_id: UUID | None
    is_guarded: bool = False

    def as_known(self, booking: Booking) -> "Loyalty":
        """The same, whose it is being what it was for this passenger before."""
        known = (each.membership_id for each in booking.segments if self.names(each))
        return replace(self, membership_id=next(filter(None, known), None))

    def is_of(self, segment: Segment) -> bool:
        """Whether a segment has it already."""
        return self.names(segment) and segment.membership_id == self.membership_id

    def names(self, segment: Segment) -> bool:
        """Whether a segment has this number, whosever it was when it was attached."""
        return (segment.brand_id, segment.number) == (self.brand.id, self.number)


class Attaching:
    """What one attachment does to a booking, which may be there already."""

    def __init__(
        self,
        programs: Programs,
        caller: Caller,
        asked: Attachment,
        loyalty: Loyalty,
        booking: Booking,
        name: str,
        told: set[UUID],
    ) -> None:
        self._programs = programs
        self._caller = caller
        self._asked = asked
        self._loyalty = loyalty
        self._booking = booking
        self._book = book_of(booking.id)
        self._name = name
        self._at = now_micros()
        self._told = told
        """The brands that know of the booking."""
        self._tokens: list[Token] = []
        self._records: list[Record] = []

    def lay_out(self) -> None:
        """Finds out what there is to be written. Raises what is wrong with it."""
        new = 0
        for path, facts in _journey(self._asked):
            there = self._there(path, facts)
            if there is not None:
                self._again(there, facts)
            else:
                self._add(facts, new)
                new += 1
        if len(self._booking.segments) + new > MAX_SEGMENTS:
            raise InvalidInput(
                path="segments", reason=f"A booking has at most {MAX_SEGMENTS} segments."
            )
        if not self._booking.segments:
            self._found()
        if new:
            # Segments are only ever added, so that of two who add to one state one is refused.
            known = len(self._booking.segments)
            self._tokens.append(Token(self._book, f"booked:{self._name}/{known}"))

    def command(self, claim: Claim) -> Note:
        """All of it, as one command."""
        return Note(
            id=new_id(self._book),
            claim=claim,
            operation=ATTACH,
            subject=self._booking.id,
            tokens=tuple(self._tokens),
            records=tuple(self._records),
            request_id=self._caller.request_id,
        )

    def _there(self, path: str, facts: Facts) -> Segment | None:
        """The segment that is this flight or stay. With another ticket it is another traveller's,
        of the same name. Raises `InvalidInput` where it may be either's."""
        found = [
            each
            for each in self._booking.segments
            if each.status not in ENDED
            and each.facts.identity == facts.identity
            and (_ticket(facts) is None or _ticket(each.facts) in (None, _ticket(facts)))
        ]
        exact = [each for each in found if _ticket(each.facts) == _ticket(facts)]
        chosen = exact or found
        if len(chosen) > 1:
            reason = "Two travellers of this name are on this flight: say whose ticket it is."
            raise InvalidInput(path=f"{path}.ticketNumber", reason=reason)
        return next(iter(chosen), None)

    def _again(self, segment: Segment, facts: Facts) -> None:
        """What the booking has already."""
        loyalty = self._loyalty
        if segment.status is not SegmentStatus.PENDING:
            if not loyalty.names(segment):
                require_pending(segment)
            return  # as it is
        if loyalty.is_of(segment) and segment.facts == facts:
            return
        changed = self._step(stepped(segment, SegmentStatus.PENDING), facts)
        self._tokens.append(token_of(segment))
        relinked = None if loyalty.is_of(segment) else self._booking.created_at
        self._records += step_records(changed, self._caller.client, self._at, relinked)

    def _add(self, facts: Facts, place: int) -> None:
        segment = Segment(
            id=new_id(self._book),
            booking_id=self._booking.id,
            facts=facts,
            step=0,
            status=SegmentStatus.PENDING,
            brand_id=self._loyalty.brand.id,
            number=self._loyalty.number,
            membership_id=self._loyalty.membership_id,
            is_linked=None,
            supplier_id=self._loyalty.brand.id,
            points=None,
            reason=None,
            transaction_id=None,
            changed_at=from_micros(self._at),
        )
        made = self._step(segment, facts)
        self._records.append(
            Record(
                SEGMENT_RECORD,
                # In the order given, though made at one moment.
                (self._book, made.id, made.booking_id, facts.identity, self._at + place),
            )
        )
        self._records += step_records(made, self._caller.client, self._at, self._booking.created_at)

    def _step(self, segment: Segment, facts: Facts) -> Segment:
        loyalty, at = self._loyalty, from_micros(self._at)
        made = replace(
            segment,
            facts=facts,
            brand_id=loyalty.brand.id,
            number=loyalty.number,
            membership_id=loyalty.membership_id,
            supplier_id=supplier_of(self._programs, loyalty.brand.id, facts, at),
        )
        for brand_id in {made.brand_id, made.supplier_id} - self._told:
            self._told.add(brand_id)
            self._tokens.append(Token(self._book, f"told:{self._name}/{brand_id}"))
            row = (self._book, self._booking.id, brand_id, to_micros(self._booking.created_at))
            self._records.append(Record(BRAND_RECORD, row))
        return made

    def _found(self) -> None:
        """The rows of a booking that was not there."""
        booking, passenger = self._booking, self._asked.passenger
        named = (booking.agency_id, booking.record_locator, self._name)
        created_at = to_micros(booking.created_at)
        self._records.append(Record(BOOKING_RECORD, (self._book, booking.id, *named, created_at)))
        who = (self._book, booking.id, passenger.surname, passenger.given_name)
        self._records.append(Record(PASSENGER_RECORD, who))


def _journey(asked: Attachment) -> list[tuple[str, Facts]]:
    """What is travelled, each once, and in which field it was said."""
    said: list[tuple[str, Facts]] = [
        *((f"segments.{place}", each) for place, each in enumerate(asked.flights)),
        *((f"stays.{place}", each) for place, each in enumerate(asked.stays)),
    ]
    ticketed = {each.identity for _, each in said if _ticket(each) is not None}
    once = {
        (each.identity, _ticket(each)): (path, each)
        for path, each in said
        if _ticket(each) is not None or each.identity not in ticketed
    }
    return list(once.values())


def _ticket(facts: Facts) -> str | None:
    return facts.ticket if isinstance(facts, Flight) else None


def new_booking(agency_id: UUID, home: int, asked: Attachment) -> Booking:
    """A booking that is not there yet."""
    return Booking(
        id=new_id(home),
        agency_id=agency_id,
        record_locator=asked.record_locator,
        passenger=asked.passenger,
        segments=(),
        created_at=from_micros(now_micros()),
    )


def require_pending(segment: Segment) -> None:
    """Raises `SegmentAlreadyCredited` or `SegmentClosed` unless the segment is pending."""
    if segment.status is SegmentStatus.CREDITED:
        raise SegmentAlreadyCredited
    if segment.status is not SegmentStatus.PENDING:
        raise SegmentClosed(status=segment.status.value)


def checked(given: Attachment) -> Attachment:
    """The same in due form. Raises `InvalidInput`."""
    locator = given.record_locator.strip().upper()
    if not _LOCATOR.fullmatch(locator):
        reason = "A record locator is 2 to 20 letters, digits and hyphens."
        raise InvalidInput(path="recordLocator", reason=reason)
    flights = [checked_flight(each, f"segments.{n}") for n, each in enumerate(given.flights)]
    stays = [checked_stay(each, f"stays.{n}") for n, each in enumerate(given.stays)]
    if not 1 <= len(flights) + len(stays) <= MAX_SEGMENTS:
        reason = f"Give 1 to {MAX_SEGMENTS} flights and stays."
        raise InvalidInput(path="segments", reason=reason)
    return replace(
        given,
        record_locator=locator,
        passenger=checked_passenger(given.passenger, "passenger"),
        number=bounds.text(given.number, "loyalty.number", MAX_NUMBER),
        flights=tuple(flights),
        stays=tuple(stays),
    )

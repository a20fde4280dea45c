"""A row of a file of bookings on its way: whose program it names, as what it is attached, and what
became of it. Nothing is looked up here but the brands."""

from collections.abc import Iterator
from dataclasses import astuple, dataclass, replace
from datetime import date
from enum import StrEnum
from hashlib import blake2b

import orjson

from brands.clock import now
from brands.errors import InvalidInput
from brands.itineraries import Facts, Flight, Stay
from brands.naming.number_reading import bare, judge
from brands.registry import Brand, Snapshot
from brands.suspension import suspension
from brands.travel.attachments import Attachment, checked
from brands.travel.bookings import ENDED, Booking, Passenger, SegmentStatus
from brands.verification import NumberAndName, RowStatus
from gateway.files.bookings_file import Row
from gateway.trade.loyalty_elements import BadElement, LeftOut, LoyaltyElement, Segment

_CARRIER_LENGTH = 2
"""Of the code that a number stands behind in a remark."""


class Fate(StrEnum):
    """What became of a row beyond its verification."""

    ATTACHED = "attached"
    ALREADY_THERE = "already there"
    LOADED_BEFORE = "loaded before"
    """It was attached once, and its booking has changed since."""

    VERIFIED = "verified"
    """There was nothing to attach, or it was not asked for."""

    NOT_ATTACHED = "not attached"
    """The number is not the traveller's, as far as can be told; or what it was to be attached to
    could not be read."""

    REFUSED = "refused"
    BAD = "bad"


_GOOD = (Fate.ATTACHED, Fate.ALREADY_THERE, Fate.VERIFIED)
_OF_A_BOOKING = (Fate.ATTACHED, Fate.ALREADY_THERE)


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a row: what was read of it, if it could be read, and what was said."""

    line: int
    element: LoyaltyElement | None
    status: RowStatus | None
    fate: Fate
    why: str = ""

    @property
    def understood(self) -> str:
        """What was read, on one line."""
        return "" if self.element is None else understood(self.element)

    @property
    def is_good(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.fate in _GOOD and self.status is not RowStatus.REVIEW


@dataclass(slots=True)
class Known:
    """A row of which the brand is known, and what became of it so far. What it is attached as is
    None where there is no booking, or nothing travelled."""

    line: int
    element: LoyaltyElement
    brand: Brand
    attachment: Attachment | None
    status: RowStatus | None = None
    report: Report | None = None

    @property
    def number(self) -> str:
        """The same for all ways of writing it. What the brand has stored is not told, and where its
        format is open, several may be right."""
        return bare(self.element.number)

    @property
    def has_lost(self) -> bool:
        """Whether what it could have been attached to was left out."""
        is_lost = any(isinstance(each, LeftOut) for each in self.element.notes)
        return self.attachment is None and is_lost

    @property
    def number_and_name(self) -> NumberAndName:
        """As it is verified."""
        element = self.element
        return NumberAndName(self.brand.code, element.number, element.surname, element.given_name)

    def told(self, fate: Fate, *why: str) -> None:
        """What is to be said of it."""
        said = [*why, *self.element.notes]
        if self.status is RowStatus.REVIEW and fate in _GOOD:
            nobodys = "linked to nobody: " if fate in _OF_A_BOOKING else ""
            said.insert(0, f"{nobodys}put the name right")
        self.report = Report(self.line, self.element, self.status, fate, "; ".join(said))

    def is_in(self, booking: Booking) -> bool:
        """Whether all of it is in the booking, under its number."""
        given = self.attachment
        assert given is not None, "only what is attached is in a booking"
        segments = [
            each
            for each in booking.segments
            if each.status not in ENDED
            and (each.brand_id, bare(each.number)) == (self.brand.id, self.number)
        ]
        journey: tuple[Facts, ...] = (*given.flights, *given.stays)
        return all(
            any(
                # What is settled stays as it is, whatever is said of it later.
                each.facts == facts
                if each.status is SegmentStatus.PENDING
                else each.facts.identity == facts.identity
                for each in segments
            )
            for facts in journey
        )


def refuse_suspended(snapshot: Snapshot, row: Known) -> bool:
    """Whether the row's brand is suspended, which is told then: nobody's number matches there."""
    if suspension(snapshot.brand_by_id(row.brand.id)) is None:
        return False
    row.status = None  # NO_MATCH would not be true
    row.told(Fate.REFUSED, f"{row.brand.code} is suspended; load it again afterwards")
    return True


def read_row(snapshot: Snapshot, row: Row, *, verify_only: bool) -> Report | Known:
    """A row with its brand and in due form, or what is wrong with it."""
    if isinstance(row.content, BadElement):
        return Report(row.line, None, None, Fate.BAD, str(row.content))
    if row.against is not None:
        return Report(row.line, row.content, None, Fate.NOT_ATTACHED, row.against)
    found = _likeliest(list(_readings(snapshot, row)))
    if found is None:
        called = row.content.program or row.content.carrier
        why = f"no brand of the coalition is called {called}"
        return Report(row.line, row.content, None, Fate.BAD, why)
    element, brand = found
    try:
        given = None if verify_only else _attachment(element, brand)
    except BadElement as bad:
        return Report(row.line, element, None, Fate.BAD, str(bad))
    return Known(row.line, element, brand, given)


def brand_of(snapshot: Snapshot, element: LoyaltyElement) -> Brand | None:
    """The brand whose program an element names: by the program's code or name, or as the trade
    calls the carrier, which may stand in the program's place."""
    if element.program is not None:
        named = element.program.casefold()
        for brand in snapshot.brands:
            if named in (brand.code.casefold(), brand.name.casefold()):
                return brand
    for called in (element.program, element.carrier):
        found = called and snapshot.programs.named(called.upper(), now())
        if found:
            return snapshot.brand_by_id(found)
    return next((each for each in snapshot.brands if each.code == element.carrier), None)


def understood(element: LoyaltyElement) -> str:
    """What was read, on one line."""
    name = f"{element.surname}/{element.given_name}" if element.given_name else element.surname
    said = [element.program or element.carrier, element.number, name, element.record_locator]
    return " ".join(each for each in (*said, *journey_of(element)) if each)


def journey_of(element: LoyaltyElement) -> Iterator[str]:
    """Its flights and stays, each in words."""
    for flight in element.segments:
        said = [f"{flight.carrier}{flight.flight or ''}", _day(flight.departs), flight.origin]
        yield " ".join(each for each in said if each)
    for stay in element.stays:
        yield f"{stay.property} {stay.check_in}..{stay.check_out}"


def _readings(snapshot: Snapshot, row: Row) -> Iterator[tuple[LoyaltyElement, Brand]]:
    """The ways in which a row can be read that name a brand."""
    if isinstance(row.content, LoyaltyElement):
        for element in (row.content, *row.others):
            brand = brand_of(snapshot, element)
            if brand is not None:
                yield element, brand


def _likeliest(
    readings: list[tuple[LoyaltyElement, Brand]],
) -> tuple[LoyaltyElement, Brand] | None:
    """By the forms of the numbers alone: one that begins with its brand's code, as generated
    numbers do, if that is not just the carrier that stands before it; else the first that fits."""
    fitting = [
        (element, brand)
        for element, brand in readings
        if judge(element.number, brand.number_format).spellings
    ]
    generated = [
        (element, brand)
        for element, brand in fitting
        if len(brand.code) > _CARRIER_LENGTH and bare(element.number).startswith(brand.code)
    ]
    return next(iter((*generated, *fitting, *readings)), None)


def _attachment(element: LoyaltyElement, brand: Brand) -> Attachment | None:
    """As it is attached; None if there is no booking. Raises `BadElement`."""
    if element.record_locator is None or not (element.segments or element.stays):
        return None
    given = Attachment(
        record_locator=element.record_locator,
        passenger=Passenger(element.surname, element.given_name),
        brand=brand.code,
        number=element.number,
        flights=tuple(map(_flight, element.segments)),
        stays=tuple(
            Stay(each.property, each.check_in, each.check_out, each.chain, each.rate_code)
            for each in element.stays
        ),
        idempotency_key="",
    )
    try:
        asked = checked(given)
    except InvalidInput as bad:
        raise BadElement(bad.message) from None
    return replace(asked, idempotency_key=_key(brand, asked))


def _key(brand: Brand, asked: Attachment) -> str:
    """One for all ways of writing what is attached."""
    said = (
        brand.code,
        bare(asked.number),
        asked.record_locator,
        asked.passenger.told_apart_by,
        [astuple(each) for each in asked.flights],
        [astuple(each) for each in asked.stays],
    )
    return blake2b(orjson.dumps(said), digest_size=16).hexdigest()


def _flight(segment: Segment) -> Flight:
    """Raises `BadElement`."""
    number, origin, departs = segment.flight, segment.origin, segment.departs
    if number is None or origin is None or departs is None:
        what = "number" if number is None else "origin" if origin is None else "date"
        raise BadElement(f"the flight has no {what}")
    return Flight(
        carrier=segment.carrier,
        number=number,
        origin=origin,
        departs_on=departs,
        destination=segment.destination,
        operating_carrier=segment.operating_carrier,
        operating_number=segment.operating_flight,
        ticket=segment.ticket,
        booking_class=segment.booking_class,
        fare_basis=segment.fare_basis,
    )


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()

"""A booking in the trade's forms, for an agency's system to take over: as remarks that it writes
into its own record of the booking, or as a message.

What a form has no place for is told beside it.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from brands.clock import now
from brands.itineraries import Flight
from brands.registry import Snapshot
from brands.travel import bookings
from brands.travel.bookings import ENDED, Booking
from gateway.trade.loyalty_elements import (
    MAX_SEGMENTS,
    BadElement,
    LoyaltyElement,
    Segment,
    Stay,
)
from gateway.trade.markup import Element, read_markup
from gateway.trade.ndc import read_ndc, write_ndc
from gateway.trade.opentravel import read_opentravel, write_opentravel
from gateway.trade.remarks import CARRIER, remark_of


class Form(StrEnum):
    """In which a booking is printed."""

    REMARK = "remark"
    NDC = "ndc"
    OPENTRAVEL = "opentravel"


_Read = Callable[[Element], Iterator[tuple[int, LoyaltyElement | BadElement]]]
_MESSAGES: Mapping[Form, tuple[Callable[[LoyaltyElement], bytes], _Read]] = {
    Form.NDC: (write_ndc, read_ndc),
    Form.OPENTRAVEL: (write_opentravel, read_opentravel),
}


@dataclass(frozen=True, slots=True)
class Printed:
    """The text, which is empty where nothing can be said, and what it leaves out."""

    text: str
    unsaid: tuple[str, ...]


def elements_of_booking(snapshot: Snapshot, booking: Booking) -> Iterator[LoyaltyElement]:
    """Each number of a booking with what it is attached to; what has ended is left out. Raises
    `BadElement`."""
    if booking.passenger is None:
        raise BadElement("the passenger's name is not known")
    numbers: dict[tuple[UUID, str], list[bookings.Segment]] = {}
    for segment in booking.segments:
        if segment.status not in ENDED:
            numbers.setdefault((segment.brand_id, segment.number), []).append(segment)
    for (brand_id, number), attached in numbers.items():
        for start in range(0, len(attached), MAX_SEGMENTS):
            journey = [each.facts for each in attached[start : start + MAX_SEGMENTS]]
            yield LoyaltyElement(
                number=number,
                surname=booking.passenger.surname,
                given_name=booking.passenger.given_name,
                carrier=_carrier(snapshot, brand_id),
                program=snapshot.brand_by_id(brand_id).code,
                record_locator=booking.record_locator,
                segments=tuple(_segment(each) for each in journey if isinstance(each, Flight)),
                stays=tuple(
                    Stay(each.place, each.check_in, each.check_out, each.chain, each.rate_code)
                    for each in journey
                    if not isinstance(each, Flight)
                ),
            )


def printed(element: LoyaltyElement, form: Form) -> Printed:
    """An element in a form. No message is of flights and stays: where there are both, it is of the
    flights."""
    if form is Form.REMARK:
        return _remarks(element)
    write, read = _MESSAGES[form]
    try:
        text = write(replace(element, stays=()) if element.segments else element)
    except BadElement as bad:
        return Printed("", (str(bad),))
    # What there is no place for is found by reading what was written.
    found = (each for _, each in read(read_markup(text)))
    nothing = replace(element, record_locator=None, segments=(), stays=())
    said = next((each for each in found if isinstance(each, LoyaltyElement)), nothing)
    return Printed(text.decode(), tuple(_unsaid(element, said)))


def _remarks(element: LoyaltyElement) -> Printed:
    """A remark to each airline of the booking; where it has no flights, to the program's own."""
    airlines = dict.fromkeys(flight.carrier for flight in element.segments)
    lines, unsaid = [], []
    for airline in airlines or (None,):
        try:
            lines.append(f"{remark_of(element, airline)}\n")
        except BadElement as bad:
            unsaid.append(f"no remark to {airline or element.carrier or element.program}: {bad}")
    said = replace(element, stays=())
    return Printed("".join(lines), (*unsaid, *_unsaid(element, said)))


def _unsaid(element: LoyaltyElement, said: LoyaltyElement) -> Iterator[str]:
    """What of an element is not in what was said."""
    if said.record_locator != element.record_locator:
        yield f"the record locator {element.record_locator}"
    for flight in element.segments:
        if flight not in said.segments:
            yield f"the flight {flight.carrier}{flight.flight} {flight.departs}, or a part of it"
    for stay in element.stays:
        if stay not in said.stays:
            yield f"the stay {stay.property} {stay.check_in}, or a part of it"


def _carrier(snapshot: Snapshot, brand_id: UUID) -> str | None:
    """How the trade calls a brand: by the code of an airline, if it has one."""
    carriers = snapshot.programs.terms(brand_id, now()).carriers
    airlines = [each for each in carriers if re.fullmatch(CARRIER, each)]
    return next(iter((*airlines, *carriers)), None)


def _segment(flight: Flight) -> Segment:
    return Segment(
        carrier=flight.carrier,
        flight=flight.number,
        operating_carrier=flight.operating_carrier,
        operating_flight=flight.operating_number,
        ticket=flight.ticket,
        booking_class=flight.booking_class,
        fare_basis=flight.fare_basis,
        origin=flight.origin,
        destination=flight.destination,
        departs=flight.departs_on,
    )

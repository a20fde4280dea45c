"""The loyalty element of NDC messages (IATA's New Distribution Capability), read and written.

Read are the passengers of a message, in the form of 17.2 (`Passenger`, `Airline/AirlineDesignator`)
and in that of 18.1 to 21.3 (`Pax`, `LoyaltyProgram/Carrier/AirlineDesigCode`), with the flights of
the message and, where a fare names them, its booking class and fare basis. It is written as 21.3.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias
from xml.etree import ElementTree

from gateway.trade.loyalty_elements import (
    MAX_SEGMENTS,
    BadElement,
    LoyaltyElement,
    Segment,
    code,
    day_of,
    plain,
)
from gateway.trade.markup import Element, write_markup

ACCOUNT = "LoyaltyProgramAccount"


@dataclass(frozen=True, slots=True)
class _Fare:
    booking_class: str | None = None
    fare_basis: str | None = None


_Fares: TypeAlias = dict[str, _Fare]
"""By the name of the flight."""

_ALL = ""
"""Stands for all passengers, none of whom is named so."""


def read_ndc(message: Element) -> Iterator[tuple[int, LoyaltyElement | BadElement]]:
    """Each loyalty account of each passenger, with its line; or what is wrong with it."""
    booking = _Booking(message)
    for traveller in message.all("Pax", "Passenger"):
        person = traveller.first("Individual") or traveller.first("Name") or traveller
        names = plain(person.text_at("Surname")), plain(person.text_at("GivenName"))
        name = traveller.attribute_at("PassengerID") or traveller.text_at("PaxID")
        for account in traveller.children:
            if account.name == ACCOUNT:
                try:
                    yield account.line, _element(account, names, booking, name or "")
                except BadElement as bad:
                    yield account.line, bad


class _Booking:
    """What a message says of all its passengers, looked up once: a message may have many."""

    def __init__(self, message: Element) -> None:
        self.record_locator = code(_record_locator(message))
        self._flights = list(islice(message.all("PaxSegment", "FlightSegment"), MAX_SEGMENTS + 1))
        self._fares: dict[str, list[_Fares]] = {}
        self._segments: dict[str, tuple[Segment, ...]] = {}
        flights = {_name_of(flight) for flight in self._flights}
        for detail in message.all("FareDetail"):
            fares = {name: fare for name, fare in _fares(detail) if name in flights}
            travellers = " ".join(found.text for found in detail.all("PaxRefID", "PassengerRefs"))
            for traveller in travellers.split() or [_ALL]:
                self._fares.setdefault(traveller, []).append(fares)

    def segments(self, traveller: str) -> tuple[Segment, ...]:
        """The flights, with the fares of a passenger, or else those of all."""
        whose = traveller if traveller in self._fares else _ALL
        if whose not in self._segments:
            fares: _Fares = {}
            for each in (*self._fares.get(_ALL, ()), *self._fares.get(whose, ())):
                fares.update(each)
            self._segments[whose] = tuple(
                _segment(flight, fares.get(_name_of(flight), _Fare())) for flight in self._flights
            )
        return self._segments[whose]


def write_ndc(element: LoyaltyElement) -> bytes:
    """A message with the parts that carry the element: `DataLists`, and an `Order` if there is
    something to say of one. Status and sector have no place in it."""
    root = ElementTree.Element("Response")
    lists = ElementTree.SubElement(root, "DataLists")
    traveller = _put(lists, "PaxList", "Pax")
    _write(traveller, element.given_name, "Individual", "GivenName")
    _write(traveller, element.surname, "Individual", "Surname")
    account = _put(traveller, ACCOUNT)
    _write(account, element.number, "AccountNumber")
    _write(account, element.carrier, "LoyaltyProgram", "Carrier", "AirlineDesigCode")
    _write(account, element.program, "LoyaltyProgram", "ProgramCode")
    _write(traveller, "PAX1", "PaxID")
    for number, segment in enumerate(element.segments, start=1):
        _write_flight(_put(lists, "PaxSegmentList"), segment, f"SEG{number}")
    _write(root, element.record_locator, "Order", "BookingRef", "BookingID")
    for number, segment in enumerate(element.segments, start=1):
        if segment.booking_class or segment.fare_basis:
            _write_fare(_put(root, "Order", "OrderItem", "FareDetail"), segment, f"SEG{number}")
    return write_markup(root)


def _element(
    account: Element, names: tuple[str | None, str | None], booking: _Booking, traveller: str
) -> LoyaltyElement:
    airline = (
        account.text_at("LoyaltyProgram", "Carrier", "AirlineDesigCode")
        or account.text_at("Airline", "AirlineDesignator")
        or account.text_at("CarrierCode")
    )
    program = account.text_at("LoyaltyProgram", "ProgramCode") or account.text_at("ProgramCode")
    name = account.text_at("LoyaltyProgram", "ProgramName") or account.text_at("ProgramName")
    return LoyaltyElement(
        number=plain(account.text_at("AccountNumber")) or "",
        surname=names[0] or "",
        given_name=names[1],
        carrier=code(airline),
        program=plain(program or name),
        record_locator=booking.record_locator,
        segments=booking.segments(traveller),
    )


def _record_locator(message: Element) -> str | None:
    for reference in message.all("BookingRef", "BookingReference"):
        for name in ("BookingID", "BookingRefID", "ID"):
            if found := reference.text_at(name):
                return found
    return None


def _name_of(flight: Element) -> str:
    return flight.text_at("PaxSegmentID") or flight.attribute_at("SegmentKey") or ""


def _fares(detail: Element) -> Iterator[tuple[str, _Fare]]:
    for component in detail.all("FareComponent"):
        booking_class = (
            component.text_at("RBD", "RBD_Code")
            or component.text_at("FareBasis", "RBD")
            or component.text_at("ClassOfService", "Code")
        )
        fare_basis = (
            component.text_at("FareBasisCode")
            or component.text_at("FareBasisCode", "Code")
            or component.text_at("FareBasis", "FareBasisCode", "Code")
        )
        fare = _Fare(code(booking_class), code(fare_basis))
        for found in component.all("PaxSegmentRefID", "SegmentRefs"):
            yield from ((name, fare) for name in found.text.split())


def _segment(flight: Element, fare: _Fare) -> Segment:
    departure = flight.first("Dep") or flight.first("Departure") or Element("", 0)
    arrival = flight.first("Arrival") or Element("", 0)
    carrier = flight.text_at("MarketingCarrierInfo", "CarrierDesigCode")
    number = flight.text_at("MarketingCarrierInfo", "MarketingCarrierFlightNumberText")
    operating = flight.text_at("OperatingCarrierInfo", "CarrierDesigCode")
    return Segment(
        carrier=code(carrier or flight.text_at("MarketingCarrier", "AirlineID")) or "",
        flight=code(number or flight.text_at("MarketingCarrier", "FlightNumber")),
        operating_carrier=code(operating or flight.text_at("OperatingCarrier", "AirlineID")),
        booking_class=fare.booking_class or code(flight.text_at("ClassOfService", "Code")),
        fare_basis=fare.fare_basis,
        origin=code(_airport(departure)),
        destination=code(_airport(arrival)),
        departs=day_of(departure.text_at("AircraftScheduledDateTime") or departure.text_at("Date")),
    )


def _airport(stop: Element) -> str | None:
    return stop.text_at("IATA_LocationCode") or stop.text_at("AirportCode")


def _write_flight(flights: ElementTree.Element, segment: Segment, name: str) -> None:
    flight = ElementTree.SubElement(flights, "PaxSegment")
    _write(flight, segment.destination, "Arrival", "IATA_LocationCode")
    if segment.departs is not None:
        _write(flight, f"{segment.departs}T00:00:00", "Dep", "AircraftScheduledDateTime")
    _write(flight, segment.origin, "Dep", "IATA_LocationCode")
    _write(flight, segment.carrier, "MarketingCarrierInfo", "CarrierDesigCode")
    marketing = ("MarketingCarrierInfo", "MarketingCarrierFlightNumberText")
    _write(flight, segment.flight, *marketing)
    _write(flight, segment.operating_carrier, "OperatingCarrierInfo", "CarrierDesigCode")
    _write(flight, name, "PaxSegmentID")


def _write_fare(detail: ElementTree.Element, segment: Segment, name: str) -> None:
    component = ElementTree.SubElement(detail, "FareComponent")
    _write(component, segment.fare_basis, "FareBasisCode")
    _write(component, name, "PaxSegmentRefID")
    _write(component, segment.booking_class, "RBD", "RBD_Code")


def _write(parent: ElementTree.Element, text: str | None, *path: str) -> None:
    if text is not None:
        _put(parent, *path).text = text


def _put(parent: ElementTree.Element, *path: str) -> ElementTree.Element:
    """The element at a path of names of children; those that are missing are made."""
    for name in path:
        found = parent.find(name)
        parent = ElementTree.SubElement(parent, name) if found is None else found
    return parent

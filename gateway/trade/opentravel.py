"""The loyalty element of OpenTravel messages, `CustLoyalty`, read and written.

It stands with a customer or traveller, in messages for air, hotels and cars, of all versions of
the 2003/05 namespace; dialects that have taken it over are read too. It is written into an
`OTA_AirBookRQ`.
"""

from collections.abc import Iterator, Mapping
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

ACCOUNT = "CustLoyalty"

_Names: TypeAlias = tuple[str | None, str | None]
"""A surname and a given name."""

_NAMESPACE = "http://www.opentravel.org/OTA/2003/05"


def read_opentravel(message: Element) -> Iterator[tuple[int, LoyaltyElement | BadElement]]:
    """Each loyalty account of the message, with its line; or what is wrong with it. One without
    program and number is no account: many systems write it empty."""
    record_locator = code(_record_locator(message))
    segments: tuple[Segment, ...] | BadElement
    try:
        segments = tuple(_segments(message))
    except BadElement as bad:
        segments = bad
    for names, account in _accounts(message):
        if account.attribute_at("ProgramID") or account.attribute_at("MembershipID"):
            try:
                yield account.line, _element(account, names, record_locator, segments)
            except BadElement as bad:
                yield account.line, bad


def write_opentravel(element: LoyaltyElement) -> bytes:
    """A message with the parts that carry the element."""
    root = ElementTree.Element("OTA_AirBookRQ", {"xmlns": _NAMESPACE, "Version": "1.0"})
    if element.segments:
        _write_flights(root, element.segments)
    info = ElementTree.SubElement(root, "TravelerInfo")
    traveller = ElementTree.SubElement(info, "AirTraveler")
    person = ElementTree.SubElement(traveller, "PersonName")
    if element.given_name is not None:
        ElementTree.SubElement(person, "GivenName").text = element.given_name
    ElementTree.SubElement(person, "Surname").text = element.surname
    _put(
        traveller,
        ACCOUNT,
        ProgramID=element.program or element.carrier,
        MembershipID=element.number,
        LoyalLevel=element.status,
        TravelSector=element.sector,
        VendorCode=element.carrier,
    )
    if element.record_locator is not None:
        _put(root, "BookingReferenceID", Type="14", ID=element.record_locator)
    return write_markup(root)


def _accounts(message: Element) -> Iterator[tuple[_Names, Element]]:
    """Each account with the names in the nearest element around it that names a person."""
    nobody: _Names = (None, None)
    waiting = [(message, nobody)]
    while waiting:
        element, names = waiting.pop()
        person = element.first("PersonName")
        if person is not None:
            names = plain(person.text_at("Surname")), plain(person.text_at("GivenName"))
        if element.name == ACCOUNT:
            yield names, element
        waiting += [(child, names) for child in reversed(element.children)]


def _element(
    account: Element,
    names: _Names,
    record_locator: str | None,
    segments: tuple[Segment, ...] | BadElement,
) -> LoyaltyElement:
    if isinstance(segments, BadElement):
        raise BadElement(str(segments))
    carrier = code(account.attribute_at("VendorCode"))
    program = plain(account.attribute_at("ProgramID"))
    return LoyaltyElement(
        number=plain(account.attribute_at("MembershipID")) or "",
        surname=names[0] or "",
        given_name=names[1],
        carrier=carrier,
        program=None if program == carrier else program,
        status=plain(account.attribute_at("LoyalLevel")),
        sector=plain(account.attribute_at("TravelSector")),
        record_locator=record_locator,
        segments=segments,
    )


def _record_locator(message: Element) -> str | None:
    found = (reference.attributes.get("ID") for reference in message.all("BookingReferenceID"))
    return next(filter(None, found), None)


def _segments(message: Element) -> Iterator[Segment]:
    fares = {
        fare.attributes.get("FlightSegmentRPH"): plain(fare.text)
        for fare in message.all("FareBasisCode")
    }
    for flight in islice(message.all("FlightSegment"), MAX_SEGMENTS + 1):
        yield _segment(flight, fares)


def _segment(flight: Element, fares: Mapping[str | None, str | None]) -> Segment:
    attributes = flight.attributes
    number = attributes.get("FlightNumber") or flight.attribute_at(
        "MarketingAirline", "FlightNumber"
    )
    return Segment(
        carrier=code(flight.attribute_at("MarketingAirline", "Code")) or "",
        flight=code(number),
        operating_carrier=code(flight.attribute_at("OperatingAirline", "Code")),
        booking_class=code(attributes.get("ResBookDesigCode")),
        fare_basis=code(attributes.get("FareBasisCode") or fares.get(attributes.get("RPH"))),
        origin=code(_airport(flight, "DepartureAirport", "OriginLocation")),
        destination=code(_airport(flight, "ArrivalAirport", "DestinationLocation")),
        departs=day_of(attributes.get("DepartureDateTime")),
    )


def _airport(flight: Element, *names: str) -> str | None:
    found = (flight.attribute_at(name, "LocationCode") for name in names)
    return next(filter(None, found), None)


def _write_flights(root: ElementTree.Element, segments: tuple[Segment, ...]) -> None:
    itinerary = ElementTree.SubElement(root, "AirItinerary")
    options = ElementTree.SubElement(itinerary, "OriginDestinationOptions")
    option = ElementTree.SubElement(options, "OriginDestinationOption")
    for number, segment in enumerate(segments, start=1):
        day = None if segment.departs is None else f"{segment.departs}T00:00:00"
        flight = _put(
            option,
            "FlightSegment",
            RPH=str(number),
            DepartureDateTime=day,
            FlightNumber=segment.flight,
            ResBookDesigCode=segment.booking_class,
            FareBasisCode=segment.fare_basis,
        )
        _put(flight, "DepartureAirport", LocationCode=segment.origin)
        _put(flight, "ArrivalAirport", LocationCode=segment.destination)
        _put(flight, "OperatingAirline", Code=segment.operating_carrier)
        _put(flight, "MarketingAirline", Code=segment.carrier)


def _put(parent: ElementTree.Element, name: str, **attributes: str | None) -> ElementTree.Element:
    """A new child with the attributes that have a value."""
    given: Mapping[str, str] = {key: value for key, value in attributes.items() if value}
    return ElementTree.SubElement(parent, name, dict(given))

"""The flights of an NDC message, by the names under which it refers to them.

17.2 has them as `FlightSegment`, 18.1 to 20 as `PaxSegment`. Since 21.3 a `PaxSegment` has the
booking class alone, and refers to a `DatedMarketingSegment`, as it is sold, and that to a
`DatedOperatingSegment`, as it is flown.
"""

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from gateway.trade.flight_reading import WrittenFlight
from gateway.trade.loyalty_elements import MAX_SEGMENTS
from gateway.trade.markup import Element

Flights: TypeAlias = Mapping[str, WrittenFlight]
"""Flights by their names, in the order of the message."""

Journeys: TypeAlias = Mapping[str, tuple[str, ...]]
"""The names of flights, by those of journeys and by their own."""

ENOUGH = MAX_SEGMENTS + 1
"""So many flights show that there are too many; there is no need to know of more."""

_NONE = Element("", 0)


def read_flights(message: Element) -> Flights:
    """The flights of a message. One that has no name has its line for one."""
    sold = _by_name(message, "DatedMarketingSegment")
    flown = _by_name(message, "DatedOperatingSegment")
    found = {}
    for segment in message.all("PaxSegment", "FlightSegment"):
        name = segment.text_at("PaxSegmentID") or segment.attribute_at("SegmentKey")
        found[name or f"line {segment.line}"] = _flight(segment, sold, flown)
    return found


def read_journeys(message: Element, flights: Flights) -> Journeys:
    """What the names stand for by which a message refers to one flight or to several."""
    found: dict[str, tuple[str, ...]] = {name: (name,) for name in flights}
    for journey in message.all("PaxJourney", "Flight"):
        name = journey.text_at("PaxJourneyID") or journey.attribute_at("FlightKey")
        if name is not None:
            found[name] = tuple(named(journey, ("PaxSegmentRefID", "SegmentReferences"), flights))
    return found


def named(part: Element, references: tuple[str, ...], known: Mapping[str, object]) -> list[str]:
    """The names that stand in a part of the message as such references, if they are known; each
    once, and no more than are enough."""
    names: dict[str, None] = {}
    for found in part.all(*references):
        for name in found.text.split():
            if name in known:
                names[name] = None
                if len(names) == ENOUGH:
                    return list(names)
    return list(names)


def _flight(
    segment: Element, all_sold: Mapping[str, Element], all_flown: Mapping[str, Element]
) -> WrittenFlight:
    sold = _referred(segment, "DatedMarketingSegment", all_sold) or segment
    flown = _referred(sold, "DatedOperatingSegment", all_flown) or _NONE
    inline = sold.first("MarketingCarrierInfo") or sold.first("MarketingCarrier") or sold
    operating = segment.first("OperatingCarrierInfo") or segment.first("OperatingCarrier") or flown
    departure = sold.first("Dep") or sold.first("Departure") or _NONE
    arrival = sold.first("Arrival") or _NONE
    return WrittenFlight(
        carrier=inline.text_at("CarrierDesigCode") or inline.text_at("AirlineID"),
        number=inline.text_at("MarketingCarrierFlightNumberText") or inline.text_at("FlightNumber"),
        operating_carrier=operating.text_at("CarrierDesigCode") or operating.text_at("AirlineID"),
        operating_number=(
            operating.text_at("OperatingCarrierFlightNumberText")
            or operating.text_at("FlightNumber")
        ),
        booking_class=(
            segment.text_at("MarketingCarrierRBD_Code")
            or inline.text_at("RBD_Code")
            or segment.text_at("ClassOfService", "Code")
        ),
        fare_basis=None,
        origin=_airport(departure),
        destination=_airport(arrival),
        departs=departure.text_at("AircraftScheduledDateTime") or departure.text_at("Date"),
        ticket=None,
    )


def _by_name(message: Element, kind: str) -> Mapping[str, Element]:
    return dict(_named_elements(message, kind))


def _named_elements(message: Element, kind: str) -> Iterator[tuple[str, Element]]:
    for element in message.all(kind):
        name = element.text_at(f"{kind}Id") or element.text_at(f"{kind}ID")
        if name is not None:
            yield name, element


def _referred(element: Element, kind: str, known: Mapping[str, Element]) -> Element | None:
    """What an element refers to, in either spelling of the reference."""
    name = element.text_at(f"{kind}RefId") or element.text_at(f"{kind}RefID")
    return None if name is None else known.get(name)


def _airport(stop: Element) -> str | None:
    return stop.text_at("IATA_LocationCode") or stop.text_at("AirportCode")

"""The flights of an OpenTravel message: whose they are, at what fare, with which ticket."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import TypeAlias

from gateway.trade.flight_reading import (
    FlightReader,
    Ticket,
    WrittenFlight,
    ticket_for,
    ticket_number,
)
from gateway.trade.loyalty_elements import MAX_SEGMENTS, Segment, agreed
from gateway.trade.markup import Element

_ENOUGH = MAX_SEGMENTS + 1

_ALL = ""


_Bases: TypeAlias = Mapping[str, str | None]
"""Fare bases by the names of flights; nothing where it is not told which."""


class Flights:
    """The flights of a message, looked up once: a message may have many travellers."""

    def __init__(self, message: Element) -> None:
        found = islice(message.all("FlightSegment"), _ENOUGH)
        self._flights = [(each.attribute_at("RPH") or _ALL, _flight(each)) for each in found]
        travellers = list(message.all("AirTraveler"))
        self._is_shared_out = any(map(_flights_of, travellers))
        self._has_one = len(travellers) <= 1
        self._fares = _Fares(message)
        self._tickets: dict[str, list[Ticket]] = {}
        for traveller, ticket in _tickets(message):
            self._tickets.setdefault(traveller, []).append(ticket)
        self._reader = FlightReader()
        self._of: dict[int, tuple[tuple[Segment, ...], tuple[str, ...]]] = {}

    def of(self, traveller: Element) -> tuple[tuple[Segment, ...], tuple[str, ...]]:
        """A traveller's flights, and notes of what is left out. They are those that she is named
        with; all of the message, where nobody is."""
        if id(traveller) not in self._of:
            self._of[id(traveller)] = self._flights_of(traveller)
        return self._of[id(traveller)]

    def _flights_of(self, traveller: Element) -> tuple[tuple[Segment, ...], tuple[str, ...]]:
        named = _flights_of(traveller)
        hers = [
            (name, flight)
            for name, flight in self._flights
            if not self._is_shared_out or name in named
        ]
        notes = ("no flight is named as hers",) if self._flights and not hers else ()
        fares, tickets = self._fares.of(traveller), self._tickets_of(traveller)
        segments, said = self._reader.read(
            replace(
                flight,
                fare_basis=flight.fare_basis or agreed(each.get(name) for each in fares),
                ticket=ticket_for(name, tickets),
            )
            for name, flight in hers
        )
        return segments, (*notes, *said)

    def _tickets_of(self, traveller: Element) -> Sequence[Ticket]:
        """Those that name her; in a message of one traveller also those that name nobody."""
        name = traveller.attribute_at("TravelerRefNumber", "RPH")
        unnamed = self._tickets.get(_ALL, []) if self._has_one else []
        return self._tickets.get(name or _ALL, []) if name else unnamed


class _Fares:
    """The fares of a message, by the travellers that they name, or by their types."""

    def __init__(self, message: Element) -> None:
        self._of: dict[str, list[_Bases]] = {}
        by_kind: dict[str | None, list[_Bases]] = {}
        alone = []
        for found in message.all("PTC_FareBreakdown", "FareBasisCode"):
            if found.name == "FareBasisCode":
                alone.append(found)
                continue
            bases = _by_flight(found.all("FareBasisCode"))
            references = found.all("TravelerRefNumber")
            names = {name for each in references for name in each.attributes.get("RPH", "").split()}
            for name in names:
                self._of.setdefault(name, []).append(bases)
            if not names:
                kind = found.attribute_at("PassengerTypeQuantity", "Code")
                by_kind.setdefault(kind, []).append(bases)
        by_kind.setdefault(None, []).append(_by_flight(alone))
        self._of_kind = {kind: _merged(each) for kind, each in by_kind.items()}
        self._of_all = _merged(each for kind in by_kind.values() for each in kind)

    def of(self, traveller: Element) -> Sequence[_Bases]:
        """Those that name her, or else those of her type; of all types, if hers is not known."""
        name = traveller.attribute_at("TravelerRefNumber", "RPH")
        if name in self._of:
            return self._of[name]
        kind = traveller.attribute_at("PassengerTypeCode") or traveller.attribute_at(
            "PassengerTypeQuantity", "Code"
        )
        if kind is None:
            return [self._of_all]
        return [self._of_kind[each] for each in (None, kind) if each in self._of_kind]


def _by_flight(codes: Iterable[Element]) -> _Bases:
    return _merged(
        {each.attribute_at("FlightSegmentRPH") or _ALL: each.text.strip() or None} for each in codes
    )


def _merged(all_bases: Iterable[_Bases]) -> _Bases:
    found: dict[str, set[str | None]] = {}
    for bases in all_bases:
        for flight, basis in bases.items():
            found.setdefault(flight, set()).add(basis)
    return {flight: agreed(bases) for flight, bases in found.items()}


def _flight(flight: Element) -> WrittenFlight:
    attributes = flight.attributes
    return WrittenFlight(
        carrier=flight.attribute_at("MarketingAirline", "Code"),
        number=(
            flight.attribute_at("FlightNumber")
            or flight.attribute_at("MarketingAirline", "FlightNumber")
        ),
        operating_carrier=flight.attribute_at("OperatingAirline", "Code"),
        operating_number=flight.attribute_at("OperatingAirline", "FlightNumber"),
        booking_class=attributes.get("ResBookDesigCode"),
        fare_basis=flight.attribute_at("FareBasisCode"),
        origin=_airport(flight, "DepartureAirport", "OriginLocation"),
        destination=_airport(flight, "ArrivalAirport", "DestinationLocation"),
        departs=attributes.get("DepartureDateTime"),
        ticket=None,
    )


def _airport(flight: Element, *names: str) -> str | None:
    found = (flight.attribute_at(name, "LocationCode") for name in names)
    return next(filter(None, found), None)


def _flights_of(traveller: Element) -> frozenset[str]:
    """The names of the flights that a traveller is named with."""
    texts = (each.text for each in traveller.all("FlightSegmentRPH"))
    return frozenset(name for text in texts for name in text.split())


def _tickets(message: Element) -> Iterator[tuple[str, Ticket]]:
    """Tickets with the names of their travellers."""
    for ticketing in message.all("Ticketing"):
        number = ticket_number(ticketing.attribute_at("eTicketNumber"))
        flights = ticketing.attributes.get("FlightSegmentRefNumber", "").split()
        travellers = ticketing.attributes.get("TravelerRefNumber", "").split()
        if number is not None:
            for traveller in travellers or [_ALL]:
                yield traveller, Ticket(number, frozenset(flights))

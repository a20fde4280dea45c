"""Flights as messages write them, read into segments.

One odd thing does not spoil the rest: a flight without a number, an airline or a day that can be
read is left out, and of the others what may be missing, with a note of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.trade.loyalty_elements import (
    BadElement,
    LeftOut,
    Segment,
    agreed,
    code,
    day_of,
    fitting,
    flight_of,
)


@dataclass(frozen=True, slots=True)
class WrittenFlight:
    """A flight with the texts that stand in a message."""

    carrier: str | None
    number: str | None
    operating_carrier: str | None
    operating_number: str | None
    booking_class: str | None
    fare_basis: str | None
    origin: str | None
    destination: str | None
    departs: str | None
    ticket: str | None


@dataclass(frozen=True, slots=True)
class Ticket:
    """A traveller's ticket, and the names of the flights that it is for, if they are told."""

    number: str
    flights: frozenset[str]


class FlightReader:
    """Reads the flights of a message. One that many travellers have is read once."""

    def __init__(self) -> None:
        self._read: dict[WrittenFlight, tuple[Segment | None, tuple[str, ...]]] = {}

    def read(self, flights: Iterable[WrittenFlight]) -> tuple[tuple[Segment, ...], tuple[str, ...]]:
        """The flights, and notes of what is left out of them."""
        segments: list[Segment] = []
        notes: list[str] = []
        for written in flights:
            if written not in self._read:
                self._read[written] = _read(written)
            segment, said = self._read[written]
            segments += [] if segment is None else [segment]
            notes += said
        return tuple(segments), tuple(dict.fromkeys(notes))


def ticket_number(text: str | None) -> str | None:
    """The 13 digits of a ticket's number, however they are set apart; nothing for other texts."""
    digits = "".join((text or "").replace("-", " ").split())
    return digits if fitting("ticket", digits or None, []) else None


def ticket_for(flight: str, tickets: Iterable[Ticket]) -> str | None:
    """The number of a traveller's ticket for a flight, if it is told which one that is."""
    known = list(tickets)
    own = agreed(ticket.number for ticket in known if flight in ticket.flights)
    return own or agreed(ticket.number for ticket in known if not ticket.flights)


def _read(written: WrittenFlight) -> tuple[Segment | None, tuple[str, ...]]:
    notes: list[str] = []
    try:
        return _segment(written, notes), tuple(notes)
    except BadElement as bad:
        called = f"{written.carrier or ''}{written.number or ''}"[:40]
        return None, (LeftOut(f"flight {called} is left out: {bad}"),)


def _segment(written: WrittenFlight, notes: list[str]) -> Segment:
    """Raises `BadElement` for what a flight cannot be without."""
    carrier, number = flight_of(written.number, code(written.carrier))
    operating_carrier, operating_number = _operating(written, notes)
    return Segment(
        carrier=carrier,
        flight=number,
        operating_carrier=operating_carrier,
        operating_flight=operating_number,
        booking_class=fitting("booking_class", code(written.booking_class), notes),
        fare_basis=fitting("fare_basis", code(written.fare_basis), notes),
        origin=code(written.origin),
        destination=fitting("destination", code(written.destination), notes),
        departs=day_of(written.departs),
        ticket=written.ticket,
    )


def _operating(written: WrittenFlight, notes: list[str]) -> tuple[str | None, str | None]:
    """Who flies it, under which number. A number of nobody's is the one it is sold under."""
    carrier = fitting("airline", code(written.operating_carrier), notes)
    number = code(written.operating_number)
    if number is None or (carrier is None and number == code(written.number)):
        return carrier, None
    try:
        return flight_of(number, carrier)
    except BadElement as bad:
        notes.append(f"the operating flight's number is left out: {bad}")
        return carrier, None

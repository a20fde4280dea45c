"""What is travelled: flights and stays, in due form, and what tells one from another.

The trade writes one flight in many ways, as 117, 0117 or be117; here it has one form, so that the
same flight is the same however often, and by whomever, it is booked.
"""

import re
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from string import ascii_uppercase
from typing import Any, TypeAlias

import orjson

from brands.bounds import text
from brands.clock import now
from brands.errors import InvalidInput
from brands.naming.names import folded

MAX_NIGHTS = 365
MAX_PROPERTY = 64
MAX_CODE = 20

EARLIEST = date(2000, 1, 1)
FURTHEST = timedelta(days=731)
"""So far ahead nobody sells a journey any more."""

_CARRIER = re.compile(r"[A-Z0-9]{2,3}", re.ASCII)
_DESIGNATOR = re.compile(r"[A-Z0-9]{2,8}", re.ASCII)
_FLIGHT_NUMBER = re.compile(r"0*([1-9][0-9]{0,3}[A-Z]?)", re.ASCII)
_AIRPORT = re.compile(r"[A-Z]{3}", re.ASCII)
_CLASS = re.compile(r"[A-Z]{1,2}", re.ASCII)
_CODE = re.compile(r"[A-Z0-9/-]{1,20}", re.ASCII)
_TICKET = re.compile(r"[0-9]{13}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Flight:
    """One flight of a journey. `carrier` sells it; another may operate it, under a number of its
    own. `departs_on` is the day at its origin."""

    carrier: str
    number: str
    origin: str
    departs_on: date
    destination: str | None = None
    operating_carrier: str | None = None
    operating_number: str | None = None
    booking_class: str | None = None
    fare_basis: str | None = None
    departs_at: datetime | None = None
    arrives_at: datetime | None = None
    ticket: str | None = None

    @property
    def flown_by(self) -> str:
        """The carrier that operates it, as far as is known."""
        return self.operating_carrier or self.carrier

    @property
    def sellers(self) -> tuple[str, ...]:
        """By whom it is supplied, the likeliest first: who operates it, who sells it."""
        return self.flown_by, self.carrier

    @property
    def begins_on(self) -> date:
        """The day on which it begins."""
        return self.departs_on

    @property
    def travelled_on(self) -> date:
        """The day on which it counts."""
        return self.departs_on

    @property
    def identity(self) -> str:
        """What tells it from every other flight, under the name it was sold by."""
        return _identity(self.carrier, self.number, self)

    @property
    def identities(self) -> tuple[str, ...]:
        """All the names that are known of it: a codeshare has more than one."""
        return tuple(dict.fromkeys(_identity(*each, self) for each in self.designations))

    @property
    def designations(self) -> tuple[tuple[str, str], ...]:
        """Carriers and numbers that it is known by: who sells it and, where that is known, who
        operates it."""
        sold = (self.carrier, self.number)
        if self.operating_number is None:
            return (sold,)
        return sold, (self.flown_by, self.operating_number)

    @property
    def as_operated(self) -> "Flight":
        """The flight as the carrier that operates it has it, as far as is known."""
        number = self.operating_number or self.number
        return replace(
            self,
            carrier=self.flown_by,
            number=number,
            operating_carrier=None,
            operating_number=None,
        )

    def known_as(self, carrier: str, number: str) -> str:
        """The name that it has under a carrier and a number."""
        return _identity(carrier, number, self)


@dataclass(frozen=True, slots=True)
class Stay:
    """A stay at a property (`place`), which may be of a chain."""

    place: str
    check_in: date
    check_out: date
    chain: str | None = None
    rate_code: str | None = None

    @property
    def nights(self) -> int:
        """How many nights it is."""
        return (self.check_out - self.check_in).days

    @property
    def sellers(self) -> tuple[str, ...]:
        """By whom it is supplied, if that is known."""
        return () if self.chain is None else (self.chain,)

    @property
    def begins_on(self) -> date:
        """The day on which it begins."""
        return self.check_in

    @property
    def travelled_on(self) -> date:
        """The day on which it counts: when it has ended."""
        return self.check_out

    @property
    def identity(self) -> str:
        """What tells it from every other stay of the same guest: its first night."""
        return self.identities[0]

    @property
    def identities(self) -> tuple[str, ...]:
        """Its nights: nobody sleeps twice at one property in one night. However the name of the
        property is spaced and hyphened, it is the same."""
        place = folded(self.place).upper() or self.place
        days = (self.check_in + timedelta(days=n) for n in range(self.nights))
        return tuple(f"stay/{place}/{day}" for day in days)


Facts: TypeAlias = Flight | Stay


def _identity(carrier: str, number: str, flight: Flight) -> str:
    return f"flight/{carrier}/{_without_suffix(number)}/{flight.departs_on}/{flight.origin}"


def _without_suffix(number: str) -> str:
    """A flight number without the operational suffix (as in 300A), which comes and goes with the
    day's operations: a passenger is on one such flight of a day."""
    return number.rstrip(ascii_uppercase)


def checked_flight(flight: Flight, path: str) -> Flight:
    """The flight in due form. Raises `InvalidInput`."""

    def code(value: str, name: str, form: re.Pattern[str], what: str) -> str:
        return _code(value, f"{path}.{name}", form, what)

    def optional(value: str | None, name: str, form: re.Pattern[str], what: str) -> str | None:
        return None if value is None else code(value, name, form, what)

    if flight.operating_number is not None and flight.operating_carrier is None:
        raise InvalidInput(
            path=f"{path}.operatingFlightNumber", reason="Give operatingCarrier too, whose it is."
        )
    for name, instant in (("departsAt", flight.departs_at), ("arrivesAt", flight.arrives_at)):
        if instant is not None and instant.tzinfo is None:
            raise InvalidInput(path=f"{path}.{name}", reason="Give the time with its offset.")
    _require_near(flight.departs_on, f"{path}.departureDate")
    return replace(
        flight,
        carrier=code(flight.carrier, "carrier", _CARRIER, "A carrier is 2 or 3 characters"),
        number=_flight_number(flight.number, f"{path}.flightNumber"),
        origin=code(flight.origin, "origin", _AIRPORT, "An airport is 3 letters"),
        destination=optional(
            flight.destination, "destination", _AIRPORT, "An airport is 3 letters"
        ),
        operating_carrier=optional(
            flight.operating_carrier,
            "operatingCarrier",
            _CARRIER,
            "A carrier is 2 or 3 characters",
        ),
        operating_number=None
        if flight.operating_number is None
        else _flight_number(flight.operating_number, f"{path}.operatingFlightNumber"),
        booking_class=optional(
            flight.booking_class, "bookingClass", _CLASS, "A booking class is 1 or 2 letters"
        ),
        fare_basis=optional(
            flight.fare_basis, "fareBasis", _CODE, "A fare basis is 1 to 20 letters and digits"
        ),
        ticket=optional(flight.ticket, "ticketNumber", _TICKET, "A ticket number is 13 digits"),
    )


def checked_stay(stay: Stay, path: str) -> Stay:
    """The stay in due form. Raises `InvalidInput`."""
    if not 1 <= stay.nights <= MAX_NIGHTS:
        reason = f"A stay has 1 to {MAX_NIGHTS} nights."
        raise InvalidInput(path=f"{path}.checkOut", reason=reason)
    _require_near(stay.check_in, f"{path}.checkIn")
    named = " ".join(text(stay.place, f"{path}.property", MAX_PROPERTY).upper().split())
    rate = stay.rate_code
    return replace(
        stay,
        place=named,
        chain=None if stay.chain is None else designator(stay.chain, f"{path}.chain"),
        rate_code=None
        if rate is None
        else _code(rate, f"{path}.rateCode", _CODE, "A rate code is 1 to 20 letters and digits"),
    )


def flown_as(facts: Facts, carrier: str | None, number: str | None, path: str) -> Facts:
    """The flight with the carrier that operated it, and the number that this carrier had for it, as
    its supplier says; as it is, where nothing is said. What `path` begins with, fields are named
    by. Raises `InvalidInput`."""
    if carrier is None and number is None:
        return facts
    if not isinstance(facts, Flight):
        field = "operatingFlightNumber" if carrier is None else "operatingCarrier"
        raise InvalidInput(path=path + field, reason="A stay is no flight: leave it out.")
    given = None if number is None else _flight_number(number, f"{path}operatingFlightNumber")
    if carrier is not None:
        what = "A carrier is 2 or 3 characters"
        carrier = _code(carrier, f"{path}operatingCarrier", _CARRIER, what)
    elif facts.operating_carrier is None:
        _require_same(facts, given, f"{path}operatingFlightNumber")
        return facts
    told = carrier or facts.operating_carrier
    known = facts.operating_number if told == facts.operating_carrier else None
    return replace(facts, operating_carrier=told, operating_number=given or known)


def _require_same(flight: Flight, number: str | None, path: str) -> None:
    """Raises `InvalidInput` for another number of a flight that nobody else operates."""
    if number is not None and _without_suffix(number) != _without_suffix(flight.number):
        reason = (
            "No other carrier is said to operate this flight, which is "
            f"{flight.carrier} {flight.number}: give operatingCarrier too, or leave it out."
        )
        raise InvalidInput(path=path, reason=reason)


def designator(value: str, path: str) -> str:
    """How the trade names a carrier or a chain: 2 to 8 capitals and digits. `InvalidInput`."""
    return _code(value, path, _DESIGNATOR, "A designator is 2 to 8 letters and digits")


def booking_class(value: str, path: str) -> str:
    """A booking class: one letter or two. Raises `InvalidInput`."""
    return _code(value, path, _CLASS, "A booking class is 1 or 2 letters")


def fare_code(value: str, path: str) -> str:
    """A fare basis, a rate code, or the beginning of one. Raises `InvalidInput`."""
    return _code(value, path, _CODE, "A fare basis is 1 to 20 letters and digits")


def facts_to_text(facts: Facts) -> str:
    """A flight or stay as it is stored: JSON of what is known of it."""
    said = {each.name: getattr(facts, each.name) for each in fields(facts)}
    return orjson.dumps({name: value for name, value in said.items() if value is not None}).decode()


def facts_from_text(stored: str) -> Facts:
    """The flight or stay that `facts_to_text` wrote."""
    said: dict[str, Any] = orjson.loads(stored)
    for name in said.keys() & {"departs_on", "check_in", "check_out"}:
        said[name] = date.fromisoformat(said[name])
    for name in said.keys() & {"departs_at", "arrives_at"}:
        said[name] = datetime.fromisoformat(said[name])
    return Flight(**said) if "number" in said else Stay(**said)


def _require_near(day: date, path: str) -> None:
    """Raises `InvalidInput` for a day on which nobody travels."""
    latest = now().date() + FURTHEST
    if not EARLIEST <= day <= latest:
        reason = f"A day of travel is from {EARLIEST} to {latest}, not {day}."
        raise InvalidInput(path=path, reason=reason)


def _flight_number(value: str, path: str) -> str:
    found = _FLIGHT_NUMBER.fullmatch(value.strip().upper())
    if found is None:
        raise InvalidInput(path=path, reason="A flight number is 1 to 4 digits, perhaps a letter.")
    return found[1]


def _code(value: str, path: str, form: re.Pattern[str], what: str) -> str:
    plain = value.strip().upper()
    if not form.fullmatch(plain):
        raise InvalidInput(path=path, reason=f"{what}.")
    return plain

"""What a booking message says of a traveller's loyalty number, whatever the form of the message.

The adapters (`remarks`, `ndc`, `opentravel`, and `bookings_file` of `gateway.files`) read their
forms into these and write them from these. What must be there and is not, or is odd, makes the
element bad; what may be there and is odd is left out of messages, with a note. Codes are in
capitals; numbers and names are as they were written.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from brands.bounds import is_storable
from brands.naming.name_matching import MAX_COMPARED

MAX_WRITTEN_NUMBER = 128
"""Characters in a loyalty number with its spaces and hyphens."""

MAX_SEGMENTS = 30

_NOT_XML = re.compile(r"[\ufffe\uffff]")

_AIRLINE = r"[A-Z0-9]{2,3}"
_FLIGHT_NUMBER = r"[1-9][0-9]{0,3}[A-Z]?"
_DESIGNATION = re.compile(rf"([A-Z]{{3}}|[A-Z][A-Z0-9]|[0-9][A-Z])? ?0*({_FLIGHT_NUMBER})")
"""A flight's number, with or without its airline: two characters, or three letters."""

_FORMS: Mapping[str, re.Pattern[str]] = {
    name: re.compile(pattern)
    for name, pattern in (
        ("carrier", r"[A-Z0-9]{2,8}"),
        ("airline", _AIRLINE),
        ("flight", _FLIGHT_NUMBER),
        ("ticket", r"[0-9]{13}"),
        ("booking_class", r"[A-Z]{1,2}"),
        ("fare_basis", r"[A-Z0-9/-]{1,20}"),
        ("origin", r"[A-Z]{3}"),
        ("destination", r"[A-Z]{3}"),
        ("record_locator", r"[A-Z0-9-]{2,20}"),
        ("program", r"\S(?:.{0,62}\S)?"),
        ("number", rf"\S(?:.{{0,{MAX_WRITTEN_NUMBER - 2}}}\S)?"),
        ("surname", rf"\S(?:.{{0,{MAX_COMPARED - 2}}}\S)?"),
        ("given_name", rf"\S(?:.{{0,{MAX_COMPARED - 2}}}\S)?"),
        ("status", r"\S(?:.{0,38}\S)?"),
        ("sector", r"\S(?:.{0,18}\S)?"),
        ("property", r"\S(?:.{0,62}\S)?"),
        ("chain", r"[A-Z0-9]{2,8}"),
        ("rate_code", r"[A-Z0-9/-]{1,20}"),
    )
}


class BadElement(Exception):
    """A message's loyalty element cannot be used; the text says why. The next one may be fine."""


class LeftOut(str):
    """A note that a flight, a stay or the booking's record locator is left out: without it there
    may be nothing to attach the number to."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Segment:
    """A flight of the booking. `carrier` sells it, `operating_carrier` flies it. Raises
    `BadElement`."""

    carrier: str
    flight: str | None = None
    operating_carrier: str | None = None
    booking_class: str | None = None
    fare_basis: str | None = None
    origin: str | None = None
    destination: str | None = None
    departs: date | None = None
    """The day in the time zone of the airport."""
    operating_flight: str | None = None
    """Its number at the carrier that flies it."""
    ticket: str | None = None

    def __post_init__(self) -> None:
        for airline in (self.carrier, self.operating_carrier):
            _check("airline", airline)
        for number in (self.flight, self.operating_flight):
            _check("flight", number)
        for name in ("booking_class", "fare_basis", "origin", "destination", "ticket"):
            _check(name, getattr(self, name))


@dataclass(frozen=True, slots=True)
class Stay:
    """A stay of the booking, from one day to another, at a property that may be of a chain. Raises
    `BadElement`."""

    property: str
    check_in: date
    check_out: date
    chain: str | None = None
    rate_code: str | None = None

    def __post_init__(self) -> None:
        if not self.property:
            raise BadElement("the stay has no property")
        for name in ("property", "chain", "rate_code"):
            _check(name, getattr(self, name))


@dataclass(frozen=True, slots=True)
class LoyaltyElement:
    """A traveller's loyalty number: whose program, the number, her name, her flights and stays.

    The program is named by its carrier's code, or by a name of its own, or both. Raises
    `BadElement`.
    """

    number: str
    surname: str
    given_name: str | None = None
    carrier: str | None = None
    program: str | None = None
    status: str | None = None
    sector: str | None = None
    """OpenTravel's code of the branch of the trade: 1 for air."""
    record_locator: str | None = None
    segments: tuple[Segment, ...] = ()
    stays: tuple[Stay, ...] = ()
    notes: tuple[str, ...] = ()
    """What the message says that was left out, and why."""

    def __post_init__(self) -> None:
        if not self.number:
            raise BadElement("there is no number")
        if not self.surname:
            raise BadElement("there is no surname")
        if self.carrier is None and self.program is None:
            raise BadElement("neither a carrier nor a program is named")
        for name in ("number", "surname", "given_name", "carrier", "program", "status", "sector"):
            _check(name, getattr(self, name))
        _check("record_locator", self.record_locator)
        if len(self.segments) + len(self.stays) > MAX_SEGMENTS:
            raise BadElement(f"there are more than {MAX_SEGMENTS} segments")


def code(text: str | None) -> str | None:
    """A code in capitals, or nothing where nothing is written."""
    return plain(text.upper()) if text else None


def plain(text: str | None) -> str | None:
    """A text without the space around it, each run of space inside being one; or nothing."""
    return " ".join(text.split()) or None if text else None


def fitting(name: str, value: str | None, notes: list[str]) -> str | None:
    """An optional value, if it has the form of its kind; else nothing, and a note of it."""
    if value is None or _fits(name, value):
        return value
    note = f'{_called(name)} "{value[:40]}" is left out'
    notes.append(LeftOut(note) if name == "record_locator" else note)
    return None


def agreed(values: Iterable[str | None]) -> str | None:
    """What all say who say anything; nothing where they disagree."""
    said = {value for value in values if value is not None}
    return said.pop() if len(said) == 1 else None


def flight_of(text: str | None, carrier: str | None) -> tuple[str, str | None]:
    """The airline and the number of a flight that is written as 117, 0117, BA117 or BA 0117. Raises
    `BadElement` where two airlines are named, or none."""
    written, airline = code(text), carrier
    if written is not None:
        found = _DESIGNATION.fullmatch(written)
        if found is None:
            raise BadElement(f'"{written[:40]}" is no flight')
        named, written = found.groups()
        if named not in (None, carrier or named):
            raise BadElement(f'"{text}" is no flight of {carrier}')
        airline = carrier or named
    if airline is None:
        raise BadElement("the flight has no airline")
    return airline, written


def day_of(text: str | None) -> date | None:
    """The day of a date or time like 2026-11-23T18:30:00. Raises `BadElement`."""
    written = plain(text)
    if written is None:
        return None
    try:
        if len(written) > 10 and written[10] not in "T+-Z ":
            raise ValueError
        return date.fromisoformat(written[:10])
    except ValueError:
        raise BadElement(f'"{written[:40]}" is not a date like 2026-12-31') from None


def _check(name: str, value: str | None) -> None:
    if value is not None and not _fits(name, value):
        raise BadElement(f'"{value[:40]}" is no {_called(name)}')


def _fits(name: str, value: str) -> bool:
    is_text = is_storable(value) and not _NOT_XML.search(value)
    return is_text and _FORMS[name].fullmatch(value) is not None


def _called(name: str) -> str:
    return name.replace("_", " ")

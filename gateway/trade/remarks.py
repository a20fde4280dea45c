"""Frequent-traveller remarks: the SSR elements FQTV, FQTR, FQTU and FQTS of a booking.

Airlines exchange them as AIRIMP lays down, and reservation systems show and take them each in its
own way. All of these are read (`gateway.trade.remark_reading`), and one form is written:
`SSR FQTV BA HK1 BA12345678/GOLD-1SMITH/JOHN MR`. The forms are told in `docs/agency-files.md`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from brands.naming.name_spellings import in_capitals
from brands.naming.number_reading import bare
from brands.naming.numbers import MAX_NUMBER
from gateway.trade.loyalty_elements import BadElement, LeftOut, LoyaltyElement, Segment, flight_of

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")

NAME = r"[A-Z](?:[A-Z' -]{0,98}[A-Z'])?"
STATUS = r"(?![PS][0-9])[A-Z0-9]{1,20}(?: [A-Z0-9]{1,19})?"
CARRIER = r"(?=[0-9]?[A-Z])[A-Z0-9]{2}"
NUMBER = r"(?=[A-Z]*[0-9])[A-Z0-9]{1,64}"
"""With a digit at least: a word that stands in its place is none."""

FLIGHT_NUMBER = r"[0-9]{1,4}[A-Z]?"
ACTION = r"[A-Z]{2}"

_NOT_IN_FORCE = frozenset({"HX", "NO", "UC", "UN", "UU", "US", "XX"})
"""Actions with which an airline cancels a remark, or says that it is not able to take it."""

EVERY_AIRLINE = "YY"
"""Of the booking."""

MAX_COUNT = 99
"""Of passengers in a remark, of references, and of what is referred to."""

_SOME_LEAP_YEAR = 2024
_EVERY_LEAP_YEAR = 9
"""Years that surely have a 29th of February among them, 1900 and its like included."""


class BadRemark(BadElement):
    """A text that is no remark: at `position`, counted from 1, stands something else than what is
    expected there. Without a position: a remark that no text could be."""

    def __init__(self, expected: str, position: int | None = None) -> None:
        super().__init__(
            f"expected {expected} at character {position}"
            if position
            else f"there is no {expected} as remarks have it"
        )
        self.expected = expected
        self.position = position


class RemarkKind(StrEnum):
    """What the number is given for."""

    ACCRUAL = "FQTV"
    REDEMPTION = "FQTR"
    UPGRADE = "FQTU"
    SERVICE = "FQTS"


@dataclass(frozen=True, slots=True)
class Passenger:
    """A passenger's name in capitals, titles and all."""

    surname: str
    given_name: str | None = None

    def __post_init__(self) -> None:
        _check(NAME, self.surname, "a surname")
        _check(NAME, self.given_name, "a given name")

    def __str__(self) -> str:
        return self.surname + ("" if self.given_name is None else f"/{self.given_name}")


@dataclass(frozen=True, slots=True)
class Flight:
    """The flight that a remark is for. No year is told."""

    origin: str
    destination: str
    number: str
    booking_class: str
    day: int
    month: int

    def __post_init__(self) -> None:
        _check("[A-Z]{6}", self.origin + self.destination, "two airports")
        _check("[A-Z]{3}", self.origin, "an airport")
        _check(FLIGHT_NUMBER, self.number, "a flight number")
        _check("[A-Z]", self.booking_class, "a booking class")
        if not (1 <= self.month <= 12 and _is_day(_SOME_LEAP_YEAR, self.month, self.day)):
            raise BadRemark("a day of a month")

    def __str__(self) -> str:
        when = f"{self.day:02d}{MONTHS[self.month - 1]}"
        return f"{self.origin}{self.destination} {self.number} {self.booking_class}{when}"

    def first_from(self, start: date) -> date:
        """The first day so named, from a day on."""
        years = range(start.year, start.year + _EVERY_LEAP_YEAR)
        days = (
            date(year, self.month, self.day)
            for year in years
            if _is_day(year, self.month, self.day)
        )
        found = next((day for day in days if day >= start), None)
        if found is None:
            raise BadElement("the calendar ends before that day")
        return found


@dataclass(frozen=True, slots=True)
class FrequentTravellerRemark:
    """A number of a carrier's program, told to an airline (`YY`: to every airline of the booking).

    `passengers` and `segments` are numbers of elements of the same booking; Sabre counts names in
    them, and the `name_item` is the number of the element and of the name in it. Raises `BadRemark`
    for what no remark can hold.
    """

    carrier: str
    number: str
    kind: RemarkKind = RemarkKind.ACCRUAL
    airline: str = EVERY_AIRLINE
    action: str = "HK"
    count: int = 1
    flight: Flight | None = None
    status: str | None = None
    passenger: Passenger | None = None
    passengers: tuple[int, ...] = ()
    segments: tuple[int, ...] = ()
    name_item: tuple[int, int] | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        _check(CARRIER, self.carrier, "a carrier")
        _check(NUMBER, self.number, "a number")
        _check(CARRIER, self.airline, "an airline")
        _check(ACTION, self.action, "an action")
        _check(STATUS, self.status, "a status")
        references = (*self.passengers, *self.segments)
        if not all(1 <= count <= MAX_COUNT for count in (self.count, *references)):
            raise BadRemark(f"a count up to {MAX_COUNT}")
        if len(references) > MAX_COUNT:
            raise BadRemark(f"up to {MAX_COUNT} references")

    @property
    def against(self) -> str | None:
        """Why it is not in force, if it is not."""
        is_over = self.action in _NOT_IN_FORCE
        return f"cancelled or refused by the airline ({self.action})" if is_over else None

    @property
    def accounts(self) -> tuple[tuple[str, str], ...]:
        """Carriers and numbers that may be meant, the likeliest first. The number stands behind its
        carrier, as AIRIMP has it; but there are systems that leave the carrier out, so that
        AERO356 is a number of the airline's that is told, and numbers that begin with it."""
        whole = self.carrier + self.number
        named = [each for each in (self.airline, self.carrier) if each != EVERY_AIRLINE]
        said = [(self.carrier, self.number), *((each, whole) for each in named)]
        return tuple(dict.fromkeys(said if len(whole) <= MAX_NUMBER else said[:1]))

    def __str__(self) -> str:
        return "".join(self._parts())

    def _parts(self) -> Iterator[str]:
        yield f"SSR {self.kind} {self.airline} {self.action}{self.count} "
        if self.flight is not None:
            yield f"{self.flight} "
        yield f"{self.carrier}{self.number}"
        if self.status is not None:
            yield f"/{self.status}"
        if self.passenger is not None:
            yield f"-1{self.passenger}"
        for letter, references in (("P", self.passengers), ("S", self.segments)):
            if references:
                yield f"/{letter}{','.join(map(str, references))}"


def elements_of(
    remark: FrequentTravellerRemark, passenger: Passenger, locator: str | None, on: date
) -> tuple[LoyaltyElement, ...]:
    """What a remark says of a passenger's loyalty number, in each way in which it may be read, the
    likeliest first. Its flight is the first of that day from `on` on, in a booking that is made
    then; where that cannot be, it is left out. Raises `BadElement`."""
    segments, notes = _journey(remark, on)
    return tuple(
        LoyaltyElement(
            number=number,
            surname=passenger.surname,
            given_name=passenger.given_name,
            carrier=carrier,
            status=remark.status,
            record_locator=locator,
            segments=segments,
            notes=notes,
        )
        for carrier, number in remark.accounts
    )


def remark_of(element: LoyaltyElement, airline: str | None = None) -> FrequentTravellerRemark:
    """A remark to an airline (else to the program's own) with what it can hold of an element: the
    number without spaces and hyphens, names in the capitals A to Z, a status if it is one, and no
    flights. A carrier that the number begins with is not written twice. Raises `BadElement`."""
    if element.carrier is None or not re.fullmatch(CARRIER, element.carrier):
        raise BadElement(
            f"{element.program or element.carrier} has no airline's code of two characters"
        )
    number = bare(element.number)
    if re.match(rf"{re.escape(element.carrier)}[0-9]", number):
        number = number.removeprefix(element.carrier)
    status = in_capitals(element.status or "")
    return FrequentTravellerRemark(
        carrier=element.carrier,
        number=number,
        airline=airline or element.carrier,
        status=status if re.fullmatch(STATUS, status) else None,
        passenger=Passenger(
            in_capitals(element.surname), in_capitals(element.given_name or "") or None
        ),
    )


def _journey(
    remark: FrequentTravellerRemark, on: date
) -> tuple[tuple[Segment, ...], tuple[str, ...]]:
    """The flight of a remark, or why it is left out."""
    if remark.flight is None:
        return (), ()
    if remark.airline == EVERY_AIRLINE:
        return (), (LeftOut("its flight is left out: no airline is named"),)
    try:
        return (_segment(remark.airline, remark.flight, on),), ()
    except BadElement as bad:
        return (), (LeftOut(f"its flight is left out: {bad}"),)


def _segment(airline: str, flight: Flight, on: date) -> Segment:
    carrier, number = flight_of(flight.number, airline)
    return Segment(
        carrier=carrier,
        flight=number,
        booking_class=flight.booking_class,
        origin=flight.origin,
        destination=flight.destination,
        departs=flight.first_from(on),
    )


def _check(form: str, value: str | None, expected: str) -> None:
    if value is not None and re.fullmatch(form, value) is None:
        raise BadRemark(expected)


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True

"""Reading frequent-traveller remarks, in the forms of the airlines and of reservation systems."""

import re
from collections.abc import Iterator, Sequence

from gateway.trade.remarks import (
    ACTION,
    CARRIER,
    FLIGHT_NUMBER,
    MONTHS,
    NAME,
    NUMBER,
    STATUS,
    BadRemark,
    Flight,
    FrequentTravellerRemark,
    Passenger,
    RemarkKind,
)

MAX_REMARK = 700
"""Characters. A line of a booking has 69; what is written here may have as many as this."""

_SSR = rf"(?:[0-9]{{1,3}}[. ] *)?\*? *SSR *(FQT[VRUS]) *({CARRIER}) *({ACTION})([0-9]{{0,2}})[ /]*"
_FLIGHT = (
    rf"([A-Z]{{3}})([A-Z]{{3}}) ?({FLIGHT_NUMBER}) ?([A-Z])([0-9]{{2}})({'|'.join(MONTHS)})"
    rf"(?= +{CARRIER} ?{NUMBER}|-[^.]*\.|\.)"
)
_ACCOUNT = rf" *({CARRIER}) ?({NUMBER})"
_STATUS = rf"/({STATUS})"
_STATUS_BEHIND_ALLIANCE = r" +[A-Z]+(?: [A-Z]+)*/([A-Z0-9]{1,20})(?:-[0-9]+)?(?=/|$)"
_PASSENGER = (
    rf"-[0-9]{{0,2}}({NAME})(?:/(?![PS][0-9])({NAME}))?(?: *[0-9]{{1,2}}\.[0-9]{{1,2}}(?=/|$))?"
)
_REFERENCES = r" ?/([PS])([0-9]{1,2}(?:-[0-9]{1,2})?(?:,[0-9]{1,2}(?:-[0-9]{1,2})?)*)"

_AMADEUS = rf"FF([NARU]) ?({CARRIER})-({NUMBER})(?:, ?{CARRIER})*"
_SABRE = rf"FF({CARRIER})({NUMBER})(?:-([0-9]{{1,2}})\.([0-9]{{1,2}}))?"
_GALILEO = rf"M\.(?:P([0-9]{{1,2}})/)?({CARRIER})({NUMBER})(?:/{CARRIER})*"
_BRIEF = rf"(FQT[VRUS]) +({CARRIER})[/-]({NUMBER})"

_OF_AMADEUS = {
    "N": RemarkKind.ACCRUAL,
    "A": RemarkKind.ACCRUAL,
    "R": RemarkKind.REDEMPTION,
    "U": RemarkKind.UPGRADE,
}


def read_remark(text: str) -> FrequentTravellerRemark:
    """Reads a remark in any of the forms. Case and the space around it do not matter. Raises
    `BadRemark`, which says where."""
    if len(text) > MAX_REMARK:
        raise BadRemark(f"the end of a remark of {MAX_REMARK} characters", MAX_REMARK + 1)
    strange = next((place for place, letter in enumerate(text) if not " " <= letter <= "~"), None)
    if strange is not None:
        raise BadRemark("printable ASCII", strange + 1)
    scanner = _Scanner(text.rstrip().upper())
    try:
        remark = _element(scanner) or _entry(scanner)
        if remark is None:
            raise BadRemark("SSR FQTV, or an entry like FFNBA-12345678", scanner.position + 1)
        scanner.demand("$", "the end")
    except BadRemark as bad:
        raise BadRemark(bad.expected, bad.position or scanner.position + 1) from bad
    return remark


class _Scanner:
    """A text and how far it has been read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = len(text) - len(text.lstrip())

    def take(self, form: str) -> Sequence[str] | None:
        """The parts of what stands here, if it has that form; goes on behind it. A part that is
        left out is empty."""
        match = re.compile(form).match(self.text, self.position)
        if match is None:
            return None
        self.position = match.end()
        return match.groups("")

    def demand(self, form: str, expected: str) -> Sequence[str]:
        """The same, or `BadRemark`."""
        parts = self.take(form)
        if parts is None:
            raise BadRemark(expected, self.position + 1)
        return parts


def _element(scanner: _Scanner) -> FrequentTravellerRemark | None:
    """`SSR FQTV BA HK1 ...`: in AIRIMP the passenger, if named, and a point stand between flight
    and number."""
    head = scanner.take(_SSR)
    if head is None:
        return None
    kind, airline, action, count = head
    flight = _flight(scanner)
    passenger = None if flight is None else _passenger(scanner)
    if passenger is not None:
        scanner.demand(r"\.", "a point")
    elif flight is not None:
        scanner.take(r"\.")
    carrier, number = scanner.demand(_ACCOUNT, "a carrier and a number")
    status = scanner.take(_STATUS_BEHIND_ALLIANCE) or scanner.take(_STATUS) or ("",)
    passenger = passenger or _passenger(scanner)
    passengers, segments = _references(scanner)
    return FrequentTravellerRemark(
        kind=RemarkKind(kind),
        airline=airline,
        action=action,
        count=int(count or 1),
        flight=flight,
        carrier=carrier,
        number=number,
        status=status[0] or None,
        passenger=passenger,
        passengers=passengers,
        segments=segments,
    )


def _entry(scanner: _Scanner) -> FrequentTravellerRemark | None:
    """What an agent types for a reservation system to make the element of."""
    passenger, name = "", ""
    if parts := scanner.take(_AMADEUS):
        kind, carrier, number = _OF_AMADEUS[parts[0]], parts[1], parts[2]
    elif parts := scanner.take(_BRIEF):
        kind, carrier, number = RemarkKind(parts[0]), parts[1], parts[2]
    elif parts := scanner.take(_GALILEO):
        kind = RemarkKind.ACCRUAL
        passenger, carrier, number = parts
    elif parts := scanner.take(_SABRE):
        kind = RemarkKind.ACCRUAL
        carrier, number, passenger, name = parts
    else:
        return None
    passengers, segments = _references(scanner)
    return FrequentTravellerRemark(
        kind=kind,
        airline=carrier,
        carrier=carrier,
        number=number,
        passengers=(int(passenger),) if passenger else passengers,
        segments=segments,
        name_item=(int(passenger), int(name)) if name else None,
    )


def _flight(scanner: _Scanner) -> Flight | None:
    parts = scanner.take(_FLIGHT)
    if parts is None:
        return None
    origin, destination, number, booking_class, day, month = parts
    return Flight(origin, destination, number, booking_class, int(day), MONTHS.index(month) + 1)


def _passenger(scanner: _Scanner) -> Passenger | None:
    parts = scanner.take(_PASSENGER)
    return None if parts is None else Passenger(parts[0], parts[1] or None)


def _references(scanner: _Scanner) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """`/P1` and `/S2-4,6`, in either order."""
    found: dict[str, tuple[int, ...]] = {}
    while parts := scanner.take(_REFERENCES):
        letter, numbers = parts
        if letter in found:
            raise BadRemark(f"one list of references /{letter}")
        found[letter] = tuple(_numbers(numbers))
    return found.get("P", ()), found.get("S", ())


def _numbers(text: str) -> Iterator[int]:
    for piece in text.split(","):
        first, _, last = piece.partition("-")
        numbers = range(int(first), int(last or first) + 1)
        if not numbers:
            raise BadRemark("references in order")
        yield from numbers

"""The CSV form of a file of loyalty numbers and bookings: its header, and its rows."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.trade.loyalty_elements import (
    BadElement,
    LoyaltyElement,
    Segment,
    Stay,
    code,
    day_of,
    flight_of,
    plain,
)

COLUMNS = (
    "program", "carrier", "number", "surname", "given_name", "status", "record_locator",
    "flight_carrier", "flight", "operating_carrier", "operating_flight", "ticket", "class",
    "fare_basis", "origin", "destination", "date", "property", "chain", "check_in", "check_out",
    "rate_code",
)  # fmt: skip
"""In any order."""

_REQUIRED = ("number", "surname")
_OF_FLIGHT = COLUMNS[COLUMNS.index("flight_carrier") : COLUMNS.index("property")]
_OF_STAY = COLUMNS[COLUMNS.index("property") :]
_DELIMITERS = ",;\t|"
_LEAST = len(("number", "surname", "program"))
_SEPARATOR = re.compile(r'"?sep=(.)"?', re.IGNORECASE)


class BatchRefused(Exception):
    """The file as a whole cannot be read; the text says why."""


@dataclass(frozen=True, slots=True)
class Header:
    """The columns of a file, in their order, and what stands between them."""

    columns: Sequence[str]
    delimiter: str

    @property
    def ignored(self) -> Sequence[str]:
        """Columns that are none of ours."""
        return [name for name in self.columns if name and name not in COLUMNS]

    def element(self, line: str) -> LoyaltyElement | None:
        """What a line says; None if all of it is empty. Raises `BadElement`."""
        cells = _cells(line, self.delimiter)
        if not any(map(str.strip, cells)):
            return None
        if len(cells) != len(self.columns):
            raise BadElement(
                f"the line has {len(cells)} values where the header has {len(self.columns)}"
            )
        return _element(dict(zip(self.columns, cells, strict=True)))


def separator_of(line: str) -> str | None:
    """What stands between the columns, if the line says that alone, as Excel has it: `sep=;`."""
    found = _SEPARATOR.fullmatch(line.strip(" "))
    return None if found is None else found[1]


def header_of(line: str, delimiter: str | None) -> Header | None:
    """The header, if the line is one: it names a column of ours, and if no commas stand between
    them, two; or has as many columns as are required, whatever their names; or the delimiter is
    known. Raises `BatchRefused` where a column is missing."""
    read = [_read(line, each) for each in delimiter or _DELIMITERS]
    header = max(read, key=lambda each: (_known(each), len(each.columns)))
    is_known = _known(header) >= (1 if header.delimiter == "," else 2)
    if not (delimiter or is_known or len(header.columns) >= _LEAST):
        return None
    missing = [name for name in _REQUIRED if name not in header.columns]
    if not {"program", "carrier"} & set(header.columns):
        missing.append("program (or carrier)")
    if missing:
        read_as = f"; its columns are {', '.join(header.columns)[:200]}" if header.ignored else ""
        raise BatchRefused(f"the header lacks {', '.join(missing)}{read_as}")
    twice = [name for name in COLUMNS if header.columns.count(name) > 1]
    if twice:
        raise BatchRefused(f"the header names {', '.join(twice)} twice")
    return header


def _read(line: str, delimiter: str) -> Header:
    try:
        cells = _cells(line, delimiter)
    except BadElement:
        cells = []
    return Header(["_".join(name.lower().split()) for name in cells], delimiter)


def _known(header: Header) -> int:
    return len(set(header.columns) & set(COLUMNS))


def _cells(line: str, delimiter: str) -> Sequence[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True, strict=True))
    except csv.Error as error:
        raise BadElement(f"the line is not CSV: {error}") from None


def _element(cells: Mapping[str, str]) -> LoyaltyElement:
    return LoyaltyElement(
        number=plain(cells["number"]) or "",
        surname=plain(cells["surname"]) or "",
        given_name=plain(cells.get("given_name")),
        carrier=code(cells.get("carrier")),
        program=plain(cells.get("program")),
        status=plain(cells.get("status")),
        record_locator=code(cells.get("record_locator")),
        segments=tuple(_segments(cells)),
        stays=tuple(_stays(cells)),
    )


def _segments(cells: Mapping[str, str]) -> Iterator[Segment]:
    """The flight of the row, if it has one."""
    if not _says_any(cells, _OF_FLIGHT):
        return
    carrier, number = flight_of(cells.get("flight"), code(cells.get("flight_carrier")))
    operator, its_number = code(cells.get("operating_carrier")), cells.get("operating_flight")
    if operator or plain(its_number):
        operator, its_number = flight_of(its_number, operator)
    yield Segment(
        carrier=carrier,
        flight=number,
        operating_carrier=operator,
        operating_flight=its_number or None,
        ticket=_ticket(cells.get("ticket")),
        booking_class=code(cells.get("class")),
        fare_basis=code(cells.get("fare_basis")),
        origin=code(cells.get("origin")),
        destination=code(cells.get("destination")),
        departs=day_of(cells.get("date")),
    )


def _ticket(text: str | None) -> str | None:
    """A ticket number; agencies put a hyphen or a space behind the airline's three digits."""
    return None if text is None else re.sub(r"[\s-]", "", text) or None


def _stays(cells: Mapping[str, str]) -> Iterator[Stay]:
    """The stay of the row, if it has one."""
    if not _says_any(cells, _OF_STAY):
        return
    check_in, check_out = day_of(cells.get("check_in")), day_of(cells.get("check_out"))
    if check_in is None or check_out is None:
        raise BadElement("a stay has the days of check_in and check_out")
    yield Stay(
        property=plain(cells.get("property")) or "",
        check_in=check_in,
        check_out=check_out,
        chain=code(cells.get("chain")),
        rate_code=code(cells.get("rate_code")),
    )


def _says_any(cells: Mapping[str, str], columns: Sequence[str]) -> bool:
    return any(plain(cells.get(name)) for name in columns)

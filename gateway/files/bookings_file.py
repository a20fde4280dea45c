"""A file of loyalty numbers and the bookings they came with, as a travel agency's system writes it.

Its form is told by what is in it, not by its name: XML (NDC or OpenTravel), CSV, or one remark a
line. The forms are told in `docs/agencies.md`. What is wrong with a row is told in its place, and
the rest is read all the same. CSV and remarks are read line by line, and memory does not grow
with the file; XML is bounded.
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import BinaryIO

from gateway.trade.loyalty_elements import (
    BadElement,
    LoyaltyElement,
    Segment,
    Stay,
    code,
    day_of,
    plain,
)
from gateway.trade.markup import MAX_DOCUMENT, Element, MarkupRefused, read_markup
from gateway.trade.ndc import ACCOUNT as NDC_ACCOUNT
from gateway.trade.ndc import read_ndc
from gateway.trade.opentravel import ACCOUNT as OPENTRAVEL_ACCOUNT
from gateway.trade.opentravel import read_opentravel
from gateway.trade.remark_reading import read_remark
from gateway.trade.remarks import element_of

MAX_LINE_BYTES = 64 * 1024

COLUMNS = (
    "program", "carrier", "number", "surname", "given_name", "status", "record_locator",
    "flight_carrier", "operating_carrier", "flight", "class", "fare_basis", "origin",
    "destination", "date", "property", "chain", "check_in", "check_out", "rate_code",
)  # fmt: skip
"""Of a CSV file, in any order."""

_REQUIRED = ("number", "surname")
_OF_FLIGHT = COLUMNS[COLUMNS.index("flight_carrier") : COLUMNS.index("property")]
_OF_STAY = COLUMNS[COLUMNS.index("property") :]
_UNREADABLE = re.compile(r"[\x00-\x1f\x7f]")
_MARK = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")


class BatchRefused(Exception):
    """The file as a whole cannot be read; the text says why."""


@dataclass(frozen=True, slots=True)
class Row:
    """What stands at a line of the file (the first is 1), or what is wrong with it."""

    line: int
    content: LoyaltyElement | BadElement


def read_batch(path: Path, *, on: date) -> Iterator[Row]:
    """The loyalty elements of a file, one by one. Remarks name no year: their flights are the
    first from the day `on`. Raises `BatchRefused` and `OSError`, also while it is read."""
    with path.open("rb") as source:
        head = source.read(MAX_LINE_BYTES)
        source.seek(0)
        if head.startswith(_UTF_16) or head.removeprefix(_MARK).lstrip().startswith(b"<"):
            yield from _read_markup(source)
        else:
            yield from _read_lines(source, on)


def _read_markup(source: BinaryIO) -> Iterator[Row]:
    try:
        message = read_markup(source.read(MAX_DOCUMENT + 1))
    except MarkupRefused as refused:
        raise BatchRefused(str(refused)) from refused
    for line, content in _elements(message):
        yield Row(line, content)


def _elements(message: Element) -> Iterator[tuple[int, LoyaltyElement | BadElement]]:
    account = next(message.all(NDC_ACCOUNT, OPENTRAVEL_ACCOUNT), message)
    if account.name == NDC_ACCOUNT:
        return read_ndc(message)
    if account.name == OPENTRAVEL_ACCOUNT:
        return read_opentravel(message)
    raise BatchRefused(f"it has no {NDC_ACCOUNT} (NDC) and no {OPENTRAVEL_ACCOUNT} (OpenTravel)")


def _read_lines(source: BinaryIO, on: date) -> Iterator[Row]:
    header: Sequence[str] | None = None
    first = True
    for number, raw in _numbered(source):
        try:
            text = _decoded(raw)
            if not text.strip():
                continue
            if first:
                header, first = _header(text), False
                if header is not None:
                    continue
            yield Row(number, _record(text, header, on))
        except BadElement as bad:
            yield Row(number, bad)


def _numbered(source: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Lines with their numbers. One that is too long is cut, and so will be found bad."""
    number = 0
    while raw := source.readline(MAX_LINE_BYTES + 1):
        number += 1
        yield number, raw.removeprefix(_MARK) if number == 1 else raw
        while len(raw) > MAX_LINE_BYTES and not raw.endswith(b"\n"):
            raw = source.readline(MAX_LINE_BYTES + 1)


def _decoded(raw: bytes) -> str:
    if len(raw) > MAX_LINE_BYTES:
        raise BadElement(f"the line is longer than {MAX_LINE_BYTES} bytes")
    try:
        text = raw.rstrip(b"\r\n").decode()
    except UnicodeDecodeError as error:
        raise BadElement(f"the line is not UTF-8 at byte {error.start + 1}") from None
    if _UNREADABLE.search(text.replace("\t", " ")):
        raise BadElement("the line has a control character")
    return text


def _header(text: str) -> Sequence[str] | None:
    """The columns, if the line names any; None if it is a remark. Raises `BatchRefused`."""
    names = [name.strip().lower() for name in _cells(text)]
    if not set(names) & set(COLUMNS):
        return None
    missing = [name for name in _REQUIRED if name not in names]
    if not {"program", "carrier"} & set(names):
        missing.append("program (or carrier)")
    if missing:
        raise BatchRefused(f"the header lacks {', '.join(missing)}")
    twice = sorted({name for name in names if name in COLUMNS and names.count(name) > 1})
    if twice:
        raise BatchRefused(f"the header names {', '.join(twice)} twice")
    return names


def _record(text: str, header: Sequence[str] | None, on: date) -> LoyaltyElement:
    if header is None:
        return element_of(read_remark(text), on)
    cells = _cells(text)
    if len(cells) != len(header):
        raise BadElement(f"the line has {len(cells)} values where the header has {len(header)}")
    return _element(dict(zip(header, cells, strict=True)))


def _cells(text: str) -> Sequence[str]:
    try:
        return next(csv.reader([text], strict=True))
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
    if _says_any(cells, _OF_FLIGHT):
        yield Segment(
            carrier=code(cells.get("flight_carrier")) or "",
            flight=code(cells.get("flight")),
            operating_carrier=code(cells.get("operating_carrier")),
            booking_class=code(cells.get("class")),
            fare_basis=code(cells.get("fare_basis")),
            origin=code(cells.get("origin")),
            destination=code(cells.get("destination")),
            departs=day_of(cells.get("date")),
        )


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

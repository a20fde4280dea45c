"""A file of loyalty numbers and the bookings they came with, as a travel agency's system writes it.

Its form is told by what is in it, not by its name: XML (NDC or OpenTravel), CSV, or one remark a
line. The forms are told in `docs/agency-files.md`. What is wrong with a row is told in its place,
and the rest is read all the same. CSV and remarks are read line by line, and memory does not grow
with the file; XML is bounded. What refuses a file does so before its first row.
"""

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date
from itertools import chain
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO, TypeAlias

from gateway.files.bookings_csv import BatchRefused, Header, header_of, separator_of
from gateway.files.text_lines import MAX_LINE, UTF_8_MARK, lines_of
from gateway.trade.loyalty_elements import BadElement, LoyaltyElement
from gateway.trade.markup import MAX_DOCUMENT, Element, MarkupRefused, read_markup
from gateway.trade.name_lines import NameLines, Names
from gateway.trade.ndc import ACCOUNT as NDC_ACCOUNT
from gateway.trade.ndc import read_ndc
from gateway.trade.opentravel import ACCOUNT as OPENTRAVEL_ACCOUNT
from gateway.trade.opentravel import MEMBERSHIP, read_opentravel
from gateway.trade.remark_reading import read_remark
from gateway.trade.remarks import elements_of

STANDARD_INPUT = Path("-")

MAX_PIPED = 1024 * 1024 * 1024
"""Bytes that come through a pipe, which cannot be read twice."""

_BLOCK = 64 * 1024

_MARKUP = re.compile(rb"\s*<|(?:\xff\xfe)?(?:\s\0)*<\0|(?:\xfe\xff)?(?:\0\s)*\0<")
"""How XML begins, in UTF-8 and in UTF-16."""

_FREQUENT_TRAVELLER = re.compile(r"FQT[VRUS]|^ *FF|^ *M\.", re.IGNORECASE)
"""What a line with a remark has in it; a header may have it too."""

_DIGIT = re.compile("[0-9]")

_Line: TypeAlias = tuple[int, str | BadElement]


@dataclass(frozen=True, slots=True)
class Row:
    """What stands at a line of the file (the first is 1), or what is wrong with it; in which other
    ways it may be read, the likeliest first; and why nothing is to be done with it, if so."""

    line: int
    content: LoyaltyElement | BadElement
    others: tuple[LoyaltyElement, ...] = ()
    against: str | None = None


def read_batch(path: Path, *, on: date, note: Callable[[str], None]) -> Iterator[Row]:
    """The loyalty elements of a file, one by one. Remarks name no year: their flights are the
    first from the day `on`. `note` is told what is passed over in all of it. Raises `OSError`, and
    before there is a row `BatchRefused`."""
    with _opened(path) as source:
        head = source.read(MAX_LINE)
        source.seek(0)
        if _MARKUP.match(head.removeprefix(UTF_8_MARK)):
            yield from _read_markup(source)
        else:
            yield from _read_lines(source, on, note)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """The file, from its beginning; what comes through a pipe is kept in a temporary one. Raises
    `OSError`, `BatchRefused`."""
    with nullcontext(sys.stdin.buffer) if path == STANDARD_INPUT else path.open("rb") as source:
        if source.seekable():
            yield source
            return
        with TemporaryFile() as kept:
            while block := source.read(_BLOCK):
                if kept.tell() + len(block) > MAX_PIPED:
                    raise BatchRefused(f"it is longer than {MAX_PIPED} bytes; load it from a file")
                kept.write(block)
            kept.seek(0)
            yield kept


def _read_markup(source: BinaryIO) -> Iterator[Row]:
    try:
        message = read_markup(source.read(MAX_DOCUMENT + 1))
    except MarkupRefused as refused:
        raise BatchRefused(str(refused)) from refused
    for line, content in _elements(message):
        yield Row(line, content)


def _elements(message: Element) -> Iterator[tuple[int, LoyaltyElement | BadElement]]:
    account = next(message.all(NDC_ACCOUNT, OPENTRAVEL_ACCOUNT, MEMBERSHIP), message)
    if account.name == NDC_ACCOUNT:
        return read_ndc(message)
    if account.name in (OPENTRAVEL_ACCOUNT, MEMBERSHIP):
        return read_opentravel(message)
    raise BatchRefused(f"it has no {NDC_ACCOUNT} (NDC) and no {OPENTRAVEL_ACCOUNT} (OpenTravel)")


def _read_lines(source: BinaryIO, on: date, note: Callable[[str], None]) -> Iterator[Row]:
    lines = lines_of(source)
    form, begun = _form_of(lines, on)
    if isinstance(form, _Csv) and form.header.ignored:
        note(f"columns that are not read: {', '.join(form.header.ignored)}")
    for number, line in chain(begun, lines):
        if isinstance(line, BadElement):
            yield Row(number, line)
        elif line.strip():
            try:
                row = form.row(number, line)
            except BadElement as bad:
                row = Row(number, bad)
            if row is not None:
                yield row


def _form_of(lines: Iterator[_Line], on: date) -> "tuple[_Csv | _Remarks, Sequence[_Line]]":
    """The form that the first line tells, and the line if it is a row. Blank lines and comments
    before it are passed over. Raises `BatchRefused`."""
    separator: str | None = None
    for number, line in lines:
        if isinstance(line, BadElement):
            raise BatchRefused(f"its form is not known: line {number} is broken: {line}")
        text = line.strip(" ")
        if text.startswith(("{", "[")):
            raise BatchRefused("it is JSON; the forms are CSV, remarks, NDC and OpenTravel")
        if not text.strip() or text.startswith("#"):
            continue
        if separator is None and (separator := separator_of(text)) is not None:
            continue
        is_remark = separator is None and _is_of_remarks(text)
        header = None if is_remark else header_of(text, separator)
        return (_Remarks(on), ((number, line),)) if header is None else (_Csv(header), ())
    return _Remarks(on), ()


def _is_of_remarks(line: str) -> bool:
    """Whether a line is a remark, or of the head of a booking."""
    is_remark = _FREQUENT_TRAVELLER.search(line) and _DIGIT.search(line)
    return bool(is_remark) or NameLines().take(line)


class _Csv:
    """Rows under a header."""

    def __init__(self, header: Header) -> None:
        self.header = header

    def row(self, number: int, line: str) -> Row | None:
        """The row of a line; none if all of it is empty. Raises `BadElement`."""
        element = self.header.element(line)
        return None if element is None else Row(number, element)


class _Remarks:
    """Remarks, alone or in bookings as reservation systems show them."""

    def __init__(self, on: date) -> None:
        self._on = on
        self._heads = NameLines()

    def row(self, number: int, line: str) -> Row | None:
        """The row of a line; none if it is another line of a booking. Raises `BadElement`."""
        if _FREQUENT_TRAVELLER.search(line) is None:
            if self._heads.take(line) or self._heads.names is not None:
                return None
        else:
            self._heads.end()
        remark = read_remark(line)
        names = self._heads.names or Names()
        passenger = names.passenger_of(remark)
        best, *others = elements_of(remark, passenger, names.record_locator, self._on)
        return Row(number, best, tuple(others), remark.against)

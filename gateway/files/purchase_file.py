"""The file of purchases that `coalition import purchases` reads: CSV, one line a purchase.

The form is told in `docs/imports.md`. A line is read, judged and forgotten, so memory does not grow
with the file: what must be remembered goes to a temporary database on disk.
"""

import csv
import re
import sqlite3
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, tzinfo
from hashlib import blake2b
from typing import BinaryIO, Protocol

from brands.money import MAX_POINTS, MICRO, decimal_of
from brands.purchases import Purchase

MAX_LINE_BYTES = 64 * 1024
MAX_NAME = 100
"""Characters in a customer, a number or a reference: with the rest they fit an idempotency key."""

DERIVED = "row"
"""What the references begin with that are made here, for files that give none."""

EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
"""Purchases before this are mistyped."""

_REQUIRED = ("date", "amount")
_IDENTIFYING = ("customer", "number")
_KNOWN = (*_IDENTIFYING, *_REQUIRED, "reference")

_AMOUNT = re.compile(r"(?P<sign>[-+]?)(?P<whole>[0-9]{1,16})(?:\.(?P<part>[0-9]{1,6}))?")
_UNREADABLE = re.compile(r"[\x00-\x1f\x7f]")


class FileRefused(Exception):
    """The file as a whole cannot be read as purchases; the text says why."""


class BadLine(Exception):
    """One line cannot be read as a purchase; the text says why. The next one may be fine."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the file (the header is line 1): a purchase, or what is wrong with it."""

    number: int
    content: Purchase | BadLine


class Source(Protocol):
    """What lines are read from: an open file, plain or decompressing."""

    def readline(self, limit: int = ..., /) -> bytes: ...


def read_purchases(source: Source | BinaryIO, time_zone: tzinfo) -> Generator[Line]:
    """The lines of a file of purchases, one by one. Dates without an offset are of `time_zone`.

    Raises `FileRefused` when the header is not one of purchases. Whoever does not read to the end
    closes it, in the same thread.
    """
    lines = _numbered(source)
    header = _header(next(lines, (1, b""))[1])
    with closing(_Repeats(time_zone)) as repeats:
        for number, raw in lines:
            if not raw.strip():
                continue
            try:
                cells = _cells(raw, header)
                yield Line(number, repeats.named(_purchase(cells, time_zone)))
            except BadLine as bad:
                yield Line(number, bad)


def _numbered(source: Source | BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Lines with their numbers. One that is too long is cut, and so will be found bad."""
    number = 0
    while raw := source.readline(MAX_LINE_BYTES + 1):
        number += 1
        yield number, raw
        while len(raw) > MAX_LINE_BYTES and not raw.endswith(b"\n"):
            raw = source.readline(MAX_LINE_BYTES + 1)


def _header(raw: bytes) -> Sequence[str]:
    try:
        text = _decoded(raw.removeprefix(b"\xef\xbb\xbf"))
        names = [name.strip().lower() for name in _split(text)]
    except BadLine as bad:
        raise FileRefused(f"the header (line 1) cannot be read: {bad}") from None
    missing = [name for name in _REQUIRED if name not in names]
    if not any(name in names for name in _IDENTIFYING):
        missing.insert(0, "customer (or number)")
    if missing:
        raise FileRefused(
            f"the header (line 1) lacks {', '.join(missing)}; "
            "it should be like: customer,date,reference,amount"
        )
    twice = sorted({name for name in names if name in _KNOWN and names.count(name) > 1})
    if twice:
        raise FileRefused(f"the header (line 1) names {', '.join(twice)} twice")
    return names


def _decoded(raw: bytes) -> str:
    if len(raw) > MAX_LINE_BYTES:
        raise BadLine(f"longer than {MAX_LINE_BYTES} bytes")
    try:
        text = raw.rstrip(b"\r\n").decode()
    except UnicodeDecodeError as error:
        raise BadLine(f"not UTF-8 at byte {error.start + 1}") from None
    if _UNREADABLE.search(text.replace("\t", " ")):
        raise BadLine("a control character")
    return text


def _split(text: str) -> Sequence[str]:
    if '"' not in text:
        return text.split(",")
    try:
        return next(csv.reader([text], strict=True))
    except csv.Error as error:
        raise BadLine(f"not CSV: {error}") from None


def _cells(raw: bytes, header: Sequence[str]) -> Mapping[str, str]:
    cells = _split(_decoded(raw))
    if len(cells) != len(header):
        raise BadLine(f"{_columns(len(cells))} where the header has {len(header)}")
    return {name: cell.strip() for name, cell in zip(header, cells, strict=True)}


def _columns(count: int) -> str:
    return "1 column" if count == 1 else f"{count} columns"


def _purchase(cells: Mapping[str, str], time_zone: tzinfo) -> Purchase:
    customer, number = (_name(cells, column) for column in _IDENTIFYING)
    if customer is None and number is None:
        raise BadLine("no customer")
    return Purchase(
        customer=customer,
        number=number,
        event_at=_instant(cells["date"], time_zone),
        amount=_micros(cells["amount"]),
        reference=_name(cells, "reference") or "",
    )


def _name(cells: Mapping[str, str], column: str) -> str | None:
    name = cells.get(column) or None
    if name is not None and len(name) > MAX_NAME:
        raise BadLine(f"the {column} is longer than {MAX_NAME} characters")
    return name


def _instant(text: str, time_zone: tzinfo) -> datetime:
    if not text:
        raise BadLine("no date")
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise BadLine(f'"{_short(text)}" is not a date like 1997-12-31') from None
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=time_zone)
    if instant < EARLIEST:
        raise BadLine(f"the date {_short(text)} is before {EARLIEST:%Y}")
    return instant


def _micros(text: str) -> int:
    """An amount in micro-units of the settlement currency, exact."""
    if not text:
        raise BadLine("no amount")
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise BadLine(f'"{_short(text)}" is not an amount like 11.77')
    micros = int(match["whole"]) * MICRO + int((match["part"] or "").ljust(6, "0"))
    if match["sign"] == "-" and micros:
        raise BadLine(f"the amount {text} is negative")
    if micros // MICRO > MAX_POINTS:
        raise BadLine(f"the amount {text} is too large")
    return micros


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"


class _Repeats:
    """Counts what lines say, so that two alike purchases without a reference stay two.

    In a database of its own, temporary, that goes to disk once it outgrows a small cache.
    """

    def __init__(self, time_zone: tzinfo) -> None:
        self._time_zone = time_zone
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute(
            "CREATE TABLE said (digest BLOB PRIMARY KEY, times INTEGER) WITHOUT ROWID"
        )

    def close(self) -> None:
        self._database.close()

    def named(self, purchase: Purchase) -> Purchase:
        """The purchase with a reference: the one given, or else one made of what the line says
        and how often the file has said it, like `row/00002/1997-01-12/77/1`."""
        if purchase.reference:
            return purchase
        local = purchase.event_at.astimezone(self._time_zone)
        when = local.date() if local.time() == time.min else local.isoformat()
        who = purchase.customer or purchase.number
        said = f"{DERIVED}/{who}/{when}/{decimal_of(purchase.amount)}"
        (times,) = self._database.execute(
            "INSERT INTO said VALUES (?, 1) ON CONFLICT DO UPDATE SET times = times + 1"
            " RETURNING times",
            (blake2b(said.encode(), digest_size=16).digest(),),
        ).fetchone()
        return replace(purchase, reference=f"{said}/{times}")

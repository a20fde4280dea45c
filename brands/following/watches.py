"""What can be watched in the feed, and how whatever concerns it is read, a page at a time.

Each transaction has a position in its book: 1, 2, 3 and so on in the order of commits, so whoever
has seen one has seen, or could have seen, all before it. A cursor says how far one has come.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol
from uuid import UUID

from brands.clock import Micros
from brands.database import Database, as_uuid
from brands.ids import book_of

PAGE = 100
"""Events in a page of a membership or a transfer, at most."""

STRIDE = 32
"""Transactions of each book that are looked through for a page of a brand's."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far one has come: (book, position) of each book watched, in the order of books."""

    positions: tuple[tuple[int, int], ...]

    def having(self, book: int, position: int) -> "Cursor":
        """The same, but for one book."""
        return Cursor(
            tuple((each, position if each == book else at) for each, at in self.positions)
        )


@dataclass(frozen=True, slots=True)
class Event:
    """A transaction was posted. With `cursor` one goes on after it."""

    book: int
    position: int
    transaction_id: UUID
    cursor: Cursor


@dataclass(frozen=True, slots=True)
class MembershipWatch:
    """All that moves the points of one membership."""

    membership_id: UUID
    looks_through: ClassVar[bool] = False

    @property
    def topics(self) -> tuple[UUID, ...]:
        return (self.membership_id,)

    def books(self, _: int) -> tuple[int, ...]:
        return (book_of(self.membership_id),)

    def reader(self, database: Database, cursor: Cursor) -> "Reader":
        return _MembershipReader(database, self.membership_id, cursor)


@dataclass(frozen=True, slots=True)
class BrandWatch:
    """All that moves the points of a brand, or its money."""

    brand_id: UUID
    looks_through: ClassVar[bool] = True

    @property
    def topics(self) -> tuple[UUID, ...]:
        return (self.brand_id,)

    def books(self, books: int) -> tuple[int, ...]:
        return tuple(range(books))

    def reader(self, database: Database, cursor: Cursor) -> "Reader":
        return _BrandReader(database, self.brand_id, cursor)


@dataclass(frozen=True, slots=True)
class TransferWatch:
    """The transactions by which points leave and arrive, and what takes them back."""

    departure: UUID
    arrival: UUID | None
    looks_through: ClassVar[bool] = False

    @property
    def topics(self) -> tuple[UUID, ...]:
        return (self.departure,) if self.arrival is None else (self.departure, self.arrival)

    def books(self, _: int) -> tuple[int, ...]:
        return tuple(sorted({book_of(id) for id in self.topics}))

    def reader(self, database: Database, cursor: Cursor) -> "Reader":
        return _TransferReader(database, self.topics, cursor)


class Watch(Protocol):
    """One of the above. `topics` are the ids by which an event is seen to concern it, `books` those
    in which that can happen, out of so many. Some can only be read by looking through them all."""

    looks_through: ClassVar[bool]

    @property
    def topics(self) -> tuple[UUID, ...]: ...
    def books(self, books: int, /) -> tuple[int, ...]: ...
    def reader(self, database: Database, cursor: Cursor) -> "Reader": ...


class Reader(Protocol):
    """Reads on where it last stopped."""

    async def page(self) -> tuple[Sequence[Event], bool]:
        """Some of the events that come next, and whether there may be more by now."""


class _MembershipReader:
    """Goes along the entries of the account: their order is that of the positions."""

    def __init__(self, database: Database, account: UUID, cursor: Cursor) -> None:
        self._database = database
        self._place = (book_of(account), account)
        self._cursor = cursor
        self._last: tuple[Micros, int] | None = None
        """When the last entry read was recorded, and its version."""

    async def page(self) -> tuple[Sequence[Event], bool]:
        if self._last is None:
            self._last = await self._beginning()
        rows = await self._database.fetch(_ENTRIES, *self._place, *self._last, PAGE)
        events = []
        for row in rows:
            self._cursor = self._cursor.having(self._place[0], row["position"])
            self._last = row["recorded_at"], row["version"]
            events.append(Event(self._place[0], row["position"], as_uuid(row["id"]), self._cursor))
        return events, len(events) == PAGE

    async def _beginning(self) -> tuple[Micros, int]:
        ((_, position),) = self._cursor.positions
        rows = await self._database.fetch(_LAST_ENTRY, *self._place, position)
        return (rows[0]["recorded_at"], rows[0]["version"]) if rows else (-1, -1)


_LAST_ENTRY = """
SELECT e.recorded_at, e.version
FROM entries e JOIN transactions t ON t.book = e.book AND t.id = e.transaction_id
WHERE e.book = $1 AND e.account_id = $2 AND coalesce(t.position, 0) <= $3
ORDER BY e.recorded_at DESC, e.version DESC LIMIT 1
"""
"""Found from the newest backwards: it takes as long as there is much to be read after it."""

_ENTRIES = """
SELECT t.position, t.id, e.recorded_at, e.version
FROM entries e JOIN transactions t ON t.book = e.book AND t.id = e.transaction_id
WHERE e.book = $1 AND e.account_id = $2 AND (e.recorded_at, e.version) > ($3, $4)
ORDER BY e.recorded_at, e.version LIMIT $5
"""


class _TransferReader:
    """Looks up the few transactions that there can be."""

    def __init__(self, database: Database, ids: Sequence[UUID], cursor: Cursor) -> None:
        self._database = database
        self._ids = ids
        self._cursor = cursor

    async def page(self) -> tuple[Sequence[Event], bool]:
        books = sorted({book_of(id) for id in self._ids})
        rows = await self._database.fetch(_CONCERNED, books, list(self._ids))
        seen = dict(self._cursor.positions)
        events: list[Event] = []
        for row in rows:
            book, position = row["book"], row["position"]
            if position > seen[book] and len(events) < PAGE:
                self._cursor = self._cursor.having(book, position)
                events.append(Event(book, position, as_uuid(row["id"]), self._cursor))
        return events, len(events) == PAGE


_CONCERNED = """
SELECT book, position, id FROM transactions
WHERE book = ANY($1::smallint[]) AND id = ANY($2::uuid[]) AND position IS NOT NULL
UNION
SELECT book, position, id FROM transactions
WHERE book = ANY($1::smallint[]) AND reverses = ANY($2::uuid[]) AND position IS NOT NULL
ORDER BY book, position
"""


class _BrandReader:
    """Looks through all books, the next few transactions of each at a time."""

    def __init__(self, database: Database, brand: UUID, cursor: Cursor) -> None:
        self._database = database
        self._brand = brand
        self._seen = dict(cursor.positions)

    async def page(self) -> tuple[Sequence[Event], bool]:
        at = dict(self._seen)
        sql = _OF_BRAND.format(next_of_each=next_of_each(self._database))
        rows = await self._database.fetch(sql, list(at), list(at.values()), STRIDE, self._brand)
        events = []
        for row in rows:
            if row["position"] is None:  # nothing new in that book
                continue
            at[row["book"]] = row["position"]
            if row["concerned"]:
                cursor = Cursor(tuple(at.items()))
                events.append(Event(row["book"], row["position"], as_uuid(row["id"]), cursor))
        self._seen = at
        return events, any(row["last"] > at[row["book"]] for row in rows)


_OF_BRAND = """
SELECT f.book, f.position AS last, t.position, t.id, (
    SELECT count(*) FROM entries e JOIN accounts a ON a.book = e.book AND a.id = e.account_id
    WHERE e.book = t.book AND e.transaction_id = t.id AND (a.unit = $4 OR a.owner_id = $4)
) > 0 AS concerned
FROM {next_of_each}
ORDER BY f.book, t.position
"""


def next_of_each(database: Database) -> str:
    """What SQL says of the feeds `f` of some books, and of the transactions `t` that come next in
    each: $1 are the books, $2 the positions in them, $3 is how many are read, at most, of each."""
    return _NEXT_ON_SQLITE if database.is_sqlite else _NEXT_ON_POSTGRES


_NEXT_ON_POSTGRES = """
unnest($1::smallint[], $2::bigint[]) AS asked (book, position)
JOIN feeds f ON f.book = asked.book
LEFT JOIN LATERAL (
    SELECT n.book, n.position, n.id, n.reverses FROM transactions n
    WHERE n.book = f.book AND n.position > asked.position ORDER BY n.position LIMIT $3
) t ON true
"""

_NEXT_ON_SQLITE = """
json_each($1) AS books JOIN json_each($2) AS positions ON positions.key = books.key
JOIN feeds f ON f.book = books.value
LEFT JOIN transactions t ON t.book = f.book
    AND t.position > positions.value AND t.position <= positions.value + $3
"""

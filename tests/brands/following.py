"""Followers of the feed, and processes that post, for tests of it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

from brands.database import Database, as_uuid
from brands.following.feed import Feed
from brands.following.watches import Cursor, Event, Watch

PATIENCE_SECONDS = 60


class Following:
    """What a follower has seen so far."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.failure: Exception | None = None
        self._came = asyncio.Event()

    def see(self, events: Sequence[Event]) -> None:
        """Some more."""
        self.events += events
        self._came.set()

    def fail(self, failure: Exception) -> None:
        """It is over."""
        self.failure = failure
        self._came.set()

    @property
    def ids(self) -> list[UUID]:
        """The transactions seen, in the order in which they were."""
        return [event.transaction_id for event in self.events]

    async def until(self, count: int, *, seconds: float = PATIENCE_SECONDS) -> list[UUID]:
        """Waits until so many events have come; the transactions."""
        async with asyncio.timeout(seconds):
            while len(self.events) < count:
                if self.failure is not None:
                    raise self.failure
                self._came.clear()
                await self._came.wait()
        return self.ids


@asynccontextmanager
async def following(
    feed: Feed, watch: Watch, after: Cursor | None = None
) -> AsyncIterator[Following]:
    """A follower who reads whatever comes after the cursor, or from now on."""
    seen = Following()
    cursor = await feed.start(watch, after)

    async def follow() -> None:
        try:
            async for events in feed.pages(watch, cursor):
                seen.see(events)
        except Exception as failure:
            seen.fail(failure)

    task = asyncio.create_task(follow())
    try:
        yield seen
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def read_on(feed: Feed, watch: Watch, after: Cursor, count: int) -> list[Event]:
    """The next so many events after a cursor."""
    async with following(feed, watch, after) as seen:
        await seen.until(count)
        return seen.events


def beginning(watch: Watch, books: int) -> Cursor:
    """The cursor before all that was ever posted."""
    return Cursor(tuple((book, 0) for book in watch.books(books)))


async def posted_to(database: Database, condition: str, *values: object) -> list[UUID]:
    """The transactions with an entry of which the condition holds, book by book in the order of
    their positions."""
    rows = await database.fetch(
        "SELECT DISTINCT t.book, t.position, t.id FROM transactions t"
        " JOIN entries e ON e.book = t.book AND e.transaction_id = t.id"
        " JOIN accounts a ON a.book = e.book AND a.id = e.account_id"
        f" WHERE {condition} ORDER BY t.book, t.position",
        *values,
    )
    return [as_uuid(row["id"]) for row in rows]


def in_order(events: Sequence[Event]) -> bool:
    """Whether no event of a book comes before an earlier one, or twice."""
    last: dict[int, int] = {}
    for event in events:
        if event.position <= last.get(event.book, 0):
            return False
        last[event.book] = event.position
    return True


def book_by_book(events: Sequence[Event]) -> list[UUID]:
    """The transactions of events, in the order of books; within one as they came."""
    return [event.transaction_id for event in sorted(events, key=lambda event: event.book)]

"""The feed: whatever is posted reaches those who follow it, at least once, in the order of commits.

Events are the transactions themselves: each is given a position in its book when it is posted.
Whoever follows reads them from the database, from where he stands, a page at a time; so one who is
slow keeps nobody waiting, and one who comes back with a cursor misses nothing. All that goes around
is the news that there is something to read, and it may get lost: somebody looks each second anyway.
One task per process looks at what is new and wakes those whom it concerns, and nobody else; while
nobody follows, there is none.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence, Set
from contextlib import suppress
from itertools import chain
from secrets import token_hex
from typing import TypeVar
from uuid import UUID

import orjson

from brands.database import Database, as_uuid
from brands.errors import InvalidInput
from brands.following.listening import LOST, Line
from brands.following.watches import Cursor, Event, Reader, Watch, next_of_each

CHANNEL = "feed"

POLL_SECONDS = 1.0
"""How long news takes, at most, that nobody was told of."""

PAUSE_SECONDS = 0.05
"""Between two looks at what is new, and between telling other processes twice: however much is
posted, they are as many. Whatever is posted after a pause is told and looked at immediately."""

LINGER_SECONDS = 30.0
"""How long one goes on listening when nobody follows any more."""

LOOKED_THROUGH = 256
"""Transactions of each book in which one look finds out whom they concern. Where there are more,
everybody who follows something in that book is woken."""

CATCH_UP = 256
"""Those who look through whole books do so at least whenever so much has gathered in one, though it
may not concern them: else it would take them long when something does."""

READERS = 3
"""Pages read at once; the database has others to serve."""


PATIENCE_SECONDS = 10.0
"""How long a page is tried again while the database is out of reach."""


class _Follower:
    """Who follows a watch, and whether there may be something to read for him."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.woken = asyncio.Event()


class Feed:
    """The feed of one process, which has one event loop. `posted` is what the ledger tells."""

    def __init__(self, database: Database, books: int) -> None:
        self._database = database
        self._books = books
        self._name = token_hex(4)
        self._line = None if database.is_sqlite else Line(database.target.url, CHANNEL, self._heard)
        self._followers: dict[UUID, set[_Follower]] = {}
        self._in_book: dict[int, set[_Follower]] = {}
        self._looked: dict[int, int] = {}
        """Up to which position of each book that is followed it is known whom it concerns."""
        self._news = asyncio.Event()
        self._untold: set[int] = set()
        self._looking: asyncio.Task[None] | None = None
        self._listening: asyncio.Task[None] | None = None
        self._telling: asyncio.Task[None] | None = None
        self._turns = asyncio.Semaphore(READERS)
        self._closed = False

    # Following.

    async def start(self, watch: Watch, after: Cursor | None = None) -> Cursor:
        """Where to begin: at the cursor that somebody came back with, or at the present.

        Raises `InvalidInput` for a cursor that is none of this watch.
        """
        books = watch.books(self._books)
        last = await self._last(books)
        if after is None:
            return Cursor(tuple(last.items()))
        if [book for book, _ in after.positions] != list(books) or not all(
            0 <= position <= last[book] for book, position in after.positions
        ):
            raise InvalidInput(path="after", reason="This is no cursor of this subscription.")
        return after

    async def pages(
        self, watch: Watch, after: Cursor | None = None
    ) -> AsyncGenerator[Sequence[Event], None]:
        """All that concerns a watch after the cursor (from now on, if there is none), page by
        page, until the feed is closed. Raises as `start` does, and if the database stays away."""
        follower = _Follower(watch)
        self._join(follower)
        try:
            cursor = await self.start(watch, after)
            reader = watch.reader(self._database, cursor)
            await self._look_from_here(follower)
            while not self._closed:
                follower.woken.clear()
                events, more = await self._read(reader)
                if events:
                    yield events
                if not more:
                    await follower.woken.wait()
        finally:
            self._leave(follower)

    async def _last(self, books: Sequence[int]) -> dict[int, int]:
        rows = await self._database.fetch(
            "SELECT book, position FROM feeds WHERE book = ANY($1::smallint[])", list(books)
        )
        known = {row["book"]: row["position"] for row in rows}
        return {book: known.get(book, 0) for book in books}

    async def _read(self, reader: Reader) -> tuple[Sequence[Event], bool]:
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + PATIENCE_SECONDS
        while True:
            try:
                async with self._turns:
                    return await reader.page()
            except LOST:
                if self._closed or loop.time() > give_up_at:
                    raise
            await asyncio.sleep(POLL_SECONDS)

    def _join(self, follower: _Follower) -> None:
        for topic in follower.watch.topics:
            self._followers.setdefault(topic, set()).add(follower)
        for book in follower.watch.books(self._books):
            self._in_book.setdefault(book, set()).add(follower)

    async def _look_from_here(self, follower: _Follower) -> None:
        """What is in the database by now, the follower finds by himself."""
        for book, position in (await self._last(follower.watch.books(self._books))).items():
            self._looked.setdefault(book, position)
        if self._looking is None and not self._closed:
            self._looking = asyncio.create_task(self._keep_looking())
        self._news.set()

    def _leave(self, follower: _Follower) -> None:
        for topic in follower.watch.topics:
            _take_out(self._followers, topic, follower)
        for book in follower.watch.books(self._books):
            _take_out(self._in_book, book, follower)
            if book not in self._in_book:
                self._looked.pop(book, None)

    # Finding out what is new, and whom it concerns.

    def posted(self, books: Set[int]) -> None:
        """Something has been posted in these books, by this process. Returns at once."""
        if not books:
            return
        if not self._looked.keys().isdisjoint(books):
            self._news.set()
        if self._line is not None:
            self._untold |= books
            if self._telling is None:
                self._telling = asyncio.create_task(self._tell(self._line))

    async def _tell(self, line: Line) -> None:
        """Tells the other processes, which may not be told: then they find out by themselves."""
        try:
            while self._untold:
                said = f"{self._name}:{','.join(map(str, sorted(self._untold)))}"
                self._untold = set()
                with suppress(*LOST):
                    await line.say(said)
                await asyncio.sleep(PAUSE_SECONDS)
        finally:
            self._telling = None

    def _heard(self, said: str) -> None:
        name, _, books = said.partition(":")
        if not said or (
            name != self._name and not set(books.split(",")).isdisjoint(map(str, self._looked))
        ):
            self._news.set()

    async def _keep_looking(self) -> None:
        if self._line is not None:
            self._listening = asyncio.create_task(self._line.listen())
        while await self._is_there_news():
            self._news.clear()
            try:
                await self._look()
            except Exception:  # whatever it is: if it stays, they will meet it too, and tell
                for followers in self._in_book.values():
                    self._wake(followers)
                await asyncio.sleep(POLL_SECONDS)
            await asyncio.sleep(PAUSE_SECONDS)
        self._looking = None
        if self._listening is not None:
            self._listening.cancel()

    async def _is_there_news(self) -> bool:
        """Waits until there is, or may be: as long as somebody follows, one goes and sees."""
        followed = bool(self._in_book)
        try:
            async with asyncio.timeout(POLL_SECONDS if followed else LINGER_SECONDS):
                await self._news.wait()
        except TimeoutError:
            return followed or bool(self._in_book)
        return True

    async def _look(self) -> None:
        """Wakes those whom it concerns what is new."""
        before = dict(self._looked)
        if not before:
            return
        rows = await self._database.fetch(
            self._whom_it_concerns(), list(before), list(before.values()), LOOKED_THROUGH
        )
        concerned = {id for row in rows for name in _IDS for id in _ids(row.get(name))}
        for id in concerned & self._followers.keys():
            self._wake(self._followers[id])
        for book, last in {row["book"]: row["last"] for row in rows}.items():
            if book not in self._looked:
                continue
            self._looked[book] = max(self._looked[book], last)
            if last > before[book] + LOOKED_THROUGH:
                self._wake(self._in_book[book])
            elif last // CATCH_UP > before[book] // CATCH_UP:
                self._wake(each for each in self._in_book[book] if each.watch.looks_through)

    def _whom_it_concerns(self) -> str:
        is_sqlite = self._database.is_sqlite
        brands = any(each.watch.looks_through for each in chain(*self._in_book.values()))
        return (_AND_WHICH_BRANDS if brands else _WHOM_IT_CONCERNS).format(
            next_of_each=next_of_each(self._database),
            all_of="json_group_array" if is_sqlite else "array_agg",
        )

    def _wake(self, followers: Iterable[_Follower]) -> None:
        for follower in followers:
            follower.woken.set()

    async def close(self) -> None:
        """Ends all that is followed, and tells the other processes what they have not been told."""
        self._closed = True
        for followers in self._in_book.values():
            self._wake(followers)
        tasks = [task for task in (self._looking, self._listening) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._telling is not None:
            await asyncio.wait([self._telling], timeout=POLL_SECONDS)
        if self._line is not None:
            self._line.close()


_IDS = ("ids", "reversed", "accounts", "units", "owners")

_WHOM_IT_CONCERNS = """
SELECT f.book, f.position AS last, {all_of}(t.id) AS ids, {all_of}(t.reverses) AS reversed,
       {all_of}(e.account_id) AS accounts
FROM {next_of_each}
LEFT JOIN entries e ON e.book = t.book AND e.transaction_id = t.id
GROUP BY f.book, f.position
"""

_AND_WHICH_BRANDS = """
SELECT f.book, f.position AS last, {all_of}(t.id) AS ids, {all_of}(t.reverses) AS reversed,
       {all_of}(e.account_id) AS accounts, {all_of}(a.unit) AS units, {all_of}(a.owner_id) AS owners
FROM {next_of_each}
LEFT JOIN entries e ON e.book = t.book AND e.transaction_id = t.id
LEFT JOIN accounts a ON a.book = e.book AND a.id = e.account_id
GROUP BY f.book, f.position
"""


def _ids(column: Sequence[UUID | None] | str | None) -> Iterable[UUID]:
    """Ids as either database lists them."""
    listed = orjson.loads(column) if isinstance(column, str) else column or ()
    return (as_uuid(id) for id in listed if id is not None)


_Key = TypeVar("_Key")


def _take_out(followers: dict[_Key, set[_Follower]], key: _Key, follower: _Follower) -> None:
    of_key = followers.get(key, set())
    of_key.discard(follower)
    if not of_key:
        followers.pop(key, None)

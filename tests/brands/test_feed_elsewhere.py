"""What other processes post is followed too: told by NOTIFY, found by polling if that is lost."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from brands.coalition import Coalition, open_coalition
from brands.database import open_database
from brands.following import feed as feed_module
from brands.following.feed import Feed
from brands.following.listening import Line
from brands.following.watches import BrandWatch, MembershipWatch, Watch
from brands.ids import book_of
from brands.ledger.writer import Ledger
from tests.brands.following import (
    beginning,
    book_by_book,
    following,
    in_order,
    posted_to,
)
from tests.brands.ledger.books import make, some_books
from tests.brands.ledger.test_chaos import at_work, killing_backends, planned
from tests.brands.stage import Person, enrol, give, open_brands
from tests.postgres import Databases

LISTENERS = """
SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'
"""


@pytest.fixture
async def here(coalition_on_postgres: Coalition) -> Coalition:
    """The process that follows."""
    await open_brands(coalition_on_postgres)
    return coalition_on_postgres


@pytest.fixture
async def there(here: Coalition, postgres_url: str) -> AsyncIterator[Coalition]:
    """Another, which posts."""
    opened = await open_coalition(postgres_url)
    try:
        yield opened
    finally:
        await opened.close()


@pytest.fixture
async def someone(here: Coalition) -> Person:
    """A member."""
    return await enrol(here, "AERO")


async def test_what_processes_post_in_chaos_is_seen_once_and_in_order(
    postgres: Databases, tmp_path: Path
) -> None:
    """While several processes post all kinds of things and connections are cut at random, theirs
    and the followers', each follower sees whatever concerns him once: in the order of positions
    in each book, and of the versions of each account."""
    books = some_books(postgres.fresh_database(), 4, members=8)
    await make(books)
    database = await open_database(books.url)
    feed = Feed(database, books.count)
    plans = planned(books, tmp_path, processes=3, operations=600, in_flight=32)
    accounts = [account for member in books.members for account in member.accounts]
    watches: list[Watch] = [BrandWatch(brand.id) for brand in books.brands]
    watches += [MembershipWatch(account) for account in accounts]
    try:
        async with AsyncExitStack() as followed:
            seen = [
                await followed.enter_async_context(following(feed, watch, beginning(watch, 4)))
                for watch in watches
            ]
            async with at_work(plans) as processes:
                assert await killing_backends(books.url, processes) > 0
            for watch, follower in zip(watches, seen, strict=True):
                (topic,) = watch.topics
                concerned = await posted_to(database, "$1 IN (a.id, a.unit, a.owner_id)", topic)
                await follower.until(len(concerned))
                assert in_order(follower.events)
                assert book_by_book(follower.events) == concerned
        everything = await database.fetch("SELECT id FROM transactions")
        assert {id for each in seen[:3] for id in each.ids} == {row["id"] for row in everything}
        assert await books.broken_laws() == []
    finally:
        await feed.close()
        await database.close()
    postgres.drop_database(books.url)


async def test_others_are_told_at_once(
    here: Coalition, there: Coalition, someone: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """News from another process need not wait until somebody looks."""
    monkeypatch.setattr(feed_module, "POLL_SECONDS", 60.0)
    async with following(here.feed, MembershipWatch(someone.at["AERO"])) as seen:
        await listener(here)
        made = await give(there, someone, "AERO", 1)
        assert await seen.until(1, seconds=5) == [made]


async def test_news_that_nobody_told_is_found(here: Coalition, someone: Person) -> None:
    """Who posts and dies before he can tell delays his news by a second, and loses nothing."""
    ledger = await Ledger.open(here.database.target.url, books=here.books)
    silent = replace(here, ledger=ledger)
    try:
        async with following(here.feed, MembershipWatch(someone.at["AERO"])) as seen:
            await listener(here)
            await asyncio.sleep(0.5)  # by then whoever looked has seen that there is nothing
            made = await give(silent, someone, "AERO", 1)
            began = time.monotonic()
            assert await seen.until(1) == [made]
            assert time.monotonic() - began < 3
    finally:
        await ledger.close()


async def test_a_lost_connection_is_made_again(
    here: Coalition, there: Coalition, someone: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the connection that listens is cut, one listens again soon, and has missed nothing."""
    monkeypatch.setattr(feed_module, "POLL_SECONDS", 60.0)
    async with following(here.feed, MembershipWatch(someone.at["AERO"])) as seen:
        made = []
        for number in range(1, 4):
            pid = await listener(here)
            await here.database.fetch("SELECT pg_terminate_backend($1)", pid)
            made.append(await give(there, someone, "AERO", 1))
            await seen.until(number, seconds=10)
            assert await listener(here) != pid
        assert seen.ids == made


async def test_others_are_told_seldom(
    here: Coalition, someone: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much is posted, others are told of it some twenty times a second at most."""
    told = []
    say = Line.say

    async def counted(self: Line, words: str) -> None:
        told.append(words)
        await say(self, words)

    monkeypatch.setattr(Line, "say", counted)
    began = time.monotonic()
    await asyncio.gather(*(give(here, someone, "AERO", 1) for _ in range(300)))
    for _ in range(50):
        await give(here, someone, "AERO", 1)
    elapsed = time.monotonic() - began
    assert 1 <= len(told) <= elapsed / feed_module.PAUSE_SECONDS + 1
    assert {words.partition(":")[2] for words in told} == {str(book_of(someone.id))}


async def listener(coalition: Coalition) -> int:
    """The backend that listens, once it does."""
    async with asyncio.timeout(10):
        while not (rows := await coalition.database.fetch(LISTENERS)):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return int(rows[0]["pid"])

"""The feed: each transaction reaches whoever follows it, in the order of commits."""

import asyncio
import gc
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

import pytest

from brands.coalition import Coalition, open_coalition
from brands.database import Row, Transaction
from brands.errors import InvalidInput
from brands.following import feed as feed_module
from brands.following.feed import CHANNEL
from brands.following.watches import (
    PAGE,
    BrandWatch,
    Cursor,
    Event,
    MembershipWatch,
    TransferWatch,
    Watch,
)
from brands.ids import new_id
from brands.moving.transferring import reverse as reverse_transfer
from tests.brands.following import (
    beginning,
    following,
    in_order,
    read_on,
)
from tests.brands.sending import scene, sent
from tests.brands.stage import (
    OPERATOR,
    Person,
    enrol,
    enrol_beside,
    give,
    key,
    open_brands,
    require_sound,
)

LISTENING = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE $1"


@pytest.fixture
async def someone(coalition: Coalition) -> Person:
    """A member at two of four brands."""
    await open_brands(coalition)
    return await enrol(coalition, "AERO", "HOTEL")


def everyone_of(coalition: Coalition, code: str) -> BrandWatch:
    """All that moves points of a brand, or its money."""
    return BrandWatch(coalition.registry.snapshot.brand(code).id)


async def test_what_is_posted_comes_in_the_order_of_commits(
    coalition: Coalition, someone: Person
) -> None:
    """Whoever follows a membership or a brand sees each transaction that concerns it, once, as it
    is posted; and nothing else."""
    other = await enrol(coalition, "AERO")
    feed, account = coalition.feed, someone.at["AERO"]
    async with (
        following(feed, MembershipWatch(account)) as hers,
        following(feed, everyone_of(coalition, "AERO")) as aero,
        following(feed, everyone_of(coalition, "GROCER")) as grocer,
    ):
        made = [await give(coalition, someone, "AERO", 10) for _ in range(5)]
        elsewhere = await give(coalition, someone, "HOTEL", 10)
        others = await give(coalition, other, "AERO", 10)
        made.append(await give(coalition, someone, "AERO", 10))
        assert await hers.until(6) == made
        await aero.until(7)
        assert set(aero.ids) == {*made, others}
        assert in_order(hers.events)
        assert in_order(aero.events)
        assert elsewhere not in aero.ids
        assert grocer.ids == []


async def test_a_cursor_leads_on_from_any_event(coalition: Coalition) -> None:
    """With the cursor of each event one gets exactly what comes after it: of a membership, of a
    brand in all books, and of a transfer."""
    it = await scene(coalition)
    given = await sent(coalition, it, it.gift(500))
    for points in (50, 100):
        await reverse_transfer(coalition, OPERATOR, given.id, points, "a mistake", key())
    for _ in range(2 * PAGE):
        await give(coalition, it.ada, "AERO", 1)
    for watch, count in (
        (MembershipWatch(it.ada.at["AERO"]), 1 + 1 + 2 + 2 * PAGE),
        (everyone_of(coalition, "AERO"), 1 + 2 * 3 + 2 * PAGE),
        (TransferWatch(given.departure, given.arrival), 2 * 3),
    ):
        start = beginning(watch, coalition.books)
        events = await read_on(coalition.feed, watch, start, count)
        assert len(events) == count
        assert in_order(events)
        for number in {*range(0, count, 17), count - 1}:
            rest = count - number - 1
            found = await read_on(coalition.feed, watch, events[number].cursor, rest)
            assert sorted(e.transaction_id for e in found) == sorted(
                e.transaction_id for e in events[number + 1 :]
            )
    await require_sound(coalition)


async def test_all_of_a_transfer_is_followed(coalition: Coalition) -> None:
    """Whoever follows a transfer sees its points arrive and be taken back, on both sides."""
    it = await scene(coalition)
    given = await sent(coalition, it)
    watch = TransferWatch(given.departure, given.arrival)
    async with following(coalition.feed, watch) as seen:
        await sent(coalition, it)
        await give(coalition, it.ada, "AERO", 1)
        await reverse_transfer(coalition, OPERATOR, given.id, None, "a mistake", key())
        await seen.until(2)
        reversals = await coalition.database.fetch(
            "SELECT id FROM transactions WHERE reverses = ANY($1::uuid[])",
            [given.departure, given.arrival],
        )
    assert {str(id) for id in seen.ids} == {str(row["id"]) for row in reversals}


async def test_no_reader_sees_a_position_before_an_earlier_one(
    url: str, coalition: Coalition, someone: Person
) -> None:
    """While several writers post at once, whatever can be read of a book is complete up to the
    last position that can be."""
    people = [await enrol(coalition, "AERO") for _ in range(12)]
    async with AsyncExitStack() as opened:
        writers = [coalition]
        for _ in range(2):
            writers.append(await open_coalition(url))
            opened.push_async_callback(writers[-1].close)
        posting = asyncio.gather(
            *(give(writers[number % 3], people[number % 12], "AERO", 1) for number in range(600))
        )
        looks = 0
        while not posting.done():
            rows = await coalition.database.fetch(
                "SELECT t.book, count(*) AS n, max(t.position) AS last, f.position"
                " FROM transactions t JOIN feeds f ON f.book = t.book GROUP BY t.book, f.position"
            )
            assert all(row["n"] == row["last"] == row["position"] for row in rows)
            looks += 1
        assert len(set(await posting)) == 600
        assert looks > 5
    await require_sound(coalition)


async def test_who_never_reads_holds_up_nobody(coalition: Coalition, someone: Person) -> None:
    """A follower who stopped reading keeps one page in memory and no connection; others are told
    at once, and he goes on where he stopped."""
    feed, watch = coalition.feed, MembershipWatch(someone.at["AERO"])
    idle = feed.pages(watch, await feed.start(watch))
    made = [await give(coalition, someone, "AERO", 1) for _ in range(3)]
    assert [event.transaction_id for event in await anext(idle)] == made
    ids = await asyncio.gather(*(give(coalition, someone, "AERO", 1) for _ in range(3 * PAGE)))
    async with following(feed, watch) as keen:
        ids.append(await give(coalition, someone, "AERO", 1))
        await keen.until(1)
    gc.collect()
    assert sum(isinstance(thing, Event) for thing in gc.get_objects()) <= len(made) + 1
    pages = [await anext(idle) for _ in range(4)]
    assert {event.transaction_id for page in pages for event in page} == set(ids)
    assert max(map(len, pages)) <= PAGE
    await idle.aclose()


@pytest.mark.parametrize("of_whom", ["the membership", "the brand", "a transfer"])
async def test_a_cursor_of_something_else_is_refused(
    coalition: Coalition, someone: Person, of_whom: str
) -> None:
    """A cursor with other books, or beyond what was posted, is no cursor."""
    watch: Watch = MembershipWatch(someone.at["AERO"])
    if of_whom == "the brand":
        watch = everyone_of(coalition, "AERO")
    elif of_whom == "a transfer":
        watch = TransferWatch(new_id(0), None)
    good = await coalition.feed.start(watch)
    assert await coalition.feed.start(watch, good) == good
    places = good.positions
    for bad in (
        (),
        (*places, (1_000, 0)),
        ((places[0][0], places[0][1] + 1), *places[1:]),
        ((places[0][0], -1), *places[1:]),
        tuple((book + 1, position) for book, position in places),
    ):
        with pytest.raises(InvalidInput) as refused:
            await coalition.feed.start(watch, Cursor(bad))
        assert refused.value.path == "after"


async def test_closing_ends_whatever_is_followed(coalition: Coalition, someone: Person) -> None:
    """When the feed is closed, whoever waits and whoever has a page in hand comes to the end."""
    feed, watch = coalition.feed, MembershipWatch(someone.at["AERO"])
    now = await feed.start(watch)
    busy, idle = feed.pages(watch, now), feed.pages(watch, now)
    await give(coalition, someone, "AERO", 1)
    assert len(await anext(busy)) == len(await anext(idle)) == 1
    waiting = asyncio.create_task(anext(idle))
    await asyncio.sleep(0.1)
    async with asyncio.timeout(5):
        await feed.close()
        with pytest.raises(StopAsyncIteration):
            await waiting
        for pages in (busy, feed.pages(watch)):
            with pytest.raises(StopAsyncIteration):
                await anext(pages)
    assert not any((feed._followers, feed._in_book, feed._looked))


async def test_nobody_looks_while_nobody_follows(
    coalition: Coalition, someone: Person, statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without followers nothing is read and nobody listens, from some time after the last has
    gone; whoever comes then is served again."""
    monkeypatch.setattr(feed_module, "LINGER_SECONDS", 0.2)
    feed, watch = coalition.feed, MembershipWatch(someone.at["AERO"])
    for _ in range(2):
        async with following(feed, watch) as seen:
            made = await give(coalition, someone, "AERO", 1)
            assert await seen.until(1) == [made]
        await asyncio.sleep(1.5)
        assert feed._looking is None
        statements.clear()
        await give(coalition, someone, "AERO", 1)
        await asyncio.sleep(1.5)
        assert [sql for sql in statements if "feeds" in sql] == []
    if not coalition.database.is_sqlite:
        assert await coalition.database.fetch(LISTENING, f"LISTEN%{CHANNEL}%") == []


async def test_whoever_cannot_be_told_apart_is_woken(
    coalition: Coalition, someone: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When more is new than is looked through, whoever follows looks for himself."""
    monkeypatch.setattr(feed_module, "LOOKED_THROUGH", 2)
    monkeypatch.setattr(feed_module, "PAUSE_SECONDS", 0.5)
    others = await enrol_beside(coalition, someone, "AERO", surname="Other", apart=False)
    async with following(coalition.feed, MembershipWatch(someone.at["AERO"])) as hers:
        for _ in range(9):
            await give(coalition, others, "AERO", 1)
        made = await give(coalition, someone, "AERO", 1)
        for _ in range(3):
            await give(coalition, others, "AERO", 1)
        assert await hers.until(1, seconds=5) == [made]


async def test_whoever_is_not_concerned_keeps_up(
    coalition: Coalition, someone: Person, statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A brand that much is posted beside looks through it from time to time."""
    monkeypatch.setattr(feed_module, "CATCH_UP", 5)
    async with following(coalition.feed, everyone_of(coalition, "GROCER")) as grocer:
        await asyncio.sleep(0.3)
        statements.clear()
        for _ in range(20):
            await give(coalition, someone, "AERO", 1)
        await asyncio.sleep(0.3)
        assert [sql for sql in statements if "AS concerned" in sql]
        assert grocer.ids == []


async def test_a_short_outage_is_waited_for(
    coalition: Coalition, someone: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the database cannot be read for a while, whoever follows is served afterwards; when it
    stays away, he is told."""
    monkeypatch.setattr(feed_module, "POLL_SECONDS", 0.1)
    fetch, failures = Transaction.fetch, 5

    async def failing(self: Transaction, sql: str, *values: Any) -> Sequence[Row]:
        nonlocal failures
        if "FROM entries" in sql or "JOIN feeds" in sql:
            failures -= 1
            if failures >= 0:
                raise ConnectionResetError
        return await fetch(self, sql, *values)

    monkeypatch.setattr(Transaction, "fetch", failing)
    async with following(coalition.feed, MembershipWatch(someone.at["AERO"])) as seen:
        made = await give(coalition, someone, "AERO", 1)
        assert await seen.until(1) == [made]
        assert failures <= 0
        monkeypatch.setattr(feed_module, "PATIENCE_SECONDS", 0.3)
        failures = 1_000
        await asyncio.sleep(0.5)  # whatever was being read has been read by then
        await give(coalition, someone, "AERO", 1)
        with pytest.raises(ConnectionResetError):
            await seen.until(2, seconds=10)

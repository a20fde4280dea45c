"""Positions in the feed: dense in each book, in the order of commits, whoever posts."""

import asyncio
from pathlib import Path

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tortoise.migrations.executor import MigrationExecutor, MigrationTarget

from brands.database import _tortoise_config, migrate, open_database
from brands.ids import new_id
from brands.ledger.audit import audit
from brands.ledger.commands import Post, Reverse, Shortfall
from brands.ledger.rows import queued
from brands.ledger.writer import Ledger
from tests.brands.ledger.asking import accrual, redemption, reverse
from tests.brands.ledger.books import Books
from tests.brands.ledger.proxy import waiting_for_a_lock


@given(st.lists(st.integers(0, 3)), st.lists(st.integers(0, 50), min_size=4, max_size=4))
def test_a_batch_goes_on_where_its_books_stand(books: list[int], before: list[int]) -> None:
    """Each transaction of a batch gets the next position of its book, in the order of the batch;
    books come in their order, which is that of all writers."""
    transactions = [(book, number) for number, book in enumerate(books)]
    advanced, rows = queued(transactions)
    assert list(advanced) == sorted((book, books.count(book)) for book in set(books))
    last = {book: before[book] + count for book, count in advanced}
    next_of = dict(enumerate(before))
    for transaction, (*same, following) in zip(transactions, rows, strict=True):
        assert tuple(same) == transaction
        next_of[transaction[0]] += 1
        assert last[transaction[0]] - following == next_of[transaction[0]]


async def test_a_writer_waits_for_the_position_of_another(postgres_books: Books) -> None:
    """As long as one who has taken a position has not committed, nobody takes the next, whether he
    posts from memory or under locks; and what he then takes follows it."""
    brand, account = postgres_books.brands[0], postgres_books.members[0].accounts[0]
    book = postgres_books.members[0].book
    ledger = await postgres_books.ledger()
    connection = await asyncpg.connect(postgres_books.url)
    try:
        earned = accrual(brand, account, 100)
        (await ledger.submit(earned)).accepted()
        from_memory = redemption(brand, account, 1)
        under_locks = reverse(earned.id, 10, Shortfall.REJECT)
        commands: list[Post | Reverse] = [from_memory, under_locks]
        for number, command in enumerate(commands, start=1):
            await connection.execute("BEGIN")
            await connection.execute(
                "UPDATE feeds SET position = position + 10 WHERE book = $1", book
            )
            task = asyncio.create_task(ledger.submit(command))
            await waiting_for_a_lock(postgres_books.url)
            await connection.execute("COMMIT")
            (await task).accepted()
            rows = await postgres_books.fetch(
                "SELECT position FROM transactions WHERE id = $1", command.id
            )
            assert rows == [{"position": 1 + 11 * number}]
    finally:
        await connection.close()
        await ledger.close()


async def test_what_is_not_posted_takes_no_position(books: Books, ledger: Ledger) -> None:
    """Refusals and replays leave no gap, and batches none."""
    brand, account = books.brands[0], books.members[0].accounts[0]
    first = accrual(brand, account, 10)
    for command in (first, redemption(brand, account, 99), accrual(brand, account, 10)):
        await ledger.submit(command)
        await ledger.submit(first)
    await ledger.submit_many([accrual(brand, account, 1) for _ in range(7)])
    rows = await books.fetch("SELECT position FROM transactions ORDER BY position")
    assert [row["position"] for row in rows] == list(range(1, 10))
    assert await books.broken_laws() == []


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_what_was_posted_before_there_was_a_feed_is_counted(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """The migration gives older transactions no position, and the audit knows how many they are."""
    url = f"sqlite:///{tmp_path}/old.db"
    if kind == "postgresql":
        url = request.getfixturevalue("postgres_database")
    await _migrate_before_the_feed(url)
    database = await open_database(url, pool_size=1)
    try:
        for book in (0, 2, 2):
            await database.fetch(
                "INSERT INTO transactions VALUES ($1, $2, 'ACCRUAL', 1, 1, 'c', 'r', NULL, NULL,"
                " NULL, 1)",
                *(book, new_id(book)),
            )
        await migrate(url)
        await migrate(url)
        rows = await database.fetch("SELECT book, position, earlier FROM feeds ORDER BY book")
        assert [tuple(row.values()) for row in rows] == [(0, 0, 1), (2, 0, 2)]
        old = await database.fetch("SELECT DISTINCT position FROM transactions")
        assert [row["position"] for row in old] == [None]
        assert [each.law for each in await audit(database) if "position" in each.law] == []
    finally:
        await database.close()


async def _migrate_before_the_feed(url: str) -> None:
    database = await open_database(url, pool_size=1)
    try:
        with database.active():
            apps = _tortoise_config(database.target, 1)["apps"]
            executor = MigrationExecutor(database.client, apps)
            await executor.migrate([MigrationTarget("brands", "m0005_households")])
    finally:
        await database.close()

"""The writer when the machinery fails: nothing acknowledged is lost, nothing is there twice."""

import asyncio
import sqlite3
from collections.abc import Callable
from itertools import count
from pathlib import Path

import asyncpg
import pytest

from brands.errors import LedgerUnavailable
from brands.ledger import writer
from brands.ledger.chart import COALITION, AccountKind, stripe
from brands.ledger.commands import Command
from brands.ledger.writer import Ledger
from tests.brands.ledger.asking import accrual, claim, redemption, reverse
from tests.brands.ledger.books import Books, make, some_books
from tests.brands.ledger.proxy import proxy_before, waiting_for_a_lock
from tests.postgres import running_server

FAILURE = """
CREATE SEQUENCE faults;
CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF nextval('faults') % 3 <> 0 THEN RAISE EXCEPTION 'fault' USING ERRCODE = '{code}'; END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER faulty BEFORE INSERT ON entries FOR EACH STATEMENT EXECUTE FUNCTION fail();
"""


async def statement(books: Books, sql: str) -> None:
    """Runs statements on PostgreSQL."""
    connection = await asyncpg.connect(books.url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


@pytest.mark.parametrize(
    "code",
    ["40001", "40P01", "55P03", "53300", "57014", "57P01", "08006"],
    ids=["serialization", "deadlock", "lock", "full", "cancelled", "shutdown", "connection"],
)
async def test_what_passes_is_tried_again(postgres_books: Books, code: str) -> None:
    """Two of three attempts fail as PostgreSQL fails under load; every command is posted once."""
    books = postgres_books
    await statement(books, FAILURE.format(code=code))
    brand, accounts = books.brands[0], [member.accounts[0] for member in books.members]
    ledger = await books.ledger()
    try:
        for _ in range(4):
            commands = [accrual(brand, account, 5) for account in accounts]
            answers = await asyncio.gather(*(ledger.submit(command) for command in commands))
            for command, answer in zip(commands, answers, strict=True):
                assert (answer.id, answer.rejection, answer.replayed) == (command.id, None, False)
    finally:
        await ledger.close()
    assert await books.count_of("transactions") == 4 * len(accounts)
    assert await books.broken_laws() == []


@pytest.mark.parametrize("direction", ["request", "reply"])
async def test_a_connection_may_be_cut_anywhere(
    postgres_books: Books, tmp_path: Path, direction: str
) -> None:
    """Whichever message of a batch is lost, the reply to COMMIT among them, its commands are
    posted once and acknowledged as fresh."""
    brand, account = postgres_books.brands[0], postgres_books.members[0].accounts[0]
    made: list[Command] = []
    async with proxy_before(postgres_books.url, tmp_path) as proxy:
        ledger = await Ledger.open(proxy.url, books=postgres_books.count, lanes=1)
        try:
            earned = await ledger.submit(accrual(brand, account, 1_000))
            asked: list[Callable[[], Command]] = [
                lambda: accrual(brand, account, 5),
                lambda: redemption(brand, account, 3),
                lambda: reverse(earned.id, 2),
            ]
            for ask in asked:
                for chunk in count(1):
                    made.append(ask())
                    proxy.cut(direction, chunk)
                    answer = await ledger.submit(made[-1])
                    assert answer.id == made[-1].id
                    assert (answer.rejection, answer.replayed) == (None, False)
                    if proxy.armed:  # it took fewer messages than that: all have been lost once
                        break
                assert chunk > 1
        finally:
            await ledger.close()
    assert await postgres_books.count_of("transactions") == 1 + len(made)
    assert await postgres_books.broken_laws() == []


async def test_backends_may_be_killed_under_load(postgres_books: Books) -> None:
    """Every connection cut again and again while hundreds wait: each command is posted once."""
    books = postgres_books
    brand, accounts = books.brands[0], [member.accounts[0] for member in books.members]
    ledger = await books.ledger()
    try:
        commands = [accrual(brand, account, 1) for account in accounts for _ in range(200)]
        work = asyncio.gather(*(ledger.submit(command) for command in commands))
        for _ in range(8):
            await statement(
                books,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )
            await asyncio.sleep(0.1)
        answers = await work
    finally:
        await ledger.close()
    assert [answer.id for answer in answers] == [command.id for command in commands]
    assert {(answer.rejection, answer.replayed) for answer in answers} == {(None, False)}
    assert await books.count_of("transactions") == len(commands)
    assert await books.broken_laws() == []


async def test_a_deadlock_with_a_stranger_passes(postgres_books: Books) -> None:
    """A foreign transaction that locks accounts the other way round costs time and nothing else."""
    books = postgres_books
    brand, member = books.brands[0], books.members[0]
    kinds = (AccountKind.ISSUED, AccountKind.POOL, AccountKind.SETTLEMENT)
    locked = [member.accounts[0], *(stripe(member.book, brand.id, kind) for kind in kinds)]
    locked.append(stripe(member.book, COALITION, AccountKind.MARGIN))
    first, *_, last = sorted(locked)
    stranger = await asyncpg.connect(books.url)
    ledger = await books.ledger()
    try:
        await stranger.execute("SET deadlock_timeout = '30s'; BEGIN")
        await stranger.execute("SELECT 1 FROM accounts WHERE id = $1 FOR UPDATE", last)
        work = asyncio.create_task(ledger.submit(accrual(brand, member.accounts[0], 5)))
        await waiting_for_a_lock(books.url)
        await stranger.execute("SELECT 1 FROM accounts WHERE id = $1 FOR UPDATE", first)
        await stranger.execute("COMMIT")
        (await work).accepted()
    finally:
        await stranger.close()
        await ledger.close()
    rows = await books.fetch(
        "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    )
    assert rows == [{"deadlocks": 1}]
    assert await books.balance(member.accounts[0]) == 5
    assert await books.broken_laws() == []


async def test_the_servers_isolation_does_not_matter(postgres_books: Books) -> None:
    """On a database that is serializable by default, writers at strife still post all of it."""
    books = postgres_books
    name = books.url.split("/")[3].split("?")[0]
    await statement(
        books, f"ALTER DATABASE \"{name}\" SET default_transaction_isolation = 'serializable'"
    )
    brand, account = books.brands[0], books.members[0].accounts[0]
    ledgers = [await books.ledger() for _ in range(3)]
    try:
        for _ in range(10):
            answers = await asyncio.gather(
                *(ledger.submit(accrual(brand, account, 1)) for ledger in ledgers)
            )
            assert {answer.rejection for answer in answers} == {None}
    finally:
        for ledger in ledgers:
            await ledger.close()
    assert await books.balance(account) == 30
    assert await books.broken_laws() == []


async def test_a_power_cut_loses_nothing_acknowledged() -> None:
    """PostgreSQL stopped hard in the middle of load and started again: the writer goes on, and
    what it had acknowledged before is there."""
    with running_server(fsync=True) as server:
        books = some_books(server.databases.fresh_database(), 4)
        await make(books)
        brand, accounts = books.brands[0], [member.accounts[0] for member in books.members]
        ledger = await books.ledger()
        try:
            commands = [accrual(brand, account, 1) for account in accounts for _ in range(300)]
            work = [asyncio.create_task(ledger.submit(command)) for command in commands]
            await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.to_thread(server.stop, "immediate")
            await asyncio.to_thread(server.start)
            answers = await asyncio.gather(*work)
        finally:
            await ledger.close()
        assert {(answer.rejection, answer.replayed) for answer in answers} == {(None, False)}
        assert await books.count_of("transactions") == len(commands)
        assert await books.broken_laws() == []


async def test_patience_ends(
    postgres_books: Books, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Books out of reach for too long are reported so; the same key later is posted once."""
    monkeypatch.setattr(writer, "PATIENCE_SECONDS", 0.2)
    brand, account = postgres_books.brands[0], postgres_books.members[0].accounts[0]
    same = claim()
    async with proxy_before(postgres_books.url, tmp_path) as proxy:
        ledger = await Ledger.open(proxy.url, books=postgres_books.count)
        (tmp_path / ".s.PGSQL.5432").rename(tmp_path / "away")
        try:
            proxy.cut("reply", 1)
            with pytest.raises(LedgerUnavailable):
                await ledger.submit(accrual(brand, account, 1, claim=same))
            (tmp_path / "away").rename(tmp_path / ".s.PGSQL.5432")
            (await ledger.submit(accrual(brand, account, 1, claim=same))).accepted()
        finally:
            await ledger.close()
    assert await postgres_books.balance(account) == 1


async def test_a_locked_sqlite_file_is_waited_for(sqlite_books: Books) -> None:
    """While another program writes the file, commands wait; then they are posted."""
    brand, account = sqlite_books.brands[0], sqlite_books.members[0].accounts[0]
    ledger = await sqlite_books.ledger()
    stranger = sqlite3.connect(sqlite_books.path, isolation_level=None)
    try:
        stranger.execute("BEGIN IMMEDIATE")
        work = asyncio.create_task(ledger.submit(accrual(brand, account, 1)))
        await asyncio.wait([work], timeout=0.3)
        assert not work.done()
        stranger.execute("ROLLBACK")
        (await work).accepted()
    finally:
        stranger.close()
        await ledger.close()
    assert await sqlite_books.balance(account) == 1

"""Several writers of the same books on PostgreSQL: none goes by what another has changed."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest

from brands.ids import home_book
from brands.ledger.commands import Token
from brands.ledger.writer import Ledger
from brands.rejections import TokenSpent
from tests.brands.ledger.asking import (
    accrual,
    capture,
    claim,
    hold,
    redemption,
    revaluation,
    reverse,
)
from tests.brands.ledger.books import Books
from tests.brands.ledger.proxy import waiting_for_a_lock


@pytest.fixture
async def pair(postgres_books: Books) -> AsyncIterator[tuple[Ledger, Ledger]]:
    """Two writers of the same books, neither of which knows what the other does."""
    opened = [await postgres_books.ledger() for _ in range(2)]
    yield opened[0], opened[1]
    for ledger in opened:
        await ledger.close()


@pytest.mark.parametrize("ask_for_it", [True, False])
async def test_a_value_published_elsewhere_is_in_force(
    postgres_books: Books, pair: tuple[Ledger, Ledger], ask_for_it: bool
) -> None:
    """A writer that knew the old value revalues when asked to, and before it posts again."""
    brand, member = postgres_books.brands[0], postgres_books.members[0]
    (await pair[0].submit(accrual(brand, member.accounts[0], 10))).accepted()
    changed = await postgres_books.publish(brand, brand.value + 700)
    if ask_for_it:
        await pair[0].submit(revaluation(brand, member.book))
    else:
        (await pair[0].submit(accrual(brand, member.accounts[0], 10))).accepted()
    rows = await postgres_books.fetch(
        "SELECT rate FROM accounts WHERE kind = 'POOL' AND owner_id = $1 AND book = $2",
        *(brand.id, member.book),
    )
    assert rows == [{"rate": changed.value}]
    assert await postgres_books.broken_laws() == []


async def test_keys_and_tokens_used_elsewhere_are_used(
    postgres_books: Books, pair: tuple[Ledger, Ledger]
) -> None:
    """A key or a token that another writer has seen is known to this one."""
    brand, account = postgres_books.brands[0], postgres_books.members[0].accounts[0]
    for ledger in pair:
        (await ledger.submit(accrual(brand, account, 100))).accepted()
    command = accrual(brand, account, 10, tokens=(Token(0, "q"),))
    first = await pair[0].submit(command)
    again = await pair[1].submit(accrual(brand, account, 10, claim=command.claim))
    assert again == replace(first, replayed=True)
    answer = await pair[1].submit(accrual(brand, account, 10, tokens=(Token(0, "q"),)))
    assert answer.rejection == TokenSpent(token="q")
    for ledger in pair:
        (await ledger.submit(accrual(brand, account, 5, claim=command.claim))).accepted()
        (await ledger.submit(accrual(brand, account, 1))).accepted()
    assert await postgres_books.balance(account) == 212
    assert await postgres_books.broken_laws() == []


async def test_what_is_done_under_lock_is_known_afterwards(
    postgres_books: Books, pair: tuple[Ledger, Ledger]
) -> None:
    """Holds and reversals between plain postings are known to the postings."""
    brand, account = postgres_books.brands[0], postgres_books.members[0].accounts[0]
    ledger = pair[0]
    earned = await ledger.submit(accrual(brand, account, 100))
    placed = hold(account, 60)
    (await ledger.submit(placed)).accepted()
    assert (await ledger.submit(redemption(brand, account, 41))).rejection is not None
    (await ledger.submit(redemption(brand, account, 10))).accepted()
    (await ledger.submit(capture(brand, placed, 50))).accepted()
    (await ledger.submit(reverse(earned.id, 30))).accepted()
    (await ledger.submit(redemption(brand, account, 10))).accepted()
    assert (await ledger.submit(redemption(brand, account, 1))).rejection is not None
    assert await postgres_books.balance(account) == 0
    assert await postgres_books.broken_laws() == []


async def test_a_batch_that_is_judged_twice_is_posted_once(
    postgres_books: Books, pair: tuple[Ledger, Ledger]
) -> None:
    """A batch with a refusal, and so judged again under lock, counts once in memory as well."""
    brand, account = postgres_books.brands[0], postgres_books.members[0].accounts[0]
    for _ in range(5):
        await pair[0].submit_many(
            [
                accrual(brand, account, 10),
                redemption(brand, account, 1_000),
                redemption(brand, account, 10),
            ]
        )
    assert await postgres_books.balance(account) == 0
    assert await postgres_books.broken_laws() == []


async def test_a_replay_is_not_counted_in_memory(postgres_books: Books) -> None:
    """A key seen again posts nothing, and the next posting goes by a balance without it."""
    brand, account = postgres_books.brands[0], postgres_books.members[0].accounts[0]
    ledger = await postgres_books.ledger()
    try:
        for _ in range(3):
            command = accrual(brand, account, 10)
            (await ledger.submit(command)).accepted()
            assert (await ledger.submit(accrual(brand, account, 10, claim=command.claim))).replayed
        (await ledger.submit(redemption(brand, account, 30))).accepted()
    finally:
        await ledger.close()
    assert await postgres_books.balance(account) == 0
    assert await postgres_books.broken_laws() == []


async def test_keys_are_claimed_before_accounts_are_locked(postgres_books: Books) -> None:
    """A writer that waits for a key which somebody else is just claiming holds no account."""
    brand, account = postgres_books.brands[0], postgres_books.members[0].accounts[0]
    ledger = await postgres_books.ledger()
    stranger = await asyncpg.connect(postgres_books.url)
    try:
        (await ledger.submit(accrual(brand, account, 10))).accepted()
        same = claim("contested")
        await stranger.execute("BEGIN")
        await stranger.execute(
            "INSERT INTO idempotency_keys VALUES ($1, 'tests', 'contested', '', $2, NULL, 1)",
            *(home_book("tests/contested", postgres_books.count), account),
        )
        work = asyncio.create_task(ledger.submit(accrual(brand, account, 10, claim=same)))
        await waiting_for_a_lock(postgres_books.url)
        await stranger.execute("SELECT 1 FROM accounts ORDER BY book, id FOR UPDATE NOWAIT")
        await stranger.execute("ROLLBACK")
        (await work).accepted()
    finally:
        await stranger.close()
        await ledger.close()
    assert await postgres_books.balance(account) == 20


@pytest.mark.parametrize("days", [-1, 1])
async def test_time_is_the_databases(
    postgres_books: Books,
    pair: tuple[Ledger, Ledger],
    monkeypatch: pytest.MonkeyPatch,
    days: int,
) -> None:
    """A jump of this machine's clock moves no posting: instants are the database's."""
    brand, account = postgres_books.brands[0], postgres_books.members[0].accounts[0]
    (await pair[0].submit(accrual(brand, account, 10))).accepted()
    right = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: right() + days * 86_400 * 10**9)
    for _ in range(3):
        (await pair[0].submit(accrual(brand, account, 10))).accepted()
    monkeypatch.undo()
    rows = await postgres_books.fetch("SELECT recorded_at FROM transactions")
    now = right() // 1_000
    assert [row for row in rows if abs(row["recorded_at"] - now) > 60_000_000] == []


async def test_rivals_wait_for_each_other_and_do_not_deadlock(postgres_books: Books) -> None:
    """Writers that want the same accounts and the same keys at once take them in one order."""
    brand, (account, *_) = postgres_books.brands[0], postgres_books.members[0].accounts
    others = [member.accounts[0] for member in postgres_books.members if member.book == 0]
    ledgers = [await postgres_books.ledger() for _ in range(3)]
    shared = [claim() for _ in range(25)]

    async def work(ledger: Ledger) -> None:
        for same in shared:
            (await ledger.submit(accrual(brand, account, 3))).accepted()
            for other in reversed(others):
                (await ledger.submit(accrual(brand, other, 2))).accepted()
            (await ledger.submit(accrual(brand, account, 1, claim=same))).accepted()

    try:
        await asyncio.gather(*(work(ledger) for ledger in ledgers for _ in range(4)))
    finally:
        for ledger in ledgers:
            await ledger.close()
    twice = 2 if account in others else 0
    assert await postgres_books.balance(account) == 25 * (1 + 12 * (3 + twice))
    rows = await postgres_books.fetch(
        "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    )
    assert rows == [{"deadlocks": 0}]
    assert await postgres_books.broken_laws() == []

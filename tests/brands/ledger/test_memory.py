"""What a lane on PostgreSQL remembers never decides anything that the database would not."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from brands.errors import InsufficientPoints, MembershipClosed, TokenSpent
from brands.ledger.writer import Ledger
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


@pytest.fixture
async def pair(postgres_books: Books) -> AsyncIterator[tuple[Ledger, Ledger]]:
    """Two writers of the same books, neither of which knows what the other does."""
    opened = [await postgres_books.ledger() for _ in range(2)]
    yield opened[0], opened[1]
    for ledger in opened:
        await ledger.close()


async def test_points_spent_elsewhere_are_gone(
    postgres_books: Books, pair: tuple[Ledger, Ledger]
) -> None:
    """Two writers that take turns on one account see each other's every change."""
    brand, account = postgres_books.brands[0], postgres_books.members[0].accounts[0]
    for round_ in range(20):
        first, second = pair if round_ % 2 else reversed(pair)
        (await first.submit(accrual(brand, account, 10))).accepted()
        (await first.submit(redemption(brand, account, 1))).accepted()
        (await second.submit(redemption(brand, account, 9))).accepted()
        answer = await first.submit(redemption(brand, account, 1))
        assert answer.rejection == InsufficientPoints(available=0, required=1)
    assert await postgres_books.broken_laws() == []


async def test_a_membership_closed_elsewhere_is_closed(
    postgres_books: Books, pair: tuple[Ledger, Ledger]
) -> None:
    """A writer that knew an account as open refuses it once somebody has closed it."""
    brand, account = postgres_books.brands[0], postgres_books.members[0].accounts[0]
    (await pair[0].submit(accrual(brand, account, 10))).accepted()
    await postgres_books.fetch(
        "UPDATE accounts SET closed = 1, revision = revision + 1 WHERE id = $1", account
    )
    answer = await pair[0].submit(accrual(brand, account, 10))
    assert answer.rejection == MembershipClosed(membership_id=account)


async def test_a_value_published_elsewhere_is_in_force(
    postgres_books: Books, pair: tuple[Ledger, Ledger]
) -> None:
    """A writer that knew the old value revalues when asked, and before it posts."""
    brand, member = postgres_books.brands[0], postgres_books.members[0]
    for ask_for_it in (True, False):
        (await pair[0].submit(accrual(brand, member.accounts[0], 10))).accepted()
        brand = await postgres_books.publish(brand, brand.value + 700)
        if ask_for_it:
            await pair[0].submit(revaluation(brand, member.book))
        else:
            await pair[0].submit(accrual(brand, member.accounts[0], 10))
        rows = await postgres_books.fetch(
            "SELECT rate FROM accounts WHERE kind = 'POOL' AND owner_id = $1 AND book = $2",
            *(brand.id, member.book),
        )
        assert rows == [{"rate": brand.value}]
    assert await postgres_books.broken_laws() == []


async def test_keys_and_tokens_used_elsewhere_are_used(
    postgres_books: Books, pair: tuple[Ledger, Ledger]
) -> None:
    """A key or a token that another writer has seen is known to this one."""
    brand, account = postgres_books.brands[0], postgres_books.members[0].accounts[0]
    for ledger in pair:
        (await ledger.submit(accrual(brand, account, 100))).accepted()
    command = accrual(brand, account, 10, tokens=("q",))
    first = await pair[0].submit(command)
    again = await pair[1].submit(accrual(brand, account, 10, claim=command.claim))
    assert again == replace(first, replayed=True)
    answer = await pair[1].submit(accrual(brand, account, 10, tokens=("q",)))
    assert answer.rejection == TokenSpent(token="q")
    assert await postgres_books.balance(account) == 210


async def test_holds_and_reversals_are_not_forgotten(
    postgres_books: Books, pair: tuple[Ledger, Ledger]
) -> None:
    """What is done under lock between two plain postings is known to the second."""
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


async def test_a_refused_neighbour_leaves_no_trace_in_memory(
    postgres_books: Books, pair: tuple[Ledger, Ledger]
) -> None:
    """After a batch that was judged again, the memory holds what the database holds."""
    brand, account = postgres_books.brands[0], postgres_books.members[0].accounts[0]
    ledger = pair[0]
    for _ in range(5):
        await ledger.submit_many(
            [
                accrual(brand, account, 10),
                redemption(brand, account, 1_000),
                redemption(brand, account, 10),
            ]
        )
    assert await postgres_books.balance(account) == 0
    assert await postgres_books.broken_laws() == []


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


async def test_many_writers_of_one_account_agree(postgres_books: Books) -> None:
    """Postings by several writers at once to the same few accounts are all there in the end."""
    brand, account = postgres_books.brands[0], postgres_books.members[0].accounts[0]
    ledgers = [await postgres_books.ledger() for _ in range(3)]

    async def work(ledger: Ledger) -> None:
        for _ in range(25):
            earned = accrual(brand, account, 3, claim=claim())
            (await ledger.submit(earned)).accepted()
            (await ledger.submit(redemption(brand, account, 2))).accepted()

    try:
        await asyncio.gather(*(work(ledger) for ledger in ledgers for _ in range(4)))
    finally:
        for ledger in ledgers:
            await ledger.close()
    assert await postgres_books.balance(account) == 3 * 4 * 25
    assert await postgres_books.broken_laws() == []

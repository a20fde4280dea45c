"""What a lane on PostgreSQL remembers is never trusted: others may have changed the books."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest

from brands.ledger.chart import AccountKind, stripe
from brands.ledger.commands import Command
from brands.ledger.memory import Memory
from brands.ledger.writer import Ledger
from brands.rejections import InsufficientPoints, MembershipClosed
from tests.brands.ledger.asking import accrual, conversion, hold, redemption, revaluation
from tests.brands.ledger.books import Books


@pytest.fixture
async def pair(postgres_books: Books) -> AsyncIterator[tuple[Ledger, Ledger]]:
    """Two writers of the same books, each with a memory of its own."""
    one, other = await postgres_books.ledger(lanes=1), await postgres_books.ledger(lanes=1)
    yield one, other
    await one.close()
    await other.close()


async def test_points_spent_through_another_writer_are_not_spent_again(
    postgres_books: Books, pair: tuple[Ledger, Ledger]
) -> None:
    """A writer that remembers 100 points refuses to spend what another writer has spent."""
    one, other = pair
    brand, account = postgres_books.brands[0], postgres_books.members[0].accounts[0]
    (await one.submit(accrual(brand, account, 100))).accepted()
    (await other.submit(redemption(brand, account, 90))).accepted()
    answer = await one.submit(redemption(brand, account, 20))
    assert isinstance(answer.rejection, InsufficientPoints)
    assert (answer.rejection.available, answer.rejection.required) == (10, 20)
    assert await postgres_books.broken_laws() == []


async def test_a_refusal_is_not_given_from_memory(
    postgres_books: Books, pair: tuple[Ledger, Ledger]
) -> None:
    """Points that arrived through another writer are spent, though this one remembers too few."""
    one, other = pair
    brand, account = postgres_books.brands[0], postgres_books.members[0].accounts[0]
    (await one.submit(accrual(brand, account, 10))).accepted()
    (await other.submit(accrual(brand, account, 90))).accepted()
    (await one.submit(redemption(brand, account, 100))).accepted()
    assert await postgres_books.balance(account) == 0
    assert await postgres_books.broken_laws() == []


async def test_points_held_through_another_writer_are_not_spent(
    postgres_books: Books, pair: tuple[Ledger, Ledger]
) -> None:
    """A hold posts nothing, and is seen all the same by a writer that remembers the account."""
    one, other = pair
    brand, account = postgres_books.brands[0], postgres_books.members[0].accounts[0]
    (await one.submit(accrual(brand, account, 100))).accepted()
    (await other.submit(hold(account, 60))).accepted()
    answer = await one.submit(redemption(brand, account, 50))
    assert isinstance(answer.rejection, InsufficientPoints)
    assert await postgres_books.broken_laws() == []


async def test_a_membership_closed_meanwhile_is_closed(
    postgres_books: Books, pair: tuple[Ledger, Ledger]
) -> None:
    """An account that was closed since it was remembered takes no posting."""
    one, _ = pair
    brand, account = postgres_books.brands[0], postgres_books.members[0].accounts[0]
    (await one.submit(accrual(brand, account, 100))).accepted()
    await postgres_books.fetch(
        "UPDATE accounts SET closed = 1, revision = revision + 1 WHERE id = $1", account
    )
    answer = await one.submit(redemption(brand, account, 50))
    assert isinstance(answer.rejection, MembershipClosed)


async def test_a_value_published_meanwhile_is_posted_at(
    postgres_books: Books, pair: tuple[Ledger, Ledger]
) -> None:
    """The first posting after a publication revalues the pool, though its rate was remembered."""
    one, _ = pair
    brand, member = postgres_books.brands[0], postgres_books.members[0]
    (await one.submit(accrual(brand, member.accounts[0], 100))).accepted()
    changed = await postgres_books.publish(brand, brand.value + 1_000)
    (await one.submit(redemption(changed, member.accounts[0], 40))).accepted()
    pool = stripe(member.book, brand.id, AccountKind.POOL)
    assert await postgres_books.balance(pool) == 60 * changed.value
    assert await postgres_books.broken_laws() == []


async def test_many_writers_of_the_same_accounts_agree(postgres_books: Books) -> None:
    """Four writers at strife over a few accounts lose nothing and post nothing twice."""
    ledgers = [await postgres_books.ledger(lanes=1) for _ in range(4)]
    chance = random.Random(7)
    brand, other = postgres_books.brands[:2]
    accounts = [member.accounts for member in postgres_books.members]
    try:
        for own in accounts:
            (await ledgers[0].submit(accrual(brand, own[0], 10_000))).accepted()
        commands: list[Command] = [
            conversion(brand, own[0], other, own[1], 10) for own in chance.choices(accounts, k=400)
        ]
        answers = await asyncio.gather(
            *(ledgers[n % 4].submit(command) for n, command in enumerate(commands))
        )
    finally:
        for ledger in ledgers:
            await ledger.close()
    assert all(answer.rejection is None for answer in answers)
    assert await postgres_books.count_of("transactions") == len(commands) + len(accounts)
    assert await postgres_books.broken_laws() == []


def test_strife_is_answered_with_locks_for_longer_each_time() -> None:
    """Each contradiction makes more batches go under lock; agreement makes it fewer again."""
    memory = Memory()
    waits = []
    for _ in range(3):
        memory.contradicted()
        waits.append(sum(1 for _ in iter(lambda: memory.serves([]), True)))
    assert waits == [4, 16, 64]
    memory.confirmed({})
    memory.contradicted()
    assert sum(1 for _ in iter(lambda: memory.serves([]), True)) == 128


def test_only_plain_postings_are_judged_from_memory(postgres_books: Books) -> None:
    """Holds, what ends them, and revaluations (which may find nothing to do) go under lock."""
    brand, account = postgres_books.brands[0], postgres_books.members[0].accounts[0]
    memory = Memory()
    assert memory.serves([accrual(brand, account, 1)])
    assert not memory.serves([accrual(brand, account, 1), revaluation(brand, 0)])
    assert not memory.serves([accrual(brand, account, 1), hold(account, 1)])

"""What a lane on PostgreSQL remembers is never trusted: others may have changed the books."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from brands.ids import new_id
from brands.ledger.batch import Needs, books_of
from brands.ledger.chart import AccountKind, stripe
from brands.ledger.commands import Command, Outcome
from brands.ledger.memory import Memory
from brands.ledger.writer import Ledger
from brands.rejections import InsufficientPoints, MembershipClosed
from tests.brands.ledger.asking import (
    accrual,
    conversion,
    delayed,
    gift,
    hold,
    limit,
    redemption,
    revaluation,
)
from tests.brands.ledger.books import Books
from tests.brands.ledger.world import World


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


async def test_lanes_of_one_process_do_not_meet_in_strife(
    postgres_books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gifts between books of different lanes, limits counted in the other's book, and payments
    among them: each lane waits for its turn, and finds the books as they are remembered."""
    strife: list[Memory] = []

    def contradicted(memory: Memory) -> None:
        strife.append(memory)

    monkeypatch.setattr(Memory, "contradicted", contradicted)
    brand = postgres_books.brands[0]
    accounts = [member.accounts[0] for member in postgres_books.members]
    chance = random.Random(3)
    commands: list[Command] = []
    for _ in range(60):
        here, there = chance.sample(accounts, 2)
        counted = limit(there, 5)
        commands += [
            gift(brand, here, brand, there, 5, caps=(counted,)),
            delayed(brand, here, brand, there, 5, caps=(counted,))[0],
            redemption(brand, there, 1),
        ]
    ledger = await postgres_books.ledger(lanes=3)
    try:
        await ledger.submit_many([accrual(brand, account, 10_000) for account in accounts])
        for start in range(0, len(commands), 20):
            for answer in await ledger.submit_many(commands[start : start + 20]):
                assert isinstance(answer, Outcome)
                assert answer.rejection is None
    finally:
        await ledger.close()
    assert strife == []
    assert await postgres_books.broken_laws() == []


def test_a_transfer_concerns_the_books_of_either_side(postgres_books: Books) -> None:
    """Where its points arrive, at once or later, and where a limit on it is counted."""
    brand, (here, there) = postgres_books.brands[0], postgres_books.members[:2]
    move = brand, here.accounts[0], brand, there.accounts[0], 10
    departure, arrival = delayed(*move)
    assert books_of(departure) == {here.book}
    assert books_of(arrival) == {there.book}
    assert books_of(gift(*move)) == {here.book, there.book}
    limited = replace(departure, caps=(limit(there.accounts[0], 10),))
    assert books_of(limited) == {here.book, there.book}


def test_what_is_worked_on_is_not_remembered() -> None:
    """Accounts taken out for a batch are nowhere to be found until what it changed is stored."""
    accounts = World().state.accounts
    needs = Needs({(0, id) for id in accounts})
    memory = Memory()
    assert memory.take(needs) is None
    memory.learn(accounts)
    taken = memory.take(needs)
    assert taken == accounts
    assert memory.take(needs) is None
    assert memory.missing(needs)[0] == needs.accounts
    (changed, *_) = taken
    memory.confirmed(taken, {changed: taken[changed]})
    assert memory.take(needs) == accounts
    assert [account.revision for account in taken.values()] == [1, *[0] * (len(taken) - 1)]


async def test_what_one_lane_has_read_another_goes_by(postgres_books: Books) -> None:
    """A pool that a gift from another lane's book has brought to a new value is at it for all."""
    brand, (member, other) = postgres_books.brands[0], postgres_books.members[:2]
    ledger = await postgres_books.ledger(lanes=2)
    try:
        for account in (member.accounts[0], other.accounts[0]):
            (await ledger.submit(accrual(brand, account, 100))).accepted()
        changed = await postgres_books.publish(brand, brand.value + 1_000)
        move = other.accounts[0], changed, member.accounts[0], 10
        (await ledger.submit(gift(changed, *move))).accepted()
        (await ledger.submit(accrual(changed, member.accounts[0], 100))).accepted()
    finally:
        await ledger.close()
    pool = stripe(member.book, brand.id, AccountKind.POOL)
    assert await postgres_books.balance(pool) == 210 * changed.value
    assert await postgres_books.broken_laws() == []


def test_newer_rates_are_not_forgotten_for_older_ones() -> None:
    """Of two lanes that read the rates at once, the one that read later ones is believed."""
    memory, brand = Memory(), new_id(0)
    memory.learn_rates({brand: [(0, 7)]}, 2)
    memory.learn_rates({brand: [(0, 5)]}, 1)
    assert (memory.rates, memory.epoch) == ({brand: [(0, 7)]}, 2)


def test_strife_is_answered_with_locks_for_longer_each_time() -> None:
    """Each contradiction makes more batches go under lock; agreement makes it fewer again."""
    memory = Memory()
    waits = []
    for _ in range(3):
        memory.contradicted()
        waits.append(sum(1 for _ in iter(lambda: memory.serves([]), True)))
    assert waits == [4, 16, 64]
    memory.confirmed({}, {})
    memory.contradicted()
    assert sum(1 for _ in iter(lambda: memory.serves([]), True)) == 128


def test_only_plain_postings_are_judged_from_memory(postgres_books: Books) -> None:
    """Holds, what ends them, and revaluations (which may find nothing to do) go under lock."""
    brand, account = postgres_books.brands[0], postgres_books.members[0].accounts[0]
    memory = Memory()
    assert memory.serves([accrual(brand, account, 1)])
    assert not memory.serves([accrual(brand, account, 1), revaluation(brand, 0)])
    assert not memory.serves([accrual(brand, account, 1), hold(account, 1)])

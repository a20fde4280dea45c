"""The writer among callers that are wrong, that go away, and databases that cannot digest."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from brands.ids import new_id
from brands.ledger.commands import Command, Outcome
from brands.ledger.writer import Ledger
from tests.brands.ledger.asking import accrual, capture, claim, conversion, hold, reverse
from tests.brands.ledger.books import Books


def unknown_account(books: Books) -> Command:
    return accrual(books.brands[0], new_id(books.members[0].book), 5)


def account_of_another_book(books: Books) -> Command:
    (here, *_), (there, *_) = (member.accounts for member in books.members[:2])
    return conversion(books.brands[0], here, books.brands[1], there, 5)


def unknown_hold(books: Books) -> Command:
    account = books.members[0].accounts[0]
    return capture(books.brands[0], hold(account, 5))


def unknown_transaction(books: Books) -> Command:
    return reverse(new_id(books.members[0].book))


def no_instant(books: Books) -> Command:
    return accrual(books.brands[0], books.members[0].accounts[0], 5, event_at=2**70)


def no_text(books: Books) -> Command:
    return accrual(books.brands[0], books.members[0].accounts[0], 5, reference="\ud800")


def no_key(books: Books) -> Command:
    return accrual(books.brands[0], books.members[0].accounts[0], 5, claim=claim("\ud800"))


INDIGESTIBLE = [
    (unknown_account, "no such account"),
    (account_of_another_book, "no such account"),
    (unknown_hold, "no such hold"),
    (unknown_transaction, "no such transaction"),
    (no_instant, "out of range|too large"),
    (no_text, "surrogates not allowed"),
    (no_key, "surrogates not allowed"),
]


@pytest.mark.parametrize(
    ("make", "words"), INDIGESTIBLE, ids=[make.__name__ for make, _ in INDIGESTIBLE]
)
async def test_an_indigestible_command_fails_alone(
    books: Books, ledger: Ledger, make: Callable[[Books], Command], words: str
) -> None:
    """A command that cannot be stored gets an error that says so; its neighbours are posted."""
    good = [accrual(books.brands[0], member.accounts[0], 5) for member in books.members]
    more = [accrual(books.brands[1], member.accounts[1], 5) for member in books.members]
    answers = await asyncio.gather(
        *(ledger.submit(command) for command in [*good, make(books), *more]),
        return_exceptions=True,
    )
    (failed,) = (answer for answer in answers if not isinstance(answer, Outcome))
    assert re.search(words, str(failed))
    assert await books.count_of("transactions") == len([*good, *more])
    assert await books.count_of("idempotency_keys") == len([*good, *more])
    assert await books.broken_laws() == []


async def test_text_that_postgres_cannot_hold_fails_alone(postgres_books: Books) -> None:
    """A NUL in a reference, which PostgreSQL refuses, fails the one command that brought it."""
    books = postgres_books
    good = [accrual(books.brands[0], member.accounts[0], 5) for member in books.members]
    ledger = await books.ledger()
    try:
        bad = replace(good[0], id=new_id(0), claim=claim(), reference="nul\0")
        answers = await asyncio.gather(
            *(ledger.submit(command) for command in [*good[:3], bad, *good[3:]]),
            return_exceptions=True,
        )
        with pytest.raises(Exception, match="0x00"):
            await ledger.submit(bad)
    finally:
        await ledger.close()
    assert [isinstance(answer, Outcome) for answer in answers].count(False) == 1
    assert not isinstance(answers[3], Outcome)
    assert await books.count_of("transactions") == len(good)


async def test_a_caller_may_go_away_at_any_moment(books: Books, ledger: Ledger) -> None:
    """However early or late its caller is cancelled, a command is posted once or not at all, and
    its key can be sent again."""
    brand, account = books.brands[0], books.members[0].accounts[0]
    moments = 40
    for moment in range(moments):
        command = accrual(brand, account, 1)
        task = asyncio.create_task(ledger.submit(command))
        for _ in range(moment):
            await asyncio.sleep(0)
        if moment > moments // 2:
            await asyncio.sleep(0.0002 * (moment - moments // 2))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        again = await ledger.submit(accrual(brand, account, 1, claim=command.claim))
        assert again.rejection is None
        assert await books.balance(account) == moment + 1
    assert await books.count_of("transactions") == moments
    assert await books.broken_laws() == []


async def test_one_caller_going_away_leaves_the_others_waiting(
    books: Books, ledger: Ledger
) -> None:
    """Of callers that wait for one answer, each may go without the rest losing it."""
    brand, account = books.brands[0], books.members[0].accounts[0]
    same = claim()
    tasks = [
        asyncio.create_task(ledger.submit(accrual(brand, account, 1, claim=same))) for _ in range(5)
    ]
    await asyncio.sleep(0)
    tasks[0].cancel()
    tasks[3].cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(answer, Outcome) for answer in answers] == [False, True, True, False, True]
    assert await books.balance(account) == 1


async def test_a_caller_may_give_up_on_closed_books(books: Books) -> None:
    """A writer whose callers have all gone still posts what they asked for, and closes."""
    brand, account = books.brands[0], books.members[0].accounts[0]
    ledger = await books.ledger()
    tasks = [asyncio.create_task(ledger.submit(accrual(brand, account, 1))) for _ in range(50)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await ledger.close()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert await books.balance(account) == 50
    assert await books.broken_laws() == []

"""The writer: one answer to each command, once, whoever else is asking at the same time."""

import asyncio
from dataclasses import replace

import pytest

from brands.errors import (
    DomainError,
    IdempotencyKeyReused,
    InvalidIdempotencyKey,
    LedgerUnavailable,
)
from brands.ledger.commands import Command, Outcome
from brands.ledger.writer import Ledger
from brands.rejections import InsufficientPoints
from tests.brands.ledger.asking import (
    accrual,
    capture,
    claim,
    conversion,
    end_hold,
    expiry,
    hold,
    redemption,
    refusal,
    revaluation,
    reverse,
)
from tests.brands.ledger.books import Books


def rejections(answers: list[Outcome | DomainError]) -> list[DomainError]:
    """The rejections among some answers."""
    outcomes = [answer for answer in answers if isinstance(answer, Outcome)]
    assert len(outcomes) == len(answers)
    return [outcome.rejection for outcome in outcomes if outcome.rejection is not None]


@pytest.mark.parametrize("writers", [1, 3])
async def test_fifty_at_once_with_one_key_do_it_once(books: Books, writers: int) -> None:
    """50 simultaneous requests with one key post one transaction and get one answer, 49 of them
    replayed, whether they come to one writer or to several."""
    brand, account = books.brands[0], books.members[0].accounts[0]
    same = claim("once")
    ledgers = [await books.ledger() for _ in range(writers)]
    try:
        answers = await asyncio.gather(
            *(
                ledgers[n % writers].submit(accrual(brand, account, 7, claim=same))
                for n in range(50)
            )
        )
        later = await ledgers[0].submit(accrual(brand, account, 7, claim=same))
    finally:
        for ledger in ledgers:
            await ledger.close()
    assert len({answer.id for answer in [*answers, later]}) == 1
    assert [answer.replayed for answer in answers].count(False) == 1
    assert later.replayed
    assert await books.count_of("transactions") == 1
    assert await books.balance(account) == 7
    assert await books.broken_laws() == []


async def test_a_replay_is_the_same_answer_for_ever(books: Books, ledger: Ledger) -> None:
    """The answer to a repeated key is that to the first, whatever it was."""
    brand, account = books.brands[0], books.members[0].accounts[0]
    earned = accrual(brand, account, 50)
    placed, second = hold(account, 20), hold(account, 10)
    taken, released = capture(brand, placed, 5), end_hold(second)
    refused = refusal(books.members[0].book, InsufficientPoints(available=1, required=2))
    too_much = redemption(brand, account, 1_000)
    first: list[Command] = [earned, placed, second, taken, released, refused, too_much]
    answers = [await ledger.submit(command) for command in first]
    again: list[Command] = [
        accrual(brand, account, 50, claim=earned.claim),
        hold(account, 20, claim=placed.claim),
        hold(account, 10, claim=second.claim),
        capture(brand, placed, 5, claim=taken.claim),
        end_hold(second, claim=released.claim),
        refusal(
            books.members[0].book,
            InsufficientPoints(available=3, required=4),
            claim=refused.claim,
        ),
        redemption(brand, account, 1_000, claim=too_much.claim),
    ]
    assert await ledger.submit_many(again) == [replace(each, replayed=True) for each in answers]
    assert [answer.id for answer in answers] == [command.id for command in first]
    assert await books.broken_laws() == []


async def test_a_key_means_one_thing(books: Books, ledger: Ledger) -> None:
    """The same key with another intent is an error, posts nothing, and leaves the first answer."""
    brand, account = books.brands[0], books.members[0].accounts[0]
    first = await ledger.submit(accrual(brand, account, 7, claim=claim("k", meant="7")))
    with pytest.raises(IdempotencyKeyReused):
        await ledger.submit(accrual(brand, account, 8, claim=claim("k", meant="8")))
    again = await ledger.submit(accrual(brand, account, 7, claim=claim("k", meant="7")))
    assert again == replace(first, replayed=True)
    other = claim("k", client="somebody else", meant="8")
    assert not (await ledger.submit(accrual(brand, account, 8, claim=other))).replayed
    assert await books.balance(account) == 15


async def test_a_key_means_one_thing_while_in_flight(books: Books, ledger: Ledger) -> None:
    """Of two intents under one key at once, one is posted and the other is told so; a replay of a
    stored answer is not disturbed by a wrong intent on its way."""
    brand, account = books.brands[0], books.members[0].accounts[0]
    seven, eight = claim("k", meant="7"), claim("k", meant="8")
    answers = await ledger.submit_many(
        [accrual(brand, account, 7, claim=seven), accrual(brand, account, 8, claim=eight)]
    )
    assert isinstance(answers[0], Outcome)
    assert isinstance(answers[1], IdempotencyKeyReused)
    answers = await ledger.submit_many(
        [accrual(brand, account, 8, claim=eight), accrual(brand, account, 7, claim=seven)]
    )
    assert isinstance(answers[0], IdempotencyKeyReused)
    assert isinstance(answers[1], Outcome)
    assert answers[1].replayed
    assert await books.balance(account) == 7


@pytest.mark.parametrize("key", ["", "x" * 256, "nul\0"])
async def test_a_key_has_1_to_255_characters(books: Books, ledger: Ledger, key: str) -> None:
    """Any other key is refused before anything is written."""
    command = accrual(books.brands[0], books.members[0].accounts[0], 7)
    with pytest.raises(InvalidIdempotencyKey):
        await ledger.submit(replace(command, claim=claim("k")._replace(key=key)))
    assert await books.count_of("idempotency_keys") == 0


@pytest.mark.parametrize("key", ["x", "ü" * 255, '{a,"b"}\\', "NULL", " \t\n"])
async def test_any_text_may_be_a_key(books: Books, ledger: Ledger, key: str) -> None:
    """Keys, references and descriptions come back as they were given, whatever they contain."""
    brand, account = books.brands[0], books.members[0].accounts[0]
    command = accrual(brand, account, 7, claim=claim(key), reference=key, description=key)
    assert not (await ledger.submit(command)).replayed
    assert (await ledger.submit(accrual(brand, account, 7, claim=claim(key)))).replayed
    rows = await books.fetch("SELECT reference, description FROM transactions")
    assert rows == [{"reference": key, "description": key}]


async def test_a_refusal_sticks_to_its_key(books: Books, ledger: Ledger) -> None:
    """Refused, then funded, then asked again with the same key: refused in the same words."""
    brand, account = books.brands[0], books.members[0].accounts[0]
    poor = redemption(brand, account, 10)
    first = await ledger.submit(poor)
    await ledger.submit(accrual(brand, account, 100))
    again = await ledger.submit(redemption(brand, account, 10, claim=poor.claim))
    assert first.rejection == InsufficientPoints(available=0, required=10)
    assert again == replace(first, replayed=True)
    assert await books.balance(account) == 100
    with pytest.raises(InsufficientPoints) as refused:
        again.accepted()
    assert refused.value.replayed


async def test_every_caller_gets_a_refusal_of_her_own(books: Books, ledger: Ledger) -> None:
    """Of several callers refused at once, only the replayed ones are told that they are."""
    brand, account = books.brands[0], books.members[0].accounts[0]
    same = claim()
    answers = await asyncio.gather(
        *(ledger.submit(redemption(brand, account, 10, claim=same)) for _ in range(3))
    )
    raised = []
    for answer in answers:
        with pytest.raises(InsufficientPoints) as refused:
            answer.accepted()
        raised.append(refused.value)
    assert [error.replayed for error in raised] == [answer.replayed for answer in answers]
    assert [answer.replayed for answer in answers] == [False, True, True]


@pytest.mark.parametrize("writers", [1, 4])
async def test_twenty_debits_of_a_balance_that_suffices_for_one(books: Books, writers: int) -> None:
    """20 simultaneous conversions: one is made, 19 get `InsufficientPoints`."""
    (source, destination, _), (here, there, _) = books.brands, books.members[0].accounts
    ledgers = [await books.ledger() for _ in range(writers)]
    try:
        await ledgers[0].submit(accrual(source, here, 100))
        answers = await asyncio.gather(
            *(
                ledgers[n % writers].submit(conversion(source, here, destination, there, 60))
                for n in range(20)
            )
        )
    finally:
        for ledger in ledgers:
            await ledger.close()
    refused = rejections(list(answers))
    assert refused == [InsufficientPoints(available=40, required=60)] * 19
    assert await books.balance(here) == 40
    assert await books.broken_laws() == []


async def test_a_refused_command_leaves_its_neighbours_alone(books: Books, ledger: Ledger) -> None:
    """Among commands sent together each is judged for itself; a refused one leaves no trace."""
    brand = books.brands[0]
    accounts = [member.accounts[0] for member in books.members]
    commands = [
        make(brand, account, 10)
        for account in accounts
        for make in (redemption, accrual, redemption)
    ]
    answers = await ledger.submit_many(commands)
    assert rejections(answers) == [InsufficientPoints(available=0, required=10)] * len(accounts)
    refused = [each.id for each in answers if isinstance(each, Outcome) and each.rejection]
    posted = {str(row["id"]) for row in await books.fetch("SELECT id FROM transactions")}
    assert len(posted) == 2 * len(accounts)
    assert posted.isdisjoint(map(str, refused))
    assert await books.broken_laws() == []


async def test_due_work_is_done_once(books: Books, ledger: Ledger) -> None:
    """Expiry and revaluation have no key; asked many times at once they are posted once."""
    brand, member = books.brands[0], books.members[0]
    account = member.accounts[0]
    await ledger.submit(accrual(brand, account, 10, expires=1))
    changed = await books.publish(brand, 9_000)
    await ledger.submit_many([revaluation(brand, member.book) for _ in range(5)])
    await ledger.submit_many([expiry(changed, account) for _ in range(5)])
    kinds = [row["kind"] for row in await books.fetch("SELECT kind FROM transactions ORDER BY id")]
    assert sorted(kinds) == ["ACCRUAL", "EXPIRY", "REVALUATION"]
    assert await books.broken_laws() == []


async def test_more_lots_than_are_loaded_at_first(books: Books, ledger: Ledger) -> None:
    """A debit over more lots than a batch loads at first uses up the right ones."""
    brand, account = books.brands[0], books.members[0].accounts[0]
    earned = [accrual(brand, account, 1, expires=2**60 + number) for number in range(150)]
    await ledger.submit_many(earned)
    answers = await ledger.submit_many(
        [
            accrual(brand, account, 20, expires=2**61),
            redemption(brand, account, 100),
            redemption(brand, account, 71),
            redemption(brand, account, 60),
        ]
    )
    assert rejections(answers) == [InsufficientPoints(available=70, required=71)]
    rows = await books.fetch("SELECT remaining FROM lots WHERE spent = 0")
    assert [row["remaining"] for row in rows] == [10]
    assert await books.broken_laws() == []


async def test_a_reversal_finds_what_was_used_and_given_back(books: Books, ledger: Ledger) -> None:
    """Parts of a reversal in batches of their own restore the very lots, last used first."""
    brand, account = books.brands[0], books.members[0].accounts[0]
    for points in (10, 20, 30):
        await ledger.submit(accrual(brand, account, points, expires=2**60 + points))
    spent = await ledger.submit(redemption(brand, account, 45))
    remaining = []
    for points in (20, 20, 5):
        (await ledger.submit(reverse(spent.id, points))).accepted()
        rows = await books.fetch("SELECT remaining FROM lots ORDER BY expires_at")
        remaining.append([row["remaining"] for row in rows])
    assert remaining == [[0, 5, 30], [5, 20, 30], [10, 20, 30]]
    assert await books.broken_laws() == []


async def test_closing_answers_everybody(books: Books) -> None:
    """What is waiting when the writer closes is still posted; what comes later is turned away."""
    brand, account = books.brands[0], books.members[0].accounts[0]
    ledger = await books.ledger()
    waiting = [asyncio.create_task(ledger.submit(accrual(brand, account, 1))) for _ in range(600)]
    await asyncio.sleep(0)
    await ledger.close()
    assert {task.result().rejection for task in waiting} == {None}
    with pytest.raises(LedgerUnavailable):
        await ledger.submit(accrual(brand, account, 1))
    assert await books.balance(account) == 600

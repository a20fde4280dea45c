"""Points that go from one book to another, whoever else is writing either of them."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from brands.clock import now_micros
from brands.ids import new_id
from brands.ledger.batch import spent_tokens
from brands.ledger.chart import COALITION, AccountKind, stripe
from brands.ledger.commands import Command, Outcome, Token
from brands.ledger.memory import Memory
from brands.ledger.writer import Ledger
from brands.rejections import (
    InsufficientPoints,
    TokenSpent,
    TransferLimitReached,
    TransferNotCompleted,
)
from tests.brands.ledger.asking import (
    FAR,
    accrual,
    arrival_of,
    call_off,
    delayed,
    gift,
    limit,
    redemption,
    take_back,
)
from tests.brands.ledger.books import Books, some_books

HOUR = 3_600_000_000


async def closed(ledgers: Sequence[Ledger]) -> None:
    """Closes some writers."""
    for ledger in ledgers:
        await ledger.close()


@pytest.fixture(params=["memory", "lock"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How plain postings are judged on PostgreSQL: from memory where it may be, or under lock."""
    if request.param == "lock":
        monkeypatch.setattr(Memory, "serves", lambda *_: False)
    return str(request.param)


async def test_a_gift_to_another_book_is_there_in_both(
    books: Books, ledger: Ledger, way: str
) -> None:
    """Its two transactions are posted together; it is taken back in parts, in both books."""
    (source, destination, _), (sender, recipient) = books.brands, books.members[:2]
    assert sender.book != recipient.book
    (await ledger.submit(accrual(source, sender.accounts[0], 1_000))).accepted()
    given = gift(source, sender.accounts[0], destination, recipient.accounts[1], 1_000)
    (await ledger.submit(given)).accepted()
    seen = []
    for points in (None, 1, 499, 500):
        if points:
            (await ledger.submit(take_back(given, points))).accepted()
        accounts = sender.accounts[0], recipient.accounts[1]
        seen.append([await books.balance(account) for account in accounts])
        assert await books.broken_laws() == []
    assert seen == [[0, 640], [1, 639], [500, 320], [1_000, 0]]
    for member in (sender, recipient):
        clearing = stripe(member.book, COALITION, AccountKind.CLEARING)
        assert await books.balance(clearing) == 0


async def test_a_refused_gift_leaves_nothing_in_either_book(
    books: Books, ledger: Ledger, way: str
) -> None:
    """Refused for want of points it changes no account, and its neighbours are posted."""
    brand, (sender, recipient) = books.brands[0], books.members[:2]
    here, there = sender.accounts[0], recipient.accounts[0]
    answers = await ledger.submit_many(
        [
            accrual(brand, here, 10),
            gift(brand, here, brand, there, 11, caps=(limit(here, 11),)),
            gift(brand, here, brand, there, 10),
        ]
    )
    verdicts = [answer.rejection for answer in answers if isinstance(answer, Outcome)]
    assert verdicts == [None, InsufficientPoints(available=10, required=11), None]
    assert await books.count_of("transactions") == 3
    assert await books.count_of("transfers") == 1
    assert await books.count_of("cap_uses") == 0
    assert await books.broken_laws() == []


@pytest.mark.parametrize("writers", [1, 2])
async def test_a_limit_of_two_lets_two_of_ten_at_once_pass(
    books: Books, writers: int, way: str
) -> None:
    """Ten simultaneous gifts under a limit of two: two are made, eight are told of it, whether it
    is the giver's limit or that of the one who receives, in a book of its own."""
    brand, (sender, recipient) = books.brands[0], books.members[:2]
    here, there = sender.accounts[0], recipient.accounts[0]
    ledgers = [await books.ledger() for _ in range(writers)]
    try:
        for ledger in ledgers:
            (await ledger.submit(accrual(brand, here, 1_000))).accepted()
        for limited in (here, there):
            use = limit(limited, 10, most=1_000, times=2)
            answers = await asyncio.gather(
                *(
                    ledgers[n % writers].submit(gift(brand, here, brand, there, 10, caps=(use,)))
                    for n in range(10)
                )
            )
            refused = [each.rejection for each in answers if each.rejection is not None]
            assert len(refused) == 8
            for rejection in refused:
                assert isinstance(rejection, TransferLimitReached)
                assert (rejection.unit, rejection.used, rejection.remaining) == ("COUNT", 2, 0)
    finally:
        await closed(ledgers)
    assert await books.balance(there) == 40
    assert await books.count_of("cap_uses") == 4
    assert await books.broken_laws() == []


async def test_a_limit_given_back_elsewhere_has_room_again(books: Books, way: str) -> None:
    """A writer that remembers how much is used learns of what another has given back."""
    brand, (sender, recipient) = books.brands[0], books.members[:2]
    here, there = sender.accounts[0], recipient.accounts[0]
    use = limit(there, 10, times=1)
    ledgers = [await books.ledger() for _ in range(2)]
    try:
        (await ledgers[0].submit(accrual(brand, here, 100))).accepted()
        for _ in range(3):
            given = gift(brand, here, brand, there, 10, caps=(use,))
            (await ledgers[0].submit(given)).accepted()
            again = await ledgers[0].submit(replace(given, claim=None, id=new_id(sender.book)))
            assert isinstance(again.rejection, TransferLimitReached)
            (await ledgers[1].submit(take_back(given))).accepted()
    finally:
        await closed(ledgers)
    rows = await books.fetch("SELECT sum(points) AS points, sum(count) AS count FROM cap_uses")
    assert rows == [{"points": 0, "count": 0}]
    assert await books.broken_laws() == []


@pytest.mark.parametrize("writers", [1, 2])
async def test_points_under_way_arrive_or_are_called_off(
    books: Books, writers: int, way: str
) -> None:
    """Their arrival and their being called off at once, in different books: one of them is done,
    the other finds the token spent."""
    (source, destination, _), (sender, recipient) = books.brands, books.members[:2]
    here, there = sender.accounts[0], recipient.accounts[1]
    ledgers = [await books.ledger() for _ in range(writers)]
    chance = random.Random(writers)
    arrived = 0
    rounds = 12
    try:
        (await ledgers[0].submit(accrual(source, here, 10_000))).accepted()
        for _ in range(rounds):
            departure, arrival = delayed(source, here, destination, there, 100)
            (await ledgers[0].submit(departure)).accepted()
            both: list[Command] = [arrival, call_off(departure, deadline=FAR)]
            order = chance.sample(range(2), 2)
            answers = await asyncio.gather(
                *(ledgers[n % writers].submit(both[number]) for n, number in enumerate(order))
            )
            verdicts = {number: each.rejection for number, each in zip(order, answers, strict=True)}
            spent = TokenSpent(token=arrival_of(departure.id).name)
            assert list(verdicts.values()).count(None) == 1
            assert list(verdicts.values()).count(spent) == 1
            arrived += verdicts[0] is None
    finally:
        await closed(ledgers)
    assert await books.balance(here) == 10_000 - 100 * arrived
    assert await books.balance(there) == 64 * arrived
    assert await books.broken_laws() == []


async def test_points_do_not_arrive_early(books: Books, ledger: Ledger, way: str) -> None:
    """Before its time an arrival is refused, and, as it has no key, asked for again later."""
    brand, (sender, recipient) = books.brands[0], books.members[:2]
    here, there = sender.accounts[0], recipient.accounts[0]
    (await ledger.submit(accrual(brand, here, 10))).accepted()
    due = now_micros() + HOUR
    departure, arrival = delayed(brand, here, brand, there, 10, arrives_at=due)
    (await ledger.submit(departure)).accepted()
    for _ in range(2):
        early = await ledger.submit(arrival)
        assert early.rejection == TransferNotCompleted(status="PENDING")
    assert await books.broken_laws() == []
    (await ledger.submit(replace(arrival, not_before=due - 2 * HOUR))).accepted()
    assert await books.balance(there) == 10
    assert await books.broken_laws() == []


async def test_an_arrival_asked_for_twice_at_once_is_posted_once(
    books: Books, ledger: Ledger, way: str
) -> None:
    """It has no key: the first is told that it is posted, the second that it was."""
    brand, (sender, recipient) = books.brands[0], books.members[:2]
    here, there = sender.accounts[0], recipient.accounts[0]
    (await ledger.submit(accrual(brand, here, 10))).accepted()
    departure, arrival = delayed(brand, here, brand, there, 10)
    (await ledger.submit(departure)).accepted()
    answers = await ledger.submit_many([arrival, arrival])
    verdicts = [answer.rejection for answer in answers if isinstance(answer, Outcome)]
    assert verdicts == [None, TokenSpent(token=arrival_of(departure.id).name)]
    assert await books.balance(there) == 10
    assert await books.broken_laws() == []


@pytest.mark.parametrize("writers", [1, 2])
async def test_gifts_criss_cross(books: Books, writers: int, way: str) -> None:
    """Gifts between all books at once, with payments among them and through several lanes: none
    is lost, none is posted twice, no two writers deadlock."""
    brand = books.brands[0]
    accounts = [member.accounts[0] for member in books.members]
    ledgers = [await books.ledger(lanes=3) for _ in range(writers)]
    chance = random.Random(11)
    pairs = [chance.sample(accounts, 2) for _ in range(150)]
    commands: list[Command] = []
    for here, there in pairs:
        commands.append(gift(brand, here, brand, there, 7, caps=(limit(there, 7),)))
        commands.append(redemption(brand, here, 1))
    try:
        for account in accounts:
            (await ledgers[0].submit(accrual(brand, account, 10_000))).accepted()
        answers = await asyncio.gather(
            *(ledgers[n // 2 % writers].submit(command) for n, command in enumerate(commands))
        )
    finally:
        await closed(ledgers)
    assert {answer.rejection for answer in answers} == {None}
    balances = [await books.balance(account) for account in accounts]
    assert balances == [
        10_000 + sum(7 * (account == there) - 8 * (account == here) for here, there in pairs)
        for account in accounts
    ]
    if not books.is_sqlite:
        rows = await books.fetch(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        )
        assert rows == [{"deadlocks": 0}]
    assert await books.broken_laws() == []


def test_tokens_are_spent_in_one_order() -> None:
    """Whatever the order of the commands: two writers with the same tokens do not deadlock."""
    brand, account = some_books("", 1).brands[0], new_id(0)
    names = [(1, "a"), (0, "b"), (0, "a")]
    commands = [accrual(brand, account, 1, tokens=(Token(*name),)) for name in names]
    rows = spent_tokens(commands, [None] * 3, 1)
    assert [(row.book, row.key) for row in rows] == sorted(names)

"""Transfers made, called off and let arrive at once, by several writers of one coalition."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from itertools import cycle, pairwise
from random import Random
from typing import Any

import pytest

from brands.clock import now
from brands.coalition import Coalition, open_coalition
from brands.ids import book_of
from brands.moving.arriving import complete_transfers
from brands.moving.periods import period_of
from brands.moving.quotes import quote
from brands.moving.routes import TransferRequest
from brands.moving.transferring import Made, cancel, create
from brands.moving.transfers import Transfer, TransferStatus, transfers_by_id
from brands.rejections import (
    InsufficientPoints,
    QuoteUsed,
    TransferLimitReached,
    TransferNotCancellable,
)
from brands.rules import BlockBonus, Direction, Fee, Limit, Period, Ratio, RuleTerms
from tests.brands.giving import Giver, gift, givers, lay_down, sound
from tests.brands.stage import OPERATOR, balance, balances, give, key, open_brands

WRITERS = 3


@pytest.fixture
async def writers(url: str, coalition: Coalition) -> AsyncIterator[list[Coalition]]:
    """Writers of the coalition, each with connections of its own; on SQLite there is one.

    There are brands, and every writer knows them.
    """
    await open_brands(coalition)
    async with AsyncExitStack() as opened:
        made = [coalition]
        for _ in range(0 if coalition.database.is_sqlite else WRITERS - 1):
            made.append(await open_coalition(url))
            opened.push_async_callback(made[-1].close)
        yield made


async def informed(writers: Iterable[Coalition]) -> None:
    """Every writer learns of the rules that were published."""
    for writer in writers:
        await writer.registry.refresh()


async def at_once(*attempts: Any) -> tuple[list[Made], list[Exception]]:
    """What was made by attempts that were made at once, and what they were refused with."""
    answers = await asyncio.gather(*attempts, return_exceptions=True)
    return (
        [answer for answer in answers if isinstance(answer, Made)],
        [answer for answer in answers if isinstance(answer, Exception)],
    )


async def no_deadlocks(coalition: Coalition) -> bool:
    """Whether the database never had to break one."""
    if coalition.database.is_sqlite:
        return True
    rows = await coalition.database.fetch(
        "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    )
    return bool(rows[0]["deadlocks"] == 0)


async def test_what_suffices_for_one_gift_is_given_once(writers: list[Coalition]) -> None:
    """Of twenty gifts of one whole balance at once, to members of every book, one is made and
    nineteen are told what there was."""
    giver, *others = await givers(writers[0], 21, "AERO")
    await give(writers[0], giver, "AERO", 1_000)
    made, refused = await at_once(
        *(
            create(writer, giver.caller, gift(giver, other, 1_000, "AERO"), None, key())
            for writer, other in zip(cycle(writers), others, strict=False)
        )
    )
    assert len(made) == 1
    assert refused == [InsufficientPoints(path="pointsOut", available=0, required=1_000)] * 19
    found = await balances(writers[0], [each.at["AERO"] for each in (giver, *others)])
    assert sorted(found) == [*[0] * 20, 1_000]
    assert await sound(writers[0])


async def test_gifts_in_a_ring_keep_the_sum_and_do_not_deadlock(writers: list[Coalition]) -> None:
    """Members of every book who give to each other round a ring, both ways, all at once, do not
    wait for each other for ever, and together have what they had."""
    ring = await givers(writers[0], 8, "AERO")
    if not writers[0].database.is_sqlite:
        assert len({book_of(each.id) for each in ring}) > 1
    for each in ring:
        await give(writers[0], each, "AERO", 100)
    ways = [way for pair in pairwise([*ring, ring[0]]) for way in (pair, pair[::-1])]

    async def keeps_giving(writer: Coalition, giver: Giver, receiver: Giver) -> list[Any]:
        # One after the other, so that batches are small and many.
        answers = [
            await at_once(
                create(writer, giver.caller, gift(giver, receiver, points, "AERO"), None, key())
            )
            for points in (7, 60) * 4
        ]
        return [one for made, refused in answers for one in (*made, *refused)]

    series = await asyncio.gather(*(keeps_giving(each, *way) for each in writers for way in ways))
    answers = [answer for each in series for answer in each]
    made = [answer for answer in answers if isinstance(answer, Made)]
    refused = [answer for answer in answers if not isinstance(answer, Made)]
    assert len(answers) == len(writers) * 16 * 8
    assert {type(each) for each in refused} <= {InsufficientPoints}
    assert made
    found = await balances(writers[0], [each.at["AERO"] for each in ring])
    assert sum(found) == 800
    assert min(found) >= 0
    assert await no_deadlocks(writers[0])
    assert await sound(writers[0])


@pytest.mark.parametrize("direction", Direction)
async def test_a_limit_of_two_lets_two_through(
    writers: list[Coalition], direction: Direction
) -> None:
    """Of ten transfers at once under a limit of two a month, two are made; the others are told the
    limit and that nothing is left."""
    limit = Limit(Period.MONTH, direction, count=2)
    await lay_down(writers[0], "AERO", "HOTEL", RuleTerms(limits=(limit,)))
    await informed(writers)
    (person,) = await givers(writers[0], 1, "AERO", "HOTEL")
    await give(writers[0], person, "AERO", 1_000)
    request = TransferRequest(person.at["AERO"], person.at["HOTEL"], points_out=100)
    made, refused = await at_once(
        *(
            create(writer, person.caller, request, None, key())
            for writer, _ in zip(cycle(writers), range(10), strict=False)
        )
    )
    assert len(made) == 2
    assert [type(each) for each in refused] == [TransferLimitReached] * 8
    span = period_of(Period.MONTH, now(), "UTC")
    assert refused[0] == TransferLimitReached(
        path="pointsOut",
        period="MONTH",
        direction=direction.value,
        unit="COUNT",
        limit=2,
        used=2,
        remaining=0,
        resets_at=span.ends,
    )
    assert all(each == refused[0] for each in refused)
    assert await balances(writers[0], list(person.at.values())) == [800, 128]
    assert await sound(writers[0])


@pytest.mark.parametrize("race", [2, 20])
async def test_a_quote_is_executed_once(writers: list[Coalition], race: int) -> None:
    """Executions of one quote at once, under keys of their own, make one transfer; the others are
    told that it was used."""
    giver, other = await givers(writers[0], 2, "AERO")
    await give(writers[0], giver, "AERO", 100 * race)
    for _ in range(5 if race == 2 else 1):
        offer = await quote(writers[0], giver.caller, gift(giver, other, 20, "AERO"))
        made, refused = await at_once(
            *(
                create(writer, giver.caller, offer.id, None, key())
                for writer, _ in zip(cycle(writers), range(race), strict=False)
            )
        )
        assert [each.transfer.terms for each in made] == [offer.terms]
        assert [type(each) for each in refused] == [QuoteUsed] * (race - 1)
    assert await balance(writers[0], other.at["AERO"]) == (100 if race == 2 else 20)
    assert await sound(writers[0])


async def test_a_transfer_arrives_or_is_called_off(writers: list[Coalition]) -> None:
    """Transfers that are called off just when they are due, while two others let arrive what is
    due, each end one way or the other, and their points are in one place."""
    await lay_down(writers[0], "AERO", "AERO", RuleTerms(arrives_after_seconds=1))
    await informed(writers)
    giver, *others = await givers(writers[0], 41, "AERO")
    await give(writers[0], giver, "AERO", 4_000)
    made = []
    for other in others:
        order = gift(giver, other, 100, "AERO")
        made.append((await create(writers[0], giver.caller, order, None, key())).transfer)
        await asyncio.sleep(0.005)
    chance, finished = Random(7), asyncio.Event()
    # Some in good time, however slow the machine is; some too late; most in the very moment.
    late = [chance.uniform(-0.02, 0.005) for _ in others[5:-5]]
    late = [0.05] * 5 + late + [-0.5] * 5
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        for writer in (writers * 2)[:2]:
            group.create_task(keep_completing(writer, finished))
        answers = await asyncio.gather(
            *(called_off(writers[-1], giver, *each) for each in zip(made, late, strict=True))
        )
        finished.set()
    by_id = await transfers_by_id(writers[0], OPERATOR, [each.id for each in made])
    found = [by_id[each.id].status for each in made]
    ended = {True: TransferStatus.CANCELLED, False: TransferStatus.COMPLETED}
    assert found == [ended[answer] for answer in answers]
    assert len(set(found)) == 2, "the race was none"
    arrived = [0 if answer else 100 for answer in answers]
    assert await balances(writers[0], [each.at["AERO"] for each in others]) == arrived
    assert await balance(writers[0], giver.at["AERO"]) == 4_000 - sum(arrived)
    assert await sound(writers[0])


async def keep_completing(writer: Coalition, finished: asyncio.Event) -> None:
    """Lets arrive what is due, time and again, until nothing is under way."""
    pending = "SELECT count(*) AS n FROM pending_arrivals"
    while not finished.is_set() or (await writer.database.fetch(pending))[0]["n"]:
        await complete_transfers(writer)
        await asyncio.sleep(0.001)


async def called_off(writer: Coalition, giver: Giver, made: Transfer, late: float) -> bool:
    """Whether a transfer could be called off, so much later than it is due."""
    await asyncio.sleep((made.arrives_at - now()).total_seconds() + late)
    try:
        await cancel(writer, giver.caller, made.id, key())
    except TransferNotCancellable:
        return False
    return True


OLD = RuleTerms(ratio=Ratio(2, 1), fee=Fee(flat=1))
NEW = RuleTerms(ratio=Ratio(4, 1), block_bonus=BlockBonus(10, 2), fee=Fee(flat=10))


async def test_a_transfer_is_by_the_old_rule_or_by_the_new(writers: list[Coalition]) -> None:
    """While a rule is published, every transfer has all the figures of the old one or all those of
    the new, and none that was made after goes by the old."""
    await lay_down(writers[0], "AERO", "HOTEL", OLD)
    people = await givers(writers[0], 6, "AERO", "HOTEL")
    for person in people:
        await give(writers[0], person, "AERO", 10_000)
    published, made = asyncio.Event(), []

    async def transfers(writer: Coalition, person: Giver) -> None:
        order = TransferRequest(person.at["AERO"], person.at["HOTEL"], points_out=20)
        after = 0
        while after < 5:
            is_after = published.is_set()
            await writer.registry.refresh()
            answer = await create(writer, person.caller, order, None, key())
            made.append((is_after, answer.transfer))
            after += is_after

    async def publishes() -> None:
        await asyncio.sleep(0.05)
        await lay_down(writers[-1], "AERO", "HOTEL", NEW)
        published.set()

    await asyncio.gather(
        publishes(),
        *(
            transfers(writer, person)
            for writer, person in zip(cycle(writers), people, strict=False)
        ),
    )
    kinds = Counter(
        (is_after, each.terms.laid_down == NEW, each.terms.points_in, each.terms.figures.fee)
        for is_after, each in made
    )
    assert set(kinds) - {(False, True, 9, 10)} == {(False, False, 10, 1), (True, True, 9, 10)}
    arrived = sum(each.terms.points_in for _, each in made)
    assert sum(await balances(writers[0], [each.at["HOTEL"] for each in people])) == arrived
    assert await sound(writers[0])

"""Transfers of every kind, one after the other: foretold to the point, and taken back to it."""

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import NamedTuple
from uuid import UUID

import pytest

from brands.coalition import Coalition
from brands.errors import DomainError, TransferCycleGains
from brands.moving.arriving import complete_transfers
from brands.moving.pooling import answer, invite
from brands.moving.quotes import Quote, preview, quote
from brands.moving.routes import TransferRequest
from brands.moving.terms import Terms
from brands.moving.transferring import cancel, create, reverse
from brands.moving.transfers import Transfer, TransferStatus
from brands.publishing import publish
from brands.rules import RuleTerms
from brands.transactions import reverse as reverse_transaction
from brands.valuations import rates_of
from tests.brands.giving import Giver, givers, lay_down, random_terms, sound
from tests.brands.stage import OPERATOR, balances, give, key, open_brands

CODES = ("AERO", "HOTEL", "GROCER")


async def cast(coalition: Coalition, points: int) -> list[Giver]:
    """Four members with points at three brands; the first two are of one household."""
    await open_brands(coalition)
    people = await givers(coalition, 4, *CODES)
    for person in people:
        for code in CODES:
            await give(coalition, person, code, points)
    invited = await invite(coalition, people[0].caller, people[1].named["AERO"])
    await answer(coalition, people[1].caller, invited.id, accept=True)
    return people


class Move(NamedTuple):
    """A request, and who makes it."""

    giver: Giver
    request: TransferRequest


def random_move(chance: Random, people: list[Giver], source: str, destination: str) -> Move:
    """A conversion, where there can be one, or a gift, perhaps within the household."""
    giver = chance.choice(people)
    order = TransferRequest(giver.at[source], giver.at[destination], points_in=30)
    if chance.random() < 0.5:
        order = replace(order, points_out=chance.randint(1, 200), points_in=None)
    if source == destination or chance.random() < 0.6:
        receiver = chance.choice([each for each in people if each is not giver])
        order = replace(order, destination=None, recipient=receiver.named[destination])
    return Move(giver, order)


async def told(attempt: Awaitable[Terms]) -> Terms | DomainError:
    """What is answered: terms, or a refusal."""
    try:
        return await attempt
    except DomainError as refusal:
        return refusal


async def executed(coalition: Coalition, giver: Giver, order: UUID | TransferRequest) -> Terms:
    """The terms of a transfer that is made, when its points are where they say."""
    made = (await create(coalition, giver.caller, order, None, key())).transfer
    return made.terms


async def quoted(coalition: Coalition, move: Move, offers: list[Quote]) -> Terms:
    """The terms of a quote, which is put with the others."""
    offers.append(await quote(coalition, move.giver.caller, move.request))
    return offers[-1].terms


@pytest.mark.parametrize("seed", [1, 2])
async def test_what_is_foretold_is_what_happens(coalition: Coalition, seed: int) -> None:
    """By whatever rule, a preview, a quote and the transfer say the same to the point, or refuse
    in the same words, and just so many points leave and arrive."""
    chance, people = Random(seed), await cast(coalition, 10_000)
    expected = await standing(coalition, people)
    made = 0
    for _ in range(25):
        source, destination = chance.choice(CODES), chance.choice(CODES)
        household = chance.random() < 0.4
        terms = random_terms(chance)
        await lay_down(coalition, source, destination, terms, household=household)
        for _ in range(3):
            move = random_move(chance, people, source, destination)
            foretold = await told(preview(coalition, move.giver.caller, move.request))
            offers: list[Quote] = []
            assert await told(quoted(coalition, move, offers)) == foretold
            order = offers[0].id if offers and chance.random() < 0.5 else move.request
            assert await told(executed(coalition, move.giver, order)) == foretold
            if isinstance(foretold, Terms):
                made += 1
                expected[foretold.source] -= foretold.points_out
                expected[foretold.destination] += foretold.points_in
    assert made > 30
    await everything_arrives(coalition)
    assert await standing(coalition, people) == expected
    assert await sound(coalition)


async def test_a_quote_is_executed_as_it_was_whatever_is_published(coalition: Coalition) -> None:
    """Quotes of every kind, executed after new rates and new rules were published for all that
    they go by, give exactly the figures that they locked."""
    chance, people = Random(3), await cast(coalition, 10_000)
    offers: list[tuple[Move, Quote]] = []
    for _ in range(24):
        source, destination = chance.choice(CODES), chance.choice(CODES)
        terms = replace(random_terms(chance), limits=())
        await lay_down(coalition, source, destination, terms, household=chance.random() < 0.4)
        move = random_move(chance, people, source, destination)
        made: list[Quote] = []
        await told(quoted(coalition, move, made))
        offers += [(move, each) for each in made]
    assert len(offers) > 12
    await publish_otherwise(coalition, chance)
    expected = await standing(coalition, people)
    changed = 0
    chance.shuffle(offers)
    for move, offer in offers:
        changed += await told(preview(coalition, move.giver.caller, move.request)) != offer.terms
        assert await executed(coalition, move.giver, offer.id) == offer.terms
        expected[offer.terms.source] -= offer.terms.points_out
        expected[offer.terms.destination] += offer.terms.points_in
    assert changed == len(offers)
    await everything_arrives(coalition)
    assert await standing(coalition, people) == expected
    assert await sound(coalition)


async def publish_otherwise(coalition: Coalition, chance: Random) -> None:
    """New rules for every pair, some of them closed, and new rates for every brand."""
    for source in CODES:
        for destination in CODES:
            closed = RuleTerms(closed=True)
            for household in (False, True):
                terms = chance.choice([closed, random_terms(chance)])
                await lay_down(coalition, source, destination, terms, household=household)
    for code, value in (("AERO", "0.0101"), ("HOTEL", "0.0122"), ("GROCER", "0.0049")):
        try:
            await publish(coalition, OPERATOR, code, rates_of(Decimal(value)), None)
        except TransferCycleGains:
            continue


@pytest.mark.parametrize("seed", [4, 5, 6])
async def test_what_is_taken_back_never_was(coalition: Coalition, seed: int) -> None:
    """A history of points earned, converted, given away, delayed and called off, taken back in any
    order, whole and in parts, leaves every balance, lot and limit as it had been."""
    chance, people = Random(seed), await cast(coalition, 300)
    for source in CODES:
        for destination in CODES:
            await lay_down(coalition, source, destination, random_terms(chance))
    await lay_down(coalition, "AERO", "AERO", random_terms(chance), household=True)
    before = await books(coalition)
    history: list[Done] = []
    for _ in range(50):
        history += await something(coalition, chance, people)
    await everything_arrives(coalition)
    assert len(history) > 25
    assert await books(coalition) != before
    await take_all_back(coalition, chance, history)
    assert await books(coalition) == before
    assert await sound(coalition)


class Done(NamedTuple):
    """Something that moved points: from where, to where, how many, and what takes it back."""

    id: UUID
    source: UUID | None
    destination: UUID
    points: int


async def something(coalition: Coalition, chance: Random, people: list[Giver]) -> list[Done]:
    """Something random is done, if the rules and the points allow it."""
    if chance.random() < 0.2:
        person, code = chance.choice(people), chance.choice(CODES)
        points = chance.randint(1, 100)
        return [Done(await give(coalition, person, code, points), None, person.at[code], points)]
    move = random_move(chance, people, chance.choice(CODES), chance.choice(CODES))
    try:
        made = (await create(coalition, move.giver.caller, move.request, None, key())).transfer
    except DomainError:
        return []
    if made.status is TransferStatus.PENDING and chance.random() < 0.3:
        await cancel(coalition, move.giver.caller, made.id, key())
        return []
    return [Done(made.id, made.terms.source, made.terms.destination, made.terms.points_out)]


async def take_all_back(coalition: Coalition, chance: Random, history: list[Done]) -> None:
    """Takes back at random whatever brought points that went nowhere else since."""
    while history:
        free = [
            place
            for place, done in enumerate(history)
            if all(later.source != done.destination for later in history[place + 1 :])
        ]
        place = chance.choice(free)
        done = history[place]
        part = chance.choice([done.points, chance.randint(1, done.points)])
        taken = None if part == done.points else part
        await take_back(coalition, done, taken)
        history[place : place + 1] = [done._replace(points=done.points - part)] if taken else []


async def take_back(coalition: Coalition, done: Done, points: int | None) -> None:
    """Reverses a transfer or what was earned, whole or in part."""
    if done.source is None:
        await reverse_transaction(coalition, OPERATOR, done.id, points, "test", key())
        return
    made: Transfer = (await reverse(coalition, OPERATOR, done.id, points, "test", key())).transfer
    assert (made.status is TransferStatus.REVERSED) == (points is None)


async def everything_arrives(coalition: Coalition) -> None:
    """Waits for what is under way."""
    pending = "SELECT count(*) AS n FROM pending_arrivals"
    async with asyncio.timeout(10):
        while (await coalition.database.fetch(pending))[0]["n"]:
            await asyncio.sleep(0.05)
            await complete_transfers(coalition)


async def standing(coalition: Coalition, people: list[Giver]) -> dict[UUID, int]:
    """The members' balances, by membership."""
    accounts = [account for person in people for account in person.at.values()]
    return dict(zip(accounts, await balances(coalition, accounts), strict=True))


async def books(coalition: Coalition) -> dict[str, object]:
    """Every balance, what is left of every lot, and what is used of every limit."""
    found: dict[str, object] = {}
    for name, sql in {
        "accounts": "SELECT id, balance, held, floor FROM accounts ORDER BY id",
        "lots": "SELECT account_id, transaction_id, remaining, expires_at FROM lots"
        " WHERE remaining > 0 ORDER BY account_id, transaction_id",
        "limits": 'SELECT account_id, name, sum(points) AS points, sum("count") AS times'
        " FROM cap_uses GROUP BY account_id, name"
        ' HAVING sum(points) <> 0 OR sum("count") <> 0 ORDER BY account_id, name',
        "under way": "SELECT transfer_id FROM pending_arrivals",
    }.items():
        rows = await coalition.database.fetch(sql)
        found[name] = [tuple(str(value) for value in dict(row).values()) for row in rows]
    return found

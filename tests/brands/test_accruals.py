"""Accruals: points issued at the rates of their day, and the sponsor's money behind them."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from brands.accruals import Accrual, accrue, accrue_many
from brands.callers import Caller
from brands.clock import now
from brands.coalition import Coalition
from brands.errors import (
    DomainError,
    EventInFuture,
    IdempotencyKeyReused,
    InvalidIdempotencyKey,
    InvalidInput,
    MembershipNotFound,
    NotPermitted,
    PointsNotPositive,
    PointsOutOfRange,
)
from brands.ids import new_id
from brands.ledger.chart import TransactionKind
from brands.ledger.commands import Outcome
from brands.memberships import close_membership, lots_of
from brands.money import MAX_POINTS
from brands.publishing import publish
from brands.rejections import AmountTooLarge, MembershipClosed
from brands.transactions import transactions_by_id
from brands.valuations import rates_of
from tests.brands.stage import (
    AGENCY,
    OPERATOR,
    Person,
    acting_for,
    balance,
    enrol,
    everything,
    key,
    money,
    open_brands,
)


async def shopper(coalition: Coalition) -> tuple[Person, Accrual]:
    """A member at AERO and HOTEL, and an accrual of 100 points at AERO to be made."""
    brands = await open_brands(coalition)
    person = await enrol(coalition, "AERO", "HOTEL")
    return person, Accrual(
        person.at["AERO"], brands["AERO"].id, 100, "flight 7", "A flight", None, key()
    )


async def test_points_issued_are_paid_for(coalition: Coalition) -> None:
    """The member gets the points, the pool their value, the margin what the issue price is above
    it, and the brand owes both."""
    person, earned = await shopper(coalition)
    outcome = await accrue(coalition, OPERATOR, earned)
    assert await balance(coalition, person.at["AERO"]) == 100
    assert await money(coalition, person, "AERO") == {
        "AERO.POOL": 100 * 10_000,
        "AERO.SETTLEMENT": -100 * 12_000,
        "MARGIN": 100 * 2_000,
    }
    found = (await transactions_by_id(coalition, OPERATOR, [outcome.id]))[outcome.id]
    assert (found.kind, found.points) == (TransactionKind.ACCRUAL, 100)
    assert (found.reference, found.description) == ("flight 7", "A flight")


async def test_points_count_at_the_rates_of_their_day(coalition: Coalition) -> None:
    """Points earned before a new valuation cost the issue price of their day; the pool holds
    today's value, and the brand bears the difference."""
    person, earned = await shopper(coalition)
    day = now()
    await publish(coalition, OPERATOR, "AERO", rates_of(Decimal("0.020")), None)
    await accrue(coalition, OPERATOR, replace(earned, event_at=day))
    assert await money(coalition, person, "AERO") == {
        "AERO.POOL": 100 * 20_000,
        "AERO.SETTLEMENT": -100 * 12_000 - 100 * 10_000,
        "MARGIN": 100 * 2_000,
    }


async def test_before_the_first_valuation_the_first_applies(coalition: Coalition) -> None:
    """Points earned long before the brand joined are issued at its first rates, and their lot says
    when they were earned."""
    person, earned = await shopper(coalition)
    long_ago = now() - timedelta(days=10_000)
    await accrue(coalition, OPERATOR, replace(earned, event_at=long_ago))
    assert (await money(coalition, person, "AERO"))["AERO.SETTLEMENT"] == -100 * 12_000
    (lot,) = (await lots_of(coalition, OPERATOR, [person.at["AERO"]]))[person.at["AERO"]]
    assert (lot.amount, lot.earned_at, lot.expires_at) == (100, long_ago, None)


async def test_an_accrual_sent_again_is_one(coalition: Coalition) -> None:
    """Fifty simultaneous accruals with one key give the points once and get one answer; the key
    does not do for another."""
    person, earned = await shopper(coalition)
    outcomes = await asyncio.gather(*(accrue(coalition, OPERATOR, earned) for _ in range(50)))
    assert len({outcome.id for outcome in outcomes}) == 1
    assert [outcome.replayed for outcome in outcomes].count(False) == 1
    for other in (replace(earned, points=101), replace(earned, event_at=now())):
        with pytest.raises(IdempotencyKeyReused):
            await accrue(coalition, OPERATOR, other)
    assert await balance(coalition, person.at["AERO"]) == 100


async def test_who_may_issue(coalition: Coalition) -> None:
    """A brand and an operator issue points; a member may not; to others she is not there."""
    person, earned = await shopper(coalition)
    brands = coalition.registry.snapshot
    for caller in (OPERATOR, acting_for(brands.brand("AERO"))):
        await accrue(coalition, caller, replace(earned, idempotency_key=key()))
    before = await everything(coalition)
    refused: list[tuple[Caller, type[DomainError]]] = [
        (person.caller, NotPermitted),
        (acting_for(brands.brand("HOTEL")), MembershipNotFound),
        (AGENCY, MembershipNotFound),
    ]
    for caller, error in refused:
        with pytest.raises(error):
            await accrue(coalition, caller, replace(earned, idempotency_key=key()))
    assert await everything(coalition) == before


async def test_what_makes_no_sense_is_not_accrued(coalition: Coalition) -> None:
    """A malformed accrual is refused, one by one or among many, and nothing has changed."""
    person, earned = await shopper(coalition)
    hotel = coalition.registry.snapshot.brand("HOTEL")
    cases: list[tuple[Accrual, type[DomainError]]] = [
        (replace(earned, points=0), PointsNotPositive),
        (replace(earned, points=-1), PointsNotPositive),
        (replace(earned, points=MAX_POINTS + 1), PointsOutOfRange),
        (replace(earned, membership_id=new_id(0)), MembershipNotFound),
        (replace(earned, brand_id=hotel.id), MembershipNotFound),
        (replace(earned, event_at=now() + timedelta(minutes=6)), EventInFuture),
        (replace(earned, reference="r" * 256), InvalidInput),
        (replace(earned, description="d" * 501), InvalidInput),
        (replace(earned, idempotency_key=""), InvalidIdempotencyKey),
        (replace(earned, idempotency_key="k" * 256), InvalidIdempotencyKey),
    ]
    before = await everything(coalition)
    for accrual, error in cases:
        with pytest.raises(error):
            await accrue(coalition, OPERATOR, accrual)
    answers = await accrue_many(coalition, OPERATOR, [accrual for accrual, _ in cases])
    assert [type(answer) for answer in answers] == [error for _, error in cases]
    assert await everything(coalition) == before
    slightly_ahead = replace(earned, event_at=now() + timedelta(minutes=4), reference="r" * 255)
    await accrue(coalition, OPERATOR, slightly_ahead)
    assert await balance(coalition, person.at["AERO"]) == 100


async def test_many_are_answered_each_for_itself(coalition: Coalition) -> None:
    """Among many accruals each has its own answer, in order: those refused fail no other."""
    person, earned = await shopper(coalition)
    hotel = coalition.registry.snapshot.brand("HOTEL")
    await close_membership(coalition, OPERATOR, person.at["HOTEL"])
    closed = replace(earned, membership_id=person.at["HOTEL"], brand_id=hotel.id)
    asked = [
        earned,
        replace(closed, idempotency_key=key()),
        replace(earned, points=0),
        replace(earned, idempotency_key=key()),
        earned,
    ]
    answers = await accrue_many(coalition, OPERATOR, asked)
    kinds = [Outcome, MembershipClosed, PointsNotPositive, Outcome, Outcome]
    assert [type(answer) for answer in answers] == kinds
    first, last = answers[0], answers[4]
    assert isinstance(first, Outcome)
    assert isinstance(last, Outcome)
    assert (last.id, first.replayed, last.replayed) == (first.id, False, True)
    assert await balance(coalition, person.at["AERO"]) == 200
    assert await accrue_many(coalition, OPERATOR, []) == []


async def test_what_the_books_cannot_hold_is_refused(coalition: Coalition) -> None:
    """Points whose money is beyond what the books can hold are not issued."""
    person, earned = await shopper(coalition)
    with pytest.raises(AmountTooLarge):
        await accrue(coalition, OPERATOR, replace(earned, points=MAX_POINTS))
    assert await balance(coalition, person.at["AERO"]) == 0

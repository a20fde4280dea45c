"""Adjustments: points given or taken by an operator, with a reason."""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import pytest

from brands.adjustments import adjust
from brands.clock import now
from brands.coalition import Coalition
from brands.errors import (
    BrandNotFound,
    DomainError,
    EventInFuture,
    InvalidInput,
    MembershipNotFound,
    NotPermitted,
    PointsOutOfRange,
)
from brands.ids import new_id
from brands.ledger.chart import TransactionKind
from brands.ledger.commands import Outcome
from brands.money import MAX_POINTS
from brands.rejections import InsufficientPoints
from brands.transactions import transactions_by_id
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


class Asked(NamedTuple):
    """What an operator may ask for, but for the key."""

    membership: UUID
    points: int
    reason: str
    event_at: datetime | None
    sponsor: str | None


async def member(coalition: Coalition) -> Person:
    """A member at AERO."""
    await open_brands(coalition)
    return await enrol(coalition, "AERO")


async def adjusted(
    coalition: Coalition, person: Person, points: int, sponsor: str | None = None
) -> Outcome:
    """An adjustment at AERO."""
    return await adjust(
        coalition, OPERATOR, person.at["AERO"], points, "goodwill", None, sponsor, key()
    )


async def test_points_given_are_paid_for_by_the_sponsor(coalition: Coalition) -> None:
    """Points given cost their sponsor the issue price, of which the pool gets the value; the brand
    itself is the sponsor unless another is named."""
    person = await member(coalition)
    outcome = await adjusted(coalition, person, 100)
    await adjusted(coalition, person, 50, "HOTEL")
    assert await balance(coalition, person.at["AERO"]) == 150
    assert await money(coalition, person, "AERO", "HOTEL") == {
        "AERO.POOL": 150 * 10_000,
        "AERO.SETTLEMENT": -100 * 12_000,
        "HOTEL.POOL": 0,
        "HOTEL.SETTLEMENT": -50 * 12_000,
        "MARGIN": 150 * 2_000,
    }
    found = (await transactions_by_id(coalition, OPERATOR, [outcome.id]))[outcome.id]
    assert (found.kind, found.points) == (TransactionKind.ADJUSTMENT, 100)
    assert found.description == "goodwill"


async def test_points_taken_give_their_value_back(coalition: Coalition) -> None:
    """Points taken back return their value, not their price, to the sponsor."""
    person = await member(coalition)
    await adjusted(coalition, person, 100)
    outcome = await adjusted(coalition, person, -40)
    assert await balance(coalition, person.at["AERO"]) == 60
    assert await money(coalition, person, "AERO") == {
        "AERO.POOL": 60 * 10_000,
        "AERO.SETTLEMENT": -100 * 12_000 + 40 * 10_000,
        "MARGIN": 100 * 2_000,
    }
    found = (await transactions_by_id(coalition, OPERATOR, [outcome.id]))[outcome.id]
    assert found.points == -40


async def test_no_more_is_taken_than_there_is(coalition: Coalition) -> None:
    """Points that the member does not have cannot be taken, and the refusal sticks to its key."""
    person = await member(coalition)
    await adjusted(coalition, person, 100)
    once = key()
    for replayed in (False, True):
        with pytest.raises(InsufficientPoints) as refusal:
            await adjust(coalition, OPERATOR, person.at["AERO"], -101, "mistake", None, None, once)
        assert (refusal.value.available, refusal.value.required) == (100, 101)
        assert refusal.value.replayed is replayed
        await adjusted(coalition, person, 1_000)
    assert await balance(coalition, person.at["AERO"]) == 2_100


async def test_only_operators_adjust(coalition: Coalition) -> None:
    """Nobody but an operator adjusts points, and nothing changes."""
    person = await member(coalition)
    aero = acting_for(coalition.registry.snapshot.brand("AERO"))
    before = await everything(coalition)
    for caller in (person.caller, aero, AGENCY):
        with pytest.raises(NotPermitted):
            await adjust(coalition, caller, person.at["AERO"], 1, "mine", None, None, key())
    assert await everything(coalition) == before


async def test_what_makes_no_sense_is_not_adjusted(coalition: Coalition) -> None:
    """A malformed adjustment is refused by field, and nothing changes."""
    person = await member(coalition)
    fine = Asked(person.at["AERO"], 1, "why", None, None)
    cases: list[tuple[type[DomainError], str, Asked]] = [
        (InvalidInput, "points", fine._replace(points=0)),
        (PointsOutOfRange, "points", fine._replace(points=MAX_POINTS + 1)),
        (PointsOutOfRange, "points", fine._replace(points=-MAX_POINTS - 1)),
        (InvalidInput, "reason", fine._replace(reason="")),
        (InvalidInput, "reason", fine._replace(reason="r" * 501)),
        (EventInFuture, "eventAt", fine._replace(event_at=now() + timedelta(minutes=6))),
        (MembershipNotFound, "membership", fine._replace(membership=new_id(0))),
        (BrandNotFound, "sponsor", fine._replace(sponsor="NOBODY")),
    ]
    before = await everything(coalition)
    for error, path, asked in cases:
        with pytest.raises(error) as refusal:
            await adjust(coalition, OPERATOR, *asked, key())
        assert refusal.value.path == path
    assert await everything(coalition) == before
    await adjust(coalition, OPERATOR, *fine, key())
    assert await balance(coalition, person.at["AERO"]) == 1

"""Holds: points set aside, and what ends it, once."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from brands import holds
from brands.callers import Caller
from brands.coalition import Coalition
from brands.errors import (
    DomainError,
    HoldNotFound,
    InvalidInput,
    MembershipNotFound,
    NotPermitted,
    PointsNotPositive,
    PointsOutOfRange,
)
from brands.holds import Hold, HoldStatus, capture, holds_by_id, place, void
from brands.ids import new_id
from brands.ledger.chart import TransactionKind
from brands.memberships import close_membership, memberships_by_id
from brands.money import MAX_POINTS
from brands.rejections import (
    CaptureExceedsHold,
    HoldNotPending,
    InsufficientPoints,
    MembershipClosed,
)
from brands.transactions import transactions_by_id
from tests.brands.stage import (
    AGENCY,
    OPERATOR,
    Person,
    acting_for,
    balance,
    enrol,
    everything,
    give,
    key,
    money,
    open_brands,
)

HOUR = timedelta(hours=1)


async def guest(coalition: Coalition) -> Person:
    """A member with 100 points at AERO."""
    await open_brands(coalition)
    person = await enrol(coalition, "AERO", "HOTEL")
    await give(coalition, person, "AERO", 100)
    return person


async def held(coalition: Coalition, person: Person, points: int, lasts: timedelta = HOUR) -> Hold:
    """A hold of so many of her points at AERO."""
    return (await place(coalition, OPERATOR, person.at["AERO"], points, lasts, key())).hold


async def posted_and_held(coalition: Coalition, person: Person) -> tuple[int, int]:
    """Her points at AERO, and how many of them are held."""
    id = person.at["AERO"]
    membership = (await memberships_by_id(coalition, OPERATOR, [id]))[id]
    return membership.posted, membership.held


async def test_held_points_cannot_be_spent(coalition: Coalition) -> None:
    """A hold posts nothing and leaves less to be held or spent."""
    person = await guest(coalition)
    hold = await held(coalition, person, 80)
    assert (hold.status, hold.points, hold.captured) == (HoldStatus.PENDING, 80, 0)
    assert (hold.ended_at, hold.transaction_id) == (None, None)
    assert await posted_and_held(coalition, person) == (100, 80)
    with pytest.raises(InsufficientPoints) as refusal:
        await held(coalition, person, 21)
    assert (refusal.value.available, refusal.value.required) == (20, 21)


@pytest.mark.parametrize(("points", "captured"), [(None, 80), (80, 80), (30, 30)])
async def test_a_capture_redeems_and_releases_the_rest(
    coalition: Coalition, points: int | None, captured: int
) -> None:
    """Captured points are redeemed at the brand, which is paid their value; the rest is free."""
    person = await guest(coalition)
    before = await money(coalition, person, "AERO")
    hold = await held(coalition, person, 80)
    answer = await capture(coalition, OPERATOR, hold.id, points, key(), "till 4", "A meal")
    assert (answer.hold.status, answer.hold.captured) == (HoldStatus.CAPTURED, captured)
    assert await posted_and_held(coalition, person) == (100 - captured, 0)
    after = await money(coalition, person, "AERO")
    assert {name: after[name] - before[name] for name in after} == {
        "AERO.POOL": -captured * 10_000,
        "AERO.SETTLEMENT": captured * 10_000,
        "MARGIN": 0,
    }
    id = answer.hold.transaction_id
    assert id is not None
    found = (await transactions_by_id(coalition, OPERATOR, [id]))[id]
    assert (found.kind, found.points) == (TransactionKind.REDEMPTION, captured)
    assert (found.reference, found.description) == ("till 4", "A meal")


async def test_a_voided_hold_frees_its_points(coalition: Coalition) -> None:
    """Voiding releases all that was held and posts nothing."""
    person = await guest(coalition)
    hold = await held(coalition, person, 80)
    answer = await void(coalition, OPERATOR, hold.id, key())
    assert answer.hold.status is HoldStatus.VOIDED
    assert answer.hold.transaction_id is None
    assert await posted_and_held(coalition, person) == (100, 0)


async def test_a_hold_ends_once(coalition: Coalition) -> None:
    """Of ten captures and ten voids at once one does it; the others are told what became of it,
    and each answer sticks to its key."""
    person = await guest(coalition)
    hold = await held(coalition, person, 80)
    keys = [key() for _ in range(10)]
    first, again = [
        await asyncio.gather(
            *(capture(coalition, OPERATOR, hold.id, 50, f"{each}-c") for each in keys),
            *(void(coalition, OPERATOR, hold.id, f"{each}-v") for each in keys),
            return_exceptions=True,
        )
        for _ in range(2)
    ]
    refused = [isinstance(answer, HoldNotPending) for answer in first]
    assert refused.count(False) == 1
    assert [isinstance(answer, HoldNotPending) for answer in again] == refused
    after = (await holds_by_id(coalition, OPERATOR, [hold.id]))[hold.id]
    spent = 50 if after.status is HoldStatus.CAPTURED else 0
    assert await posted_and_held(coalition, person) == (100 - spent, 0)


async def test_a_request_sent_again_gets_the_same_hold(coalition: Coalition) -> None:
    """A hold placed, captured or voided under the same key again is the same one, even after its
    end."""
    person = await guest(coalition)
    aero, once, twice = person.at["AERO"], key(), key()
    first = await place(coalition, OPERATOR, aero, 10, HOUR, once)
    captured = await capture(coalition, OPERATOR, first.hold.id, None, twice)
    again = await place(coalition, OPERATOR, aero, 10, HOUR, once)
    assert (first.replayed, again.replayed) == (False, True)
    assert again.hold == captured.hold
    recaptured = await capture(coalition, OPERATOR, first.hold.id, None, twice)
    assert (recaptured.hold, recaptured.replayed) == (captured.hold, True)
    assert await posted_and_held(coalition, person) == (90, 0)


async def test_no_more_is_captured_than_was_held(coalition: Coalition) -> None:
    """A capture beyond the hold is refused and the hold is still pending."""
    person = await guest(coalition)
    hold = await held(coalition, person, 80)
    with pytest.raises(CaptureExceedsHold) as refusal:
        await capture(coalition, OPERATOR, hold.id, 81, key())
    assert (refusal.value.points, refusal.value.held) == (81, 80)
    assert await posted_and_held(coalition, person) == (100, 80)


async def test_an_expired_hold_cannot_be_captured(
    coalition: Coalition, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After its time a hold is not captured, whether or not anybody has swept it away."""
    person = await guest(coalition)
    monkeypatch.setattr(holds, "_SECOND", timedelta(0))
    hold = await held(coalition, person, 80, timedelta(0))
    with pytest.raises(HoldNotPending):
        await capture(coalition, OPERATOR, hold.id, None, key())
    assert await balance(coalition, person.at["AERO"]) == 100


async def test_who_may_hold(coalition: Coalition) -> None:
    """A brand and operators hold, capture and void; a member sees her holds but may not; to all
    others there are none, and nothing changes."""
    person = await guest(coalition)
    brands = coalition.registry.snapshot
    aero, hotel = acting_for(brands.brand("AERO")), acting_for(brands.brand("HOTEL"))
    account = person.at["AERO"]
    hold = (await place(coalition, aero, account, 10, HOUR, key())).hold
    before = await everything(coalition)
    refused: list[tuple[type[DomainError], type[DomainError], Caller]] = [
        (NotPermitted, NotPermitted, person.caller),
        (MembershipNotFound, HoldNotFound, hotel),
        (MembershipNotFound, HoldNotFound, AGENCY),
    ]
    for caller in (person.caller, aero, OPERATOR):
        assert await holds_by_id(coalition, caller, [hold.id]) == {hold.id: hold}
    for at_membership, at_hold, caller in refused:
        with pytest.raises(at_membership):
            await place(coalition, caller, account, 1, HOUR, key())
        with pytest.raises(at_hold):
            await capture(coalition, caller, hold.id, None, key())
        with pytest.raises(at_hold):
            await void(coalition, caller, hold.id, key())
    assert await holds_by_id(coalition, hotel, [hold.id]) == {}
    assert await everything(coalition) == before
    await capture(coalition, aero, hold.id, None, key())


async def test_what_makes_no_sense_is_not_held(coalition: Coalition) -> None:
    """A malformed hold is refused by field, and nothing changes."""
    person = await guest(coalition)
    account, long = person.at["AERO"], timedelta(days=367)
    cases: list[tuple[type[DomainError], str, UUID, int, timedelta]] = [
        (PointsNotPositive, "points", account, 0, HOUR),
        (PointsOutOfRange, "points", account, MAX_POINTS + 1, HOUR),
        (InvalidInput, "lasts", account, 1, timedelta(0)),
        (InvalidInput, "lasts", account, 1, long),
        (MembershipNotFound, "membership", new_id(0), 1, HOUR),
    ]
    before = await everything(coalition)
    for error, path, membership, points, lasts in cases:
        with pytest.raises(error) as refusal:
            await place(coalition, OPERATOR, membership, points, lasts, key())
        assert refusal.value.path == path
    for way in (
        capture(coalition, OPERATOR, new_id(0), None, key()),
        void(coalition, OPERATOR, new_id(0), key()),
    ):
        with pytest.raises(HoldNotFound):
            await way
    assert await everything(coalition) == before


async def test_nothing_is_held_on_a_closed_membership(coalition: Coalition) -> None:
    """Points on a closed membership cannot be held."""
    person = await guest(coalition)
    await close_membership(coalition, OPERATOR, person.at["AERO"])
    with pytest.raises(MembershipClosed):
        await held(coalition, person, 1)

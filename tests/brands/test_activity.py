"""Activity: what happens to a membership, a brand or a transfer, for whoever may see it."""

import asyncio
from collections.abc import AsyncIterator
from typing import TypeVar

import pytest

from brands import activity
from brands.activity import brand_activity, membership_activity, transfer_updates
from brands.callers import Caller
from brands.coalition import Coalition
from brands.errors import BrandNotFound, InvalidInput, MembershipNotFound, TransferNotFound
from brands.following.watches import Cursor
from brands.ids import new_id
from brands.ledger.chart import TransactionKind
from brands.memberships import membership_by_id
from brands.moving.arriving import complete_transfers
from brands.moving.transferring import cancel
from brands.moving.transferring import reverse as reverse_transfer
from brands.moving.transfers import TransferStatus
from brands.transactions import entries_of
from tests.brands.sending import read, scene, sent, sent_an_hour_ago, slow_scene
from tests.brands.stage import AGENCY, OPERATOR, acting_for, enrol, give, key, open_brands

_T = TypeVar("_T")

COMPLETED, CANCELLED = TransferStatus.COMPLETED, TransferStatus.CANCELLED
REVERSED = TransferStatus.REVERSED


async def next_of(events: AsyncIterator[_T]) -> _T:
    """What comes next, soon."""
    async with asyncio.timeout(10):
        return await anext(events)


async def test_a_membership_is_shown_as_it_stands(coalition: Coalition) -> None:
    """Whoever may see a membership is shown each transaction that moves its points, as far as they
    may see it, with the membership as it is by now; and goes on with the cursor."""
    brands = await open_brands(coalition)
    ada = await enrol(coalition, "AERO", "HOTEL")
    account = ada.at["AERO"]
    for caller, entries in ((OPERATOR, 5), (acting_for(brands["AERO"]), 4), (ada.caller, 1)):
        events = await membership_activity(coalition, caller, account)
        before = (await membership_by_id(coalition, ada.caller, account)).posted
        first = await give(coalition, ada, "AERO", 10)
        await give(coalition, ada, "HOTEL", 10)
        shown = await next_of(events)
        assert shown.transaction.id == first
        assert shown.transaction.kind is TransactionKind.ACCRUAL
        assert shown.membership.id == account
        assert shown.membership.posted == before + 10
        assert len((await entries_of(coalition, caller, [first]))[first]) == entries
        second = await give(coalition, ada, "AERO", 5)
        assert (await next_of(events)).transaction.id == second
        again = await membership_activity(coalition, caller, account, shown.cursor)
        assert (await next_of(again)).transaction.id == second


async def test_a_brand_is_shown_what_concerns_it(coalition: Coalition) -> None:
    """A brand, and the operator, are shown whatever moves its points in any book."""
    brands = await open_brands(coalition)
    people = [await enrol(coalition, "AERO", "HOTEL") for _ in range(6)]
    for caller in (OPERATOR, acting_for(brands["AERO"])):
        events = await brand_activity(coalition, caller, "AERO")
        made = set()
        for person in people:
            await give(coalition, person, "HOTEL", 10)
            made.add(await give(coalition, person, "AERO", 10))
        shown = [await next_of(events) for _ in made]
        assert {each.transaction.id for each in shown} == made
        assert {each.brand for each in shown} == {brands["AERO"]}


async def test_a_transfer_is_shown_as_it_comes_along(coalition: Coalition) -> None:
    """Its owner is shown a transfer that arrives and is taken back, and one that is called off."""
    it = await slow_scene(coalition)
    due, early = await sent_an_hour_ago(coalition, it), await sent(coalition, it)
    arriving = await transfer_updates(coalition, it.ada.caller, due.id)
    called_off = await transfer_updates(coalition, it.ada.caller, early.id)
    await complete_transfers(coalition)
    arrived = await next_of(arriving)
    assert (arrived.transfer.status, arrived.transaction) == (COMPLETED, None)
    await cancel(coalition, it.ada.caller, early.id, key())
    back = await next_of(called_off)
    assert back.transfer == await read(coalition, early)
    assert back.transfer.status is CANCELLED
    assert back.transaction is not None
    assert back.transaction.kind is TransactionKind.REVERSAL
    await reverse_transfer(coalition, OPERATOR, due.id, None, "a mistake", key())
    statuses = {(await next_of(arriving)).transfer.status for _ in range(2)}
    assert statuses == {REVERSED}


async def test_what_one_may_not_see_does_not_exist(coalition: Coalition) -> None:
    """Whoever may not see it cannot follow it either, and is told what is told of nothing."""
    it = await scene(coalition)
    grocer, transfer = acting_for(it.brands["GROCER"]), await sent(coalition, it)
    account = it.ada.at["AERO"]
    for stranger in (it.bea.caller, grocer, AGENCY):
        for membership in (account, new_id(0)):
            with pytest.raises(MembershipNotFound):
                await membership_activity(coalition, stranger, membership)
        for code in ("AERO", "NOBODY"):
            with pytest.raises(BrandNotFound) as refused:
                await brand_activity(coalition, stranger, code)
            assert refused.value == BrandNotFound(path="brand", name=code)
    for stranger in (grocer, AGENCY):
        for id in (transfer.id, new_id(0)):
            with pytest.raises(TransferNotFound):
                await transfer_updates(coalition, stranger, id)


async def test_a_gift_does_not_exist_before_it_arrives(coalition: Coalition) -> None:
    """Whoever receives points cannot follow them on their way, but then sees her side of it."""
    it = await slow_scene(coalition)
    gift = await sent_an_hour_ago(coalition, it)
    with pytest.raises(TransferNotFound):
        await transfer_updates(coalition, it.bea.caller, gift.id)
    await complete_transfers(coalition)
    events = await transfer_updates(coalition, it.bea.caller, gift.id)
    await reverse_transfer(coalition, OPERATOR, gift.id, None, "a mistake", key())
    shown = [await next_of(events) for _ in range(2)]
    seen = [each.transaction for each in shown if each.transaction is not None]
    assert [each.reverses for each in seen] == [gift.arrival]


async def test_leave_is_asked_again(coalition: Coalition, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may not see a thing any more is shown nothing more of it, not even of what was read
    already."""
    monkeypatch.setattr(activity, "RECHECK_SECONDS", 0.1)
    await open_brands(coalition)
    ada = await enrol(coalition, "AERO")
    events = await membership_activity(coalition, ada.caller, ada.at["AERO"])
    made = await asyncio.gather(*(give(coalition, ada, "AERO", 1) for _ in range(3)))
    shown = await next_of(events)
    assert shown.transaction.id in made
    monkeypatch.setattr(Caller, "sees_membership", lambda *_: False)
    await asyncio.sleep(0.2)
    with pytest.raises(MembershipNotFound):
        await next_of(events)


async def test_a_bad_cursor_is_refused_before_anything_is_shown(coalition: Coalition) -> None:
    """A cursor that is none of this subscription is named as the field at fault."""
    it = await scene(coalition)
    transfer, bad = await sent(coalition, it), Cursor(((0, 10**9),))
    for attempt in (
        membership_activity(coalition, OPERATOR, it.ada.at["AERO"], bad),
        brand_activity(coalition, OPERATOR, "AERO", bad),
        transfer_updates(coalition, OPERATOR, transfer.id, bad),
    ):
        with pytest.raises(InvalidInput) as refused:
            await attempt
        assert refused.value.path == "after"

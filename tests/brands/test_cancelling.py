"""Transfers under way that are called off: as if they had not been."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from brands.callers import Caller
from brands.clock import now, now_micros, to_micros
from brands.coalition import Coalition, open_coalition
from brands.errors import NotPermitted, TransferNotFound
from brands.ids import book_of, new_id
from brands.ledger.chart import TransactionKind
from brands.memberships import lots_of
from brands.moving import transferring
from brands.moving.arriving import complete_transfers
from brands.moving.limits import allowances_of
from brands.moving.routes import TransferRequest
from brands.moving.transferring import Made, cancel, reverse
from brands.moving.transfers import Transfer, TransferStatus, transfers_under_way
from brands.publishing import publish
from brands.rejections import TransferLimitReached, TransferNotCancellable, TransferNotCompleted
from brands.rules import Direction, Fee, Limit, Period, RuleTerms
from brands.transactions import transactions_by_id
from brands.valuations import rates_of
from tests.brands.sending import (
    HOUR,
    points,
    read,
    scene,
    sent,
    sent_an_hour_ago,
    slow_scene,
    waiting,
)
from tests.brands.stage import (
    AGENCY,
    OPERATOR,
    acting_for,
    all_money,
    enrol,
    everything,
    give,
    give_until,
    key,
    require_sound,
)

SOON = datetime(2090, 1, 1, tzinfo=UTC)
PENDING, COMPLETED = TransferStatus.PENDING, TransferStatus.COMPLETED
CANCELLED, REVERSED = TransferStatus.CANCELLED, TransferStatus.REVERSED


async def test_a_cancelled_transfer_is_as_if_it_had_not_been(coalition: Coalition) -> None:
    """Called off in time, a transfer gives back points, lots, money and what it used of a limit,
    and it never arrives; the key that did it gets the same answer again."""
    limits = (Limit(Period.MONTH, Direction.OUT, points=150, count=1),)
    fee = Fee(flat=1_000_000, points_share=100_000)
    it = await slow_scene(coalition, RuleTerms(arrives_after_seconds=HOUR, limits=limits, fee=fee))
    await give_until(coalition, it.ada, "AERO", 30, SOON)
    accounts = [it.ada.at["AERO"], it.bea.at["HOTEL"]]
    before = await all_money(coalition)
    lots = await lots_of(coalition, OPERATOR, accounts)
    allowed = await allowances_of(coalition, OPERATOR, accounts)
    transfer = await sent(coalition, it)
    with pytest.raises(TransferLimitReached):
        await sent(coalition, it)
    once = key()
    made = await cancel(coalition, it.ada.caller, transfer.id, once)
    assert (made.transfer.status, made.replayed) == (CANCELLED, False)
    assert made.transfer.reversed_points == 100
    assert await all_money(coalition) == before
    assert await lots_of(coalition, OPERATOR, accounts) == lots
    assert await allowances_of(coalition, OPERATOR, accounts) == allowed
    left, back = made.transfer.transactions
    found = await transactions_by_id(coalition, it.ada.caller, [left, back])
    assert (found[back].kind, found[back].reverses) == (TransactionKind.REVERSAL, left)
    assert await cancel(coalition, it.ada.caller, transfer.id, once) == Made(made.transfer, True)
    await sent(coalition, it)
    assert await complete_transfers(coalition) == 0
    await require_sound(coalition)


async def test_a_cancelled_transfer_does_not_arrive(coalition: Coalition) -> None:
    """What was called off is taken off the list; left there, by a process that died, it is when it
    would be due; and nothing arrives."""
    it = await slow_scene(coalition, RuleTerms(arrives_after_seconds=1))
    transfer = await sent(coalition, it)
    await cancel(coalition, it.ada.caller, transfer.id, key())
    assert await waiting(coalition) == 0
    await coalition.database.fetch(
        "INSERT INTO pending_arrivals (book, transfer_id, arrives_at) VALUES ($1, $2, $3)",
        *(book_of(transfer.id), transfer.id, to_micros(transfer.arrives_at)),
    )
    await asyncio.sleep((transfer.arrives_at - now()).total_seconds() + 0.05)
    assert await complete_transfers(coalition) == 1
    assert await waiting(coalition) == 0
    assert await points(coalition, it) == [1_000, 0]
    assert (await read(coalition, transfer)).status is CANCELLED
    await require_sound(coalition)


async def test_what_is_due_cannot_be_cancelled(coalition: Coalition) -> None:
    """From the instant at which its points are due a transfer is not called off, whether they have
    arrived or not, nor twice, nor if they arrived at once; and each refusal sticks to its key."""
    it = await slow_scene(coalition)
    due = await sent_an_hour_ago(coalition, it)
    arrived = await sent_an_hour_ago(coalition, it)
    await complete_transfers(coalition)
    await give(coalition, it.ada, "HOTEL", 100)
    home = TransferRequest(it.ada.at["HOTEL"], it.ada.at["AERO"], points_out=50)
    at_once = await sent(coalition, it, home)
    off = await sent(coalition, it)
    await cancel(coalition, it.ada.caller, off.id, key())
    due = await sent_an_hour_ago(coalition, it)
    before = await everything(coalition)
    for transfer in (due, arrived, at_once, off):
        once = key()
        for replayed in (False, True):
            with pytest.raises(TransferNotCancellable) as refusal:
                await cancel(coalition, it.ada.caller, transfer.id, once)
            assert refusal.value.arrives_at == transfer.arrives_at
            assert refusal.value.replayed is replayed
    assert await everything(coalition) == before
    await require_sound(coalition)


async def test_a_clock_that_is_fast_lets_nothing_be_called_off(
    coalition: Coalition, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transfer whose points arrived at once cannot be called off, even if the gateway that made
    it was ahead of the database's clock."""
    it = await scene(coalition)
    monkeypatch.setattr(transferring, "now_micros", lambda: now_micros() + HOUR * 1_000_000)
    for request in (it.conversion(), it.gift(to="HOTEL")):
        transfer = await sent(coalition, it, request)
        with pytest.raises(TransferNotCancellable):
            await cancel(coalition, it.ada.caller, transfer.id, key())
    assert await points(coalition, it) == [800, 64]
    await require_sound(coalition)


async def test_who_may_cancel(coalition: Coalition) -> None:
    """Who could make a transfer can call it off; whose points arrive by it only may not, to anybody
    else it does not exist, nor to the recipient of a gift yet, and nothing changes."""
    it = await slow_scene(coalition)
    brands = coalition.registry.snapshot
    for caller in (it.ada.caller, acting_for(brands.brand("AERO")), OPERATOR):
        made = await cancel(coalition, caller, (await sent(coalition, it)).id, key())
        assert made.transfer.status is CANCELLED
    transfer = await sent(coalition, it)
    eve = await enrol(coalition, "AERO", "HOTEL", surname="Moneypenny")
    own = await sent(coalition, it, it.conversion())
    hotel = acting_for(brands.brand("HOTEL"))
    before = await everything(coalition)
    with pytest.raises(NotPermitted):
        await cancel(coalition, hotel, own.id, key())
    strangers = (eve.caller, acting_for(brands.brand("COFFEE")), AGENCY)
    for caller in (it.bea.caller, hotel, *strangers):
        with pytest.raises(TransferNotFound):
            await cancel(coalition, caller, transfer.id, key())
    with pytest.raises(TransferNotFound):
        await cancel(coalition, it.ada.caller, new_id(0), key())
    assert await everything(coalition) == before


async def test_ten_cancellations_cancel_once(coalition: Coalition) -> None:
    """Of ten simultaneous cancellations under keys of their own one is made."""
    it = await slow_scene(coalition)
    transfer = await sent(coalition, it)
    answers = await asyncio.gather(
        *(cancel(coalition, it.ada.caller, transfer.id, key()) for _ in range(10)),
        return_exceptions=True,
    )
    refused = [isinstance(answer, TransferNotCancellable) for answer in answers]
    assert refused.count(True) == 9
    assert await points(coalition, it) == [1_000, 0]
    await require_sound(coalition)


async def test_a_cancellation_racing_the_arrival(url: str, coalition: Coalition) -> None:
    """Cancelled around the instant at which they are due, transfers are either called off or
    arrive, never both and never neither."""
    it = await slow_scene(coalition, RuleTerms(arrives_after_seconds=1))
    transfers = [await sent(coalition, it, it.gift(20 + n, "HOTEL")) for n in range(8)]
    other = await open_coalition(url)

    async def call_off(transfer: Transfer, wait: float) -> None:
        await asyncio.sleep(max(0.0, (transfer.arrives_at - now()).total_seconds() + wait))
        await asyncio.gather(
            complete_transfers(coalition),
            cancel(other, it.ada.caller, transfer.id, key()),
            complete_transfers(other),
            return_exceptions=True,
        )

    try:
        await asyncio.gather(*(call_off(each, (n - 4) / 50) for n, each in enumerate(transfers)))
        await complete_transfers(coalition)
    finally:
        await other.close()
    found = [await read(coalition, each) for each in transfers]
    assert {each.status for each in found} <= {COMPLETED, CANCELLED}
    arrived = [each.terms for each in found if each.status is COMPLETED]
    assert await points(coalition, it) == [
        1_000 - sum(each.points_out for each in arrived),
        sum(each.points_in for each in arrived),
    ]
    assert await waiting(coalition) <= len(found) - len(arrived)
    await require_sound(coalition)


async def test_a_cancellation_after_a_new_valuation(coalition: Coalition) -> None:
    """Called off after its brand's points have become dearer, a transfer gives back the points, and
    the brand pays what they are worth more."""
    it = await slow_scene(coalition)
    transfer = await sent(coalition, it)
    await publish(coalition, OPERATOR, "AERO", rates_of(Decimal("0.011")), None)
    await cancel(coalition, it.ada.caller, transfer.id, key())
    assert await points(coalition, it) == [1_000, 0]
    assert (await all_money(coalition))["AERO.POOL"] == 1_000 * 11_000
    await require_sound(coalition)


async def test_what_is_under_way_is_not_reversed(coalition: Coalition) -> None:
    """Points under way are called off, not reversed, what was called off is neither, and what has
    arrived is reversed like anything else."""
    it = await slow_scene(coalition)
    before = await all_money(coalition)
    pending, arrived = await sent(coalition, it), await sent_an_hour_ago(coalition, it)
    await complete_transfers(coalition)
    for status in ("PENDING", "CANCELLED"):
        once = key()
        for replayed in (False, True):
            with pytest.raises(TransferNotCompleted) as refusal:
                await reverse(coalition, OPERATOR, pending.id, None, "oops", once)
            assert (refusal.value.status, refusal.value.replayed) == (status, replayed)
        if status == "PENDING":
            await cancel(coalition, it.ada.caller, pending.id, key())
    made = await reverse(coalition, OPERATOR, arrived.id, None, "oops", key())
    assert made.transfer.status is REVERSED
    assert await points(coalition, it) == [1_000, 0]
    assert await all_money(coalition) == before
    await require_sound(coalition)


async def test_what_is_under_way_is_shown_where_it_left(coalition: Coalition) -> None:
    """A membership shows the transfers whose points have left it and not arrived, the newest first,
    to who may see it; what is called off or has arrived is shown no more, nor what comes in."""
    it = await slow_scene(coalition)
    due = await sent_an_hour_ago(coalition, it)
    first, second = [await sent(coalition, it) for _ in range(2)]
    source, destination = it.accounts("HOTEL")

    async def shown(caller: Caller = it.ada.caller) -> list[UUID]:
        found = await transfers_under_way(coalition, caller, [source, destination])
        assert found[destination] == []
        return [each.id for each in found[source]]

    assert await shown() == await shown(OPERATOR) == [second.id, first.id, due.id]
    assert await shown(it.bea.caller) == []
    await complete_transfers(coalition)
    await cancel(coalition, it.ada.caller, second.id, key())
    assert await shown() == [first.id]

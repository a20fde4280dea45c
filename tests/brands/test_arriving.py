"""Transfers that take their time: they arrive when they are due, each once."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from brands.clock import now, now_micros
from brands.coalition import Coalition, open_coalition
from brands.database import Row, as_uuid
from brands.ledger.chart import TransactionKind
from brands.ledger.commands import Post
from brands.memberships import close_membership, lots_of
from brands.moving import arriving, transferring
from brands.moving.arriving import _arrive, complete_transfers
from brands.moving.quotes import quote
from brands.moving.recipients import Recipient
from brands.moving.transferring import Made, create
from brands.moving.transfers import TransferStatus, transfers_by_id
from brands.publishing import publish
from brands.rules import LotExpiry, RuleTerms
from brands.transactions import transactions_by_id
from brands.valuations import rates_of
from tests.brands.sending import (
    HOUR,
    points,
    read,
    sent,
    sent_an_hour_ago,
    slow_scene,
    waiting,
)
from tests.brands.stage import (
    OPERATOR,
    all_money,
    balances,
    changed,
    give_until,
    key,
    require_sound,
)

SOON = datetime(2090, 1, 1, tzinfo=UTC)
PENDING, COMPLETED = TransferStatus.PENDING, TransferStatus.COMPLETED
CANCELLED, REVERSED = TransferStatus.CANCELLED, TransferStatus.REVERSED


async def test_points_under_way_have_left_and_not_arrived(coalition: Coalition) -> None:
    """The points leave at once; until they arrive the coalition has the money that will stand
    behind them in transit."""
    it = await slow_scene(coalition)
    before = await all_money(coalition)
    transfer = await sent(coalition, it)
    assert transfer.status is PENDING
    assert (transfer.arrives_at - transfer.created_at) == timedelta(hours=1)
    assert await points(coalition, it) == [900, 0]
    moved = {"AERO.POOL": -1_000_000, "TRANSIT": 768_000, "MARGIN": 232_000}
    assert changed(before, await all_money(coalition)) == moved
    assert transfer.transactions == (transfer.departure,)
    found = await transactions_by_id(coalition, OPERATOR, [transfer.departure])
    assert found[transfer.departure].kind is TransactionKind.TRANSFER_OUT
    for caller in (OPERATOR, it.ada.caller):
        assert await transfers_by_id(coalition, caller, [transfer.id]) == {transfer.id: transfer}
    await require_sound(coalition)


async def test_points_arrive_when_they_are_due_and_no_sooner(coalition: Coalition) -> None:
    """Before its time a transfer is left under way; after that it arrives once, however often it is
    tried, with all of its money, and the list is empty."""
    it = await slow_scene(coalition, RuleTerms(arrives_after_seconds=1))
    before = await all_money(coalition)
    transfer = await sent(coalition, it)
    assert await complete_transfers(coalition) == 0
    assert await points(coalition, it) == [900, 0]
    await asyncio.sleep((transfer.arrives_at - now()).total_seconds() + 0.05)
    assert await complete_transfers(coalition) == 1
    for _ in range(3):
        assert await complete_transfers(coalition) == 0
    assert await points(coalition, it) == [900, 64]
    moved = {"AERO.POOL": -1_000_000, "HOTEL.POOL": 768_000, "MARGIN": 232_000}
    assert changed(before, await all_money(coalition)) == moved
    arrived = await read(coalition, transfer)
    assert (arrived.status, arrived.transactions) == (
        COMPLETED,
        (transfer.departure, transfer.arrival),
    )
    assert await waiting(coalition) == 0
    await require_sound(coalition)


async def test_ones_own_points_take_their_time_too(coalition: Coalition) -> None:
    """A conversion that takes its time is a departure and an arrival, like a gift."""
    it = await slow_scene(coalition)
    transfer = await sent_an_hour_ago(coalition, it, it.conversion())
    assert (transfer.status, transfer.terms.is_gift) == (PENDING, False)
    assert await complete_transfers(coalition) == 1
    assert await balances(coalition, list(it.ada.at.values())) == [900, 64]
    arrived = await read(coalition, transfer)
    found = await transactions_by_id(coalition, it.ada.caller, arrived.transactions)
    assert [found[id].kind for id in arrived.transactions] == [
        TransactionKind.TRANSFER_OUT,
        TransactionKind.TRANSFER_IN,
    ]
    await require_sound(coalition)


async def test_points_arrive_once_by_whomever_it_is_tried(url: str, coalition: Coalition) -> None:
    """Two gateways that complete transfers at the same time let each of them arrive once."""
    it = await slow_scene(coalition)
    for _ in range(5):
        await sent_an_hour_ago(coalition, it)
    other = await open_coalition(url)
    try:
        await asyncio.gather(*(complete_transfers(each) for each in (coalition, other) * 3))
        assert await complete_transfers(other) == 0
    finally:
        await other.close()
    assert await points(coalition, it) == [500, 320]
    assert await waiting(coalition) == 0
    await require_sound(coalition)


async def test_after_an_outage_everything_arrives(
    coalition: Coalition, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More transfers than are looked up at once arrive in one round, the longest due first."""
    monkeypatch.setattr(arriving, "AT_ONCE", 3)
    it = await slow_scene(coalition)
    transfers = [await sent_an_hour_ago(coalition, it) for _ in range(7)]
    assert [await complete_transfers(coalition) for _ in range(2)] == [7, 0]
    assert await points(coalition, it) == [300, 7 * 64]
    arrivals = await transactions_by_id(
        coalition, OPERATOR, [each.arrival for each in transfers if each.arrival]
    )
    recorded = [arrivals[each.arrival].position for each in transfers if each.arrival]
    assert [each.recorded_at for each in recorded] == sorted(each.recorded_at for each in recorded)
    await require_sound(coalition)


async def test_what_cannot_be_digested_holds_up_no_other(
    coalition: Coalition, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where one arrival fails in no way that is foreseen, all the others arrive; it stays on the
    list, its failure is told, and it arrives once it can."""
    monkeypatch.setattr(arriving, "AT_ONCE", 2)
    it = await slow_scene(coalition)
    first, *others = [await sent_an_hour_ago(coalition, it) for _ in range(5)]

    def poisoned(row: Row, *rest: Any) -> Post:
        command = _arrive(row, *rest)
        return replace(command, event_at=2**70) if as_uuid(row["id"]) == first.id else command

    with monkeypatch.context() as patched:
        patched.setattr(arriving, "_arrive", poisoned)
        for _ in range(2):
            with pytest.raises((OverflowError, asyncpg.DataError)):
                await complete_transfers(coalition)
            assert await waiting(coalition) == 1
    assert {(await read(coalition, each)).status for each in others} == {COMPLETED}
    assert await complete_transfers(coalition) == 1
    assert (await read(coalition, first)).status is COMPLETED
    await require_sound(coalition)


async def test_a_restart_forgets_nothing(url: str, coalition: Coalition) -> None:
    """What one gateway sent on its way, another one lets arrive: also what that arrived before, and
    what is on the list although it has arrived."""
    it = await slow_scene(coalition)
    transfer = await sent_an_hour_ago(coalition, it)
    assert await complete_transfers(coalition) == 1
    await coalition.database.fetch(
        "INSERT INTO pending_arrivals (book, transfer_id, arrives_at) SELECT book, id, arrives_at"
        " FROM transfers WHERE id = $1",
        transfer.id,
    )
    await sent_an_hour_ago(coalition, it)
    other = await open_coalition(url)
    try:
        assert await complete_transfers(other) == 2
    finally:
        await other.close()
    assert await points(coalition, it) == [800, 128]
    assert await waiting(coalition) == 0
    await require_sound(coalition)


async def test_a_clock_that_is_fast_lets_nothing_arrive_early(
    coalition: Coalition, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether a transfer is due, the database's clock decides: by a gateway whose clock is fast it
    is left on the list."""
    it = await slow_scene(coalition)
    transfer = await sent(coalition, it)
    with monkeypatch.context() as patched:
        patched.setattr(arriving, "now_micros", lambda: now_micros() + 2 * HOUR * 1_000_000)
        assert await complete_transfers(coalition) == 0
    assert await waiting(coalition) == 1
    assert (await read(coalition, transfer)).status is PENDING


async def test_what_cannot_arrive_goes_back(coalition: Coalition) -> None:
    """Where the recipient's membership is closed by then, the points are the sender's again."""
    it = await slow_scene(coalition)
    before = await all_money(coalition)
    transfer = await sent_an_hour_ago(coalition, it)
    await close_membership(coalition, OPERATOR, it.bea.at["HOTEL"])
    assert await complete_transfers(coalition) == 1
    assert await complete_transfers(coalition) == 0
    assert await points(coalition, it) == [1_000, 0]
    assert await all_money(coalition) == before
    returned = await read(coalition, transfer)
    assert (returned.status, returned.reversed_points) == (CANCELLED, 100)
    assert await waiting(coalition) == 0
    await require_sound(coalition)


async def test_points_are_worth_what_they_are_worth_when_they_arrive(coalition: Coalition) -> None:
    """Where a point is worth more when it arrives than when it was sent, its brand pays the
    difference; the pools are whole at every moment."""
    it = await slow_scene(coalition)
    before = await all_money(coalition)
    await sent_an_hour_ago(coalition, it)
    await publish(coalition, OPERATOR, "HOTEL", rates_of(Decimal("0.015")), None)
    await publish(coalition, OPERATOR, "AERO", rates_of(Decimal("0.011")), None)
    await require_sound(coalition)
    await complete_transfers(coalition)
    after = changed(before, await all_money(coalition))
    assert after["HOTEL.POOL"] == 64 * 15_000
    assert after["HOTEL.SETTLEMENT"] == -64 * 3_000
    assert after["MARGIN"] == 232_000
    await require_sound(coalition)


@pytest.mark.parametrize(
    ("policy", "expires"), [(LotExpiry.KEEP_EARLIEST, SOON), (LotExpiry.FRESH, None)]
)
async def test_points_expire_as_the_rule_says_after_a_delay(
    coalition: Coalition, policy: LotExpiry, expires: datetime | None
) -> None:
    """Points that take their time expire with the earliest of those that left, or as if earned
    where they arrive, as the rule says."""
    it = await slow_scene(coalition, RuleTerms(arrives_after_seconds=HOUR, lot_expiry=policy))
    await give_until(coalition, it.ada, "AERO", 30, SOON)
    await give_until(coalition, it.ada, "AERO", 30, SOON + timedelta(days=1))
    await sent_an_hour_ago(coalition, it)
    await complete_transfers(coalition)
    lots = await lots_of(coalition, OPERATOR, [it.bea.at["HOTEL"]])
    assert [(lot.amount, lot.expires_at) for lot in lots[it.bea.at["HOTEL"]]] == [(64, expires)]
    await require_sound(coalition)


async def test_a_key_of_a_transfer_under_way(coalition: Coalition) -> None:
    """A key answers with its transfer as it stands: under way, arrived, whatever became of the
    recipient's name."""
    it = await slow_scene(coalition)
    offer, once = await quote(coalition, it.ada.caller, it.gift(to="HOTEL")), key()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(transferring, "now_micros", lambda: now_micros() - HOUR * 1_000_000)
        made = await create(coalition, it.ada.caller, offer.id, None, once)
    await complete_transfers(coalition)
    again = await create(coalition, it.ada.caller, offer.id, None, once)
    assert (made.transfer.status, again.transfer.status) == (PENDING, COMPLETED)
    assert (again.transfer.id, again.replayed) == (made.transfer.id, True)
    direct, twice = it.gift(to="HOTEL"), key()
    first = await create(coalition, it.ada.caller, direct, None, twice)
    assert isinstance(direct.recipient, Recipient)
    await coalition.database.fetch(
        "UPDATE profiles SET family_name = 'King' WHERE member_id = $1", it.bea.id
    )
    again = await create(coalition, it.ada.caller, direct, None, twice)
    assert again == Made(first.transfer, replayed=True)

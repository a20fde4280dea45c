"""Gifts: points that go to another member, of whom the giver learns nothing."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from brands.coalition import Coalition
from brands.database import as_uuid
from brands.ids import book_of
from brands.ledger.chart import COALITION, AccountKind, TransactionKind, stripe
from brands.memberships import lots_of, memberships_by_id
from brands.money import Money
from brands.moving.arriving import complete_transfers
from brands.moving.quotes import preview, quote, quotes_by_id
from brands.moving.routes import TransferRequest
from brands.moving.transferring import Made, create
from brands.moving.transfers import TransferStatus, transfers_by_id
from brands.rejections import InsufficientPoints
from brands.rules import Fee, LotExpiry, RuleTerms
from brands.transactions import entries_of, transactions_by_id
from tests.brands.sending import (
    places,
    scene,
    sent_an_hour_ago,
)
from tests.brands.stage import (
    AGENCY,
    OPERATOR,
    acting_for,
    all_money,
    balances,
    changed,
    give_until,
    key,
    lay_down,
    require_sound,
)

SOON = datetime(2090, 1, 1, tzinfo=UTC)


@places
@pytest.mark.parametrize(("to", "points_in", "margin"), [("AERO", 100, 0), ("HOTEL", 64, 232_000)])
async def test_points_given_arrive(
    coalition: Coalition, to: str, points_in: int, margin: int, apart: bool
) -> None:
    """Within a brand a point is a point, between two the rates hold, in one book as in two: the
    pools have what stands behind the points, and nothing is left on the way."""
    it = await scene(coalition, apart=apart)
    before = await all_money(coalition)
    made = await create(coalition, it.ada.caller, it.gift(100, to), None, key())
    assert (made.transfer.status, made.transfer.terms.is_gift) == (TransferStatus.COMPLETED, True)
    assert (made.transfer.terms.points_in, made.transfer.terms.fee) == (points_in, None)
    assert await balances(coalition, [it.ada.at["AERO"], it.bea.at[to]]) == [900, points_in]
    moved = {"AERO.POOL": -1_000_000, "HOTEL.POOL": 768_000, "MARGIN": margin} if margin else {}
    assert changed(before, await all_money(coalition)) == moved
    books = [book_of(it.ada.id), book_of(it.bea.id)]
    clearing = [stripe(book, COALITION, AccountKind.CLEARING) for book in books]
    there = points_in * (12_000 if to == "HOTEL" else 10_000)
    assert await balances(coalition, clearing) == (
        [0, 0] if books[0] == books[1] else [there, -there]
    )
    await require_sound(coalition)


@places
async def test_a_gift_is_a_transaction_of_each(coalition: Coalition, apart: bool) -> None:
    """The points leave in a transaction in the giver's book and arrive in one in the recipient's;
    read back, the transfer is what was answered."""
    it = await scene(coalition, apart=apart)
    transfer = (await create(coalition, it.ada.caller, it.gift(100, "HOTEL"), None, key())).transfer
    left, arrived = transfer.transactions
    assert (left, arrived) == (transfer.departure, transfer.arrival)
    assert [book_of(left), book_of(arrived)] == [book_of(it.ada.id), book_of(it.bea.id)]
    found = await transactions_by_id(coalition, OPERATOR, [left, arrived])
    assert [(found[id].kind, found[id].points) for id in (left, arrived)] == [
        (TransactionKind.TRANSFER_OUT, 100),
        (TransactionKind.TRANSFER_IN, 64),
    ]
    for caller in (OPERATOR, it.ada.caller, it.bea.caller):
        assert await transfers_by_id(coalition, caller, [transfer.id]) == {transfer.id: transfer}


@places
@pytest.mark.parametrize(
    ("to", "policy", "expires"),
    [
        ("AERO", None, SOON),
        ("AERO", LotExpiry.FRESH, None),
        ("HOTEL", None, None),
        ("HOTEL", LotExpiry.KEEP_EARLIEST, SOON),
    ],
)
async def test_points_given_away_last_no_longer(
    coalition: Coalition, to: str, policy: LotExpiry | None, expires: datetime | None, apart: bool
) -> None:
    """Within a brand points expire with the earliest of those that left, elsewhere as if earned
    there; unless a rule says otherwise."""
    it = await scene(coalition, apart=apart)
    if policy is not None:
        await lay_down(coalition, "AERO", to, RuleTerms(lot_expiry=policy))
    await give_until(coalition, it.ada, "AERO", 30, SOON)
    await give_until(coalition, it.ada, "AERO", 30, SOON + timedelta(days=1))
    await create(coalition, it.ada.caller, it.gift(50, to), None, key())
    lots = await lots_of(coalition, OPERATOR, [it.ada.at["AERO"], it.bea.at[to]])
    points_in = 50 if to == "AERO" else 32
    assert [(lot.amount, lot.expires_at) for lot in lots[it.bea.at[to]]] == [(points_in, expires)]
    assert [lot.remaining for lot in lots[it.ada.at["AERO"]]] == [10, 1_000]
    await require_sound(coalition)


@places
async def test_a_gift_by_quote_is_the_same_gift(coalition: Coalition, apart: bool) -> None:
    """A preview, a quote, its execution and a gift made directly agree to the point."""
    it = await scene(coalition, apart=apart)
    shown = await preview(coalition, it.ada.caller, it.gift(200, "HOTEL"))
    offer = await quote(coalition, it.ada.caller, it.gift(200, "HOTEL"))
    quoted = await create(coalition, it.ada.caller, offer.id, None, key())
    direct = await create(coalition, it.ada.caller, it.gift(200, "HOTEL"), None, key())
    assert shown == offer.terms == quoted.transfer.terms == direct.transfer.terms
    assert (shown.points_in, shown.is_gift, quoted.transfer.quote_id) == (128, True, offer.id)
    assert await balances(coalition, [it.ada.at["AERO"], it.bea.at["HOTEL"]]) == [600, 256]
    asked = TransferRequest(it.ada.at["AERO"], None, points_in=64, recipient=it.bea.named["HOTEL"])
    assert (await preview(coalition, it.ada.caller, asked)).points_out == 100
    assert await quotes_by_id(coalition, it.bea.caller, [offer.id]) == {}
    await require_sound(coalition)


@places
async def test_neither_sees_the_other(coalition: Coalition, apart: bool) -> None:
    """The giver sees the points leave and the recipient sees them arrive, each by her own entry and
    nothing else; their brands see both."""
    it = await scene(coalition, apart=apart)
    transfer = (await create(coalition, it.ada.caller, it.gift(), None, key())).transfer
    left, arrived = both = transfer.transactions
    for herself, other, hers in ((it.ada, it.bea, left), (it.bea, it.ada, arrived)):
        assert list(await transactions_by_id(coalition, herself.caller, both)) == [hers]
        entries = await entries_of(coalition, herself.caller, both)
        assert list(entries) == [hers]
        assert [entry.account.id for entry in entries[hers]] == [herself.at["AERO"]]
        assert await memberships_by_id(coalition, herself.caller, list(other.at.values())) == {}
    aero = acting_for(it.brands["AERO"])
    assert set(await transactions_by_id(coalition, aero, both)) == set(both)
    for stranger in (AGENCY, acting_for(it.brands["HOTEL"])):
        assert await transfers_by_id(coalition, stranger, [transfer.id]) == {}
        assert await transactions_by_id(coalition, stranger, both) == {}


async def test_a_fee_is_charged_for_a_gift(coalition: Coalition) -> None:
    """A rule of a brand with itself holds for its gifts: the brand collects the fee, and the
    coalition has it."""
    it = await scene(coalition)
    terms = RuleTerms(fee=Fee(flat=2_000_000, points_share=100_000))
    await lay_down(coalition, "AERO", "AERO", terms)
    before = await all_money(coalition)
    made = await create(coalition, it.ada.caller, it.gift(105), None, key())
    assert (made.transfer.terms.points_in, made.transfer.terms.fee_points) == (94, 11)
    assert made.transfer.terms.fee == Money(2_000_000, "USD")
    assert changed(before, await all_money(coalition)) == {
        "AERO.POOL": -11 * 10_000,
        "AERO.SETTLEMENT": -2_000_000,
        "MARGIN": 2_000_000 + 11 * 10_000,
    }
    await require_sound(coalition)


@places
async def test_a_balance_is_given_away_once(coalition: Coalition, apart: bool) -> None:
    """Of twenty gifts of a hundred points at once, out of a thousand, ten are made; the others are
    told what there was."""
    it = await scene(coalition, apart=apart)
    answers = await asyncio.gather(
        *(create(coalition, it.ada.caller, it.gift(), None, key()) for _ in range(20)),
        return_exceptions=True,
    )
    refused = [each for each in answers if isinstance(each, InsufficientPoints)]
    assert [(each.available, each.required) for each in refused] == [(0, 100)] * 10
    assert await balances(coalition, [it.ada.at["AERO"], it.bea.at["AERO"]]) == [0, 1_000]
    rows = await coalition.database.fetch("SELECT id FROM transfers")
    made = {each.transfer.id for each in answers if isinstance(each, Made)}
    assert made == {as_uuid(row["id"]) for row in rows}
    await require_sound(coalition)


async def test_a_recipient_sees_a_gift_when_it_is_there(coalition: Coalition) -> None:
    """A gift under way is the giver's affair, and so is what it costs her; once it has arrived the
    recipient sees it, without the fee."""
    it = await scene(coalition)
    fee = Fee(flat=3_000_000, points_share=100_000)
    await lay_down(coalition, "AERO", "AERO", RuleTerms(fee=fee, arrives_after_seconds=3_600))
    transfer = await sent_an_hour_ago(coalition, it, it.gift())
    ids = [transfer.id]
    assert await transfers_by_id(coalition, it.bea.caller, ids) == {}
    assert (await transfers_by_id(coalition, it.ada.caller, ids))[transfer.id].terms.fee is not None
    await complete_transfers(coalition)
    hers = (await transfers_by_id(coalition, it.bea.caller, ids))[transfer.id]
    assert (hers.status, hers.terms.fee, hers.terms.fee_points) == (
        TransferStatus.COMPLETED,
        None,
        0,
    )
    assert hers.terms.points_in == 90
    assert (await transfers_by_id(coalition, it.ada.caller, ids))[
        transfer.id
    ].terms.fee_points == 10

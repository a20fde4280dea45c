"""Reversals of transfers whose points are spent: the policy of the brand that received them."""

from collections.abc import Awaitable, Callable

import pytest

from brands.adjustments import adjust
from brands.coalition import Coalition
from brands.ledger.commands import Shortfall
from brands.memberships import lots_of
from brands.moving.arriving import complete_transfers
from brands.moving.transferring import reverse
from brands.moving.transfers import Transfer, TransferStatus
from brands.rejections import AlreadyReversed, InsufficientPoints, ReversalExceedsOriginal
from brands.transactions import transactions_by_id
from tests.brands.sending import SLOW, Scene, read, scene, sent, sent_an_hour_ago
from tests.brands.stage import (
    OPERATOR,
    all_money,
    balances,
    everything,
    key,
    lay_down,
    require_sound,
)

Way = Callable[[Coalition, Scene], Awaitable[Transfer]]


async def conversion(coalition: Coalition, it: Scene) -> Transfer:
    """A conversion of 100 points at AERO to 64 at HOTEL."""
    return await sent(coalition, it, it.conversion())


async def gift(coalition: Coalition, it: Scene) -> Transfer:
    """The same, given to Bea."""
    return await sent(coalition, it, it.gift(to="HOTEL"))


async def delayed_gift(coalition: Coalition, it: Scene) -> Transfer:
    """The same, arrived after an hour."""
    await lay_down(coalition, "AERO", "HOTEL", SLOW)
    transfer = await sent_an_hour_ago(coalition, it)
    await complete_transfers(coalition)
    return transfer


ways = pytest.mark.parametrize("way", [conversion, gift, delayed_gift])


async def by_hand(coalition: Coalition, transfer: Transfer, points: int) -> None:
    """Points given to the membership that a transfer arrived at, or taken from it."""
    destination = transfer.terms.destination
    await adjust(coalition, OPERATOR, destination, points, "by hand", None, None, key())


async def spent(
    coalition: Coalition, way: Way, clawback: Shortfall, points: int
) -> tuple[Scene, Transfer]:
    """A transfer of 100 points, and of the 64 that arrived so many spent."""
    it = await scene(coalition, clawback=clawback)
    transfer = await way(coalition, it)
    if points:
        await by_hand(coalition, transfer, -points)
    return it, transfer


async def held(coalition: Coalition, transfer: Transfer) -> list[int]:
    """What is on the membership that the points left, and on that at which they arrived."""
    return await balances(coalition, [transfer.terms.source, transfer.terms.destination])


@ways
async def test_a_reversal_in_parts_is_exact(coalition: Coalition, way: Way) -> None:
    """Parts are taken back at the original figures, what had arrived in proportion and rounded up;
    the last part leaves every balance, lot and money account as it was."""
    it = await scene(coalition)
    lots = await lots_of(coalition, OPERATOR, [it.ada.at["AERO"]])
    before = await all_money(coalition)
    transfer = await way(coalition, it)
    for part, back, left in ((1, 1, [901, 63]), (50, 51, [951, 31])):
        made = await reverse(coalition, OPERATOR, transfer.id, part, "oops", key())
        assert await held(coalition, transfer) == left
        assert made.transfer.status is TransferStatus.COMPLETED
        assert made.transfer.reversed_points == back
        await require_sound(coalition)
    with pytest.raises(ReversalExceedsOriginal) as refusal:
        await reverse(coalition, OPERATOR, transfer.id, 50, "oops", key())
    assert (refusal.value.points, refusal.value.remaining) == (50, 49)
    made = await reverse(coalition, OPERATOR, transfer.id, None, "oops", key())
    assert made.transfer.status is TransferStatus.REVERSED
    with pytest.raises(AlreadyReversed):
        await reverse(coalition, OPERATOR, transfer.id, None, "oops", key())
    assert await held(coalition, transfer) == [1_000, 0]
    assert await all_money(coalition) == before
    assert await lots_of(coalition, OPERATOR, [it.ada.at["AERO"]]) == lots
    await require_sound(coalition)


@ways
async def test_a_brand_may_insist_on_all_of_it(coalition: Coalition, way: Way) -> None:
    """By `REJECT` a reversal is refused with what there is and what is needed; nothing changes, and
    the refusal sticks."""
    _, transfer = await spent(coalition, way, Shortfall.REJECT, 40)
    before, once = await everything(coalition), key()
    for replayed in (False, True):
        with pytest.raises(InsufficientPoints) as refusal:
            await reverse(coalition, OPERATOR, transfer.id, None, "oops", once)
        assert (refusal.value.available, refusal.value.required) == (24, 64)
        assert refusal.value.replayed is replayed
    assert await everything(coalition) == before
    await reverse(coalition, OPERATOR, transfer.id, 37, "oops", key())
    assert await held(coalition, transfer) == [937, 0]
    await require_sound(coalition)


@ways
async def test_a_brand_may_let_members_owe_it(coalition: Coalition, way: Way) -> None:
    """By `ALLOW_NEGATIVE` all of it is taken back, and who had spent the points owes them."""
    _, transfer = await spent(coalition, way, Shortfall.ALLOW_NEGATIVE, 40)
    made = await reverse(coalition, OPERATOR, transfer.id, None, "oops", key())
    assert made.transfer.status is TransferStatus.REVERSED
    assert await held(coalition, transfer) == [1_000, -40]
    await require_sound(coalition)


@ways
async def test_a_brand_may_take_what_there_is(coalition: Coalition, way: Way) -> None:
    """By `UP_TO_BALANCE` as much is taken back as there is, and the rest when there is more; where
    there is nothing, the reversal is refused."""
    _, transfer = await spent(coalition, way, Shortfall.UP_TO_BALANCE, 40)
    made = await reverse(coalition, OPERATOR, transfer.id, None, "oops", key())
    assert (made.transfer.status, made.transfer.reversed_points) == (TransferStatus.COMPLETED, 37)
    assert await held(coalition, transfer) == [937, 0]
    with pytest.raises(InsufficientPoints) as refusal:
        await reverse(coalition, OPERATOR, transfer.id, None, "oops", key())
    assert (refusal.value.available, refusal.value.required) == (0, 40)
    await by_hand(coalition, transfer, 100)
    await reverse(coalition, OPERATOR, transfer.id, None, "oops", key())
    assert await held(coalition, transfer) == [1_000, 60]
    assert (await read(coalition, transfer)).status is TransferStatus.REVERSED
    await require_sound(coalition)


async def test_both_halves_of_a_gift_are_taken_back(coalition: Coalition) -> None:
    """A reversed gift shows a reversal to each side, of what she saw."""
    it, transfer = await spent(coalition, gift, Shortfall.REJECT, 0)
    made = await reverse(coalition, OPERATOR, transfer.id, None, "oops", key())
    assert made.transfer.transactions[:2] == transfer.transactions
    left, arrived = transfer.transactions
    for person, original, figure in ((it.ada, left, 100), (it.bea, arrived, 64)):
        seen = await transactions_by_id(coalition, person.caller, made.transfer.transactions)
        (reversal,) = seen[original].reversed_by
        assert set(seen) == {original, reversal}
        assert (seen[reversal].points, seen[reversal].reverses) == (figure, original)
    await require_sound(coalition)

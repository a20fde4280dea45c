"""Requests on segments that were cut off between two writes, and come again with the same key."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from brands.adjustments import adjust
from brands.coalition import Coalition
from brands.ledger.commands import Shortfall
from brands.memberships import close_membership
from brands.publishing import BrandChanges, update_brand
from brands.travel.bookings import SegmentStatus
from brands.travel.crediting import Confirmation, confirm
from brands.travel.rejections import BookingChanged, PointsSpent
from brands.travel.voiding import VoidReason, void
from tests.brands.booked import booked, confirmed, errors, flight, points, scene, statuses
from tests.brands.stage import OPERATOR, key, require_sound

SHARED = flight(9, operating_carrier="GR", operating_number="9")


@contextmanager
def cut_off() -> Iterator[None]:
    """Within the block nothing is done instead of what was refused."""

    async def down(*_: object) -> None:
        raise ConnectionError

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("brands.travel.booking_parts._settled", down)
        with pytest.raises(ConnectionError):
            yield


async def test_a_supplier_is_not_told_of_a_membership(coalition: Coalition) -> None:
    """Cut off when the membership was found closed, a supplier whose segment it is no more is told
    that the booking was changed, and nothing of the membership, again and again."""
    it = await scene(coalition)
    (segment,) = (await booked(coalition, it, SHARED)).segments
    await close_membership(coalition, OPERATOR, it.ada.at["AERO"])
    asked, same = [Confirmation(segment.id)], key()
    with cut_off():
        await confirm(coalition, it.brand("GROCER"), asked, same)
    await booked(coalition, it, replace(SHARED, operating_carrier="ZZ"))
    for _ in range(2):
        done = await confirm(coalition, it.brand("GROCER"), asked, same)
        assert errors(done) == [BookingChanged()]
        assert done.results[0].segment is None
    await require_sound(coalition)


async def test_who_still_supplies_it_is_answered_as_ever(coalition: Coalition) -> None:
    """Cut off at the same place, a supplier who asks again ends the segment without points."""
    it = await scene(coalition)
    booking = await booked(coalition, it, SHARED)
    await close_membership(coalition, OPERATOR, it.ada.at["AERO"])
    asked, same = [Confirmation(booking.segments[0].id)], key()
    with cut_off():
        await confirm(coalition, it.brand("GROCER"), asked, same)
    for _ in range(2):
        assert errors(await confirm(coalition, it.brand("GROCER"), asked, same)) == [None]
    assert await statuses(coalition, booking) == [SegmentStatus.NOT_CREDITED]


@pytest.mark.parametrize("first", [Shortfall.REJECT, Shortfall.UP_TO_BALANCE])
@pytest.mark.parametrize("earned", [0, 900])
async def test_a_void_that_was_cut_off_lets_nothing_go(
    coalition: Coalition, first: Shortfall, earned: int
) -> None:
    """Cut off when the points were found spent, a void is refused for good, whatever the clawback
    is and whatever she has by then; with a new key that is what is taken."""
    it = await scene(coalition, first)
    booking = await booked(coalition, it)
    await confirmed(coalition, it.brand("AERO"), *booking.segments)
    await adjust(coalition, OPERATOR, it.ada.at["AERO"], -500, "spent", None, None, key())
    same = key()
    with cut_off():
        await void(coalition, OPERATOR, booking.id, VoidReason.REFUND, same)
    let_go = BrandChanges(clawback=Shortfall.UP_TO_BALANCE)
    await update_brand(coalition, OPERATOR, "AERO", let_go)
    if earned:
        await adjust(coalition, OPERATOR, it.ada.at["AERO"], earned, "earned", None, None, key())
    for _ in range(2):
        done = await void(coalition, OPERATOR, booking.id, VoidReason.REFUND, same)
        assert errors(done) == [PointsSpent(available=0, required=500)]
        assert await statuses(coalition, booking) == [SegmentStatus.CREDITED]
    done = await void(coalition, OPERATOR, booking.id, VoidReason.REFUND, key())
    assert errors(done) == [None]
    assert await points(coalition, it) == max(earned - 500, 0)
    await require_sound(coalition)

"""Travel on a suspended brand's program: attached, claimed, called off, and credited afterwards."""

from dataclasses import replace

import pytest

from brands.coalition import Coalition
from brands.rejections import BrandSuspended
from brands.travel.attaching import attach, detach
from brands.travel.bookings import SegmentStatus
from brands.travel.claiming import claim
from brands.travel.claims import ClaimStatus
from brands.travel.crediting import Confirmation, confirm
from brands.travel.voiding import VoidReason, void
from tests.brands.booked import (
    attachment,
    booked,
    confirmed,
    errors,
    flight,
    points,
    scene,
    statuses,
    stay,
    whole,
)
from tests.brands.claimed import approve, claimed, new_claim, reject
from tests.brands.claimed import whole as whole_claim
from tests.brands.stage import OPERATOR, everything, key, require_sound
from tests.brands.suspending import suspend, take_back

PENDING, CREDITED = SegmentStatus.PENDING, SegmentStatus.CREDITED


async def test_confirming_waits(coalition: Coalition) -> None:
    """What is confirmed for a suspended program is refused, whoever supplied it and whatever it
    earns, and stays pending, to be credited afterwards under a new key; a key that was answered
    before is answered so again."""
    it = await scene(coalition)
    booking = await booked(coalition, it, flight(1), flight(2, booking_class="N"), stay())
    first, *others = booking.segments
    before_it = key()
    flown = [Confirmation(first.id)]
    await confirm(coalition, OPERATOR, flown, before_it)
    await suspend(coalition)
    unchanged = await everything(coalition)
    asked = await confirmed(coalition, OPERATOR, *others)
    assert errors(asked) == [BrandSuspended(brand="AERO")] * 2
    assert await statuses(coalition, booking) == [CREDITED, PENDING, PENDING]
    assert await everything(coalition) == unchanged
    assert (await confirm(coalition, OPERATOR, flown, before_it)).replayed
    await take_back(coalition)
    assert errors(await confirmed(coalition, OPERATOR, *others)) == [None, None]
    assert await statuses(coalition, booking) == [CREDITED, SegmentStatus.INELIGIBLE, CREDITED]
    assert await points(coalition, it) == 500 + 200
    await require_sound(coalition)


async def test_what_was_credited_is_taken_back(coalition: Coalition) -> None:
    """A credited segment of a suspended program is voided, and its points are taken back."""
    it = await scene(coalition)
    booking = await booked(coalition, it, flight(1), flight(2))
    await confirmed(coalition, OPERATOR, booking.segments[0])
    await suspend(coalition)
    done = await void(coalition, OPERATOR, [s.id for s in booking.segments], VoidReason.VOID, key())
    assert errors(done) == [None, None]
    assert await points(coalition, it) == 0
    await require_sound(coalition)


async def test_attaching_goes_on(coalition: Coalition) -> None:
    """While the program is suspended a number is nobody's who had none attached before, and what
    was hers stays hers, though it is attached again with other facts; attached again afterwards,
    all of it is hers."""
    it = await scene(coalition)
    old = flight(1, arrives_at=None)
    booking = await booked(coalition, it, old)
    await suspend(coalition)
    other = await booked(coalition, it, flight(2), record_locator="ZZ99ZZ")
    assert [each.membership_id for each in other.segments] == [None]
    corrected = replace(old, booking_class="J")
    await attach(coalition, it.sky, attachment(it, corrected))
    (segment,) = (await whole(coalition, booking.id)).segments
    assert (segment.facts, segment.membership_id) == (corrected, it.ada.at["AERO"])
    lookups = await coalition.database.fetch("SELECT count(*) AS n FROM lookups_seen")
    await detach(coalition, it.sky, booking.id, None, key())
    assert await statuses(coalition, booking) == [SegmentStatus.DETACHED]
    assert await coalition.database.fetch("SELECT count(*) AS n FROM lookups_seen") == lookups
    await take_back(coalition)
    again = await booked(coalition, it, flight(2), record_locator="ZZ99ZZ")
    assert [each.id for each in again.segments] == [each.id for each in other.segments]
    assert [each.membership_id for each in again.segments] == [it.ada.at["AERO"]]


async def test_claims_wait(coalition: Coalition) -> None:
    """While the program is suspended nothing is claimed of it, neither by an agency nor by the
    member, and no number is looked up; the same key claims afterwards, for her whose the number is,
    and a key that was answered before is answered so again."""
    it = await scene(coalition)
    earlier, late, hers = (new_claim(it, flight(number)) for number in (1, 2, 3))
    made = await claim(coalition, it.sky, earlier)
    await suspend(coalition)
    unchanged, lookups = await everything(coalition), "SELECT count(*) AS n FROM lookups_seen"
    asked_before = await coalition.database.fetch(lookups)
    for who, asked in ((it.sky, late), (it.ada.caller, hers)):
        with pytest.raises(BrandSuspended) as refused:
            await claim(coalition, who, asked)
        assert refused.value == BrandSuspended(path="loyalty.brand", brand="AERO")
    assert (await claim(coalition, it.sky, earlier)) == replace(made, replayed=True)
    assert await everything(coalition) == unchanged
    assert await coalition.database.fetch(lookups) == asked_before
    await take_back(coalition)
    for who, asked in ((it.sky, late), (it.ada.caller, hers)):
        done = await claim(coalition, who, asked)
        linked = (await whole_claim(coalition, done.claim)).membership_id
        assert (done.replayed, linked) == (False, it.ada.at["AERO"])


async def test_claims_are_not_approved(coalition: Coalition) -> None:
    """A claim at a suspended program is rejected, but not approved before the suspension ends."""
    it = await scene(coalition)
    one, other = await claimed(coalition, it, flight(1)), await claimed(coalition, it, flight(2))
    await suspend(coalition)
    with pytest.raises(BrandSuspended) as refused:
        await approve(coalition, OPERATOR, one)
    assert refused.value.brand == "AERO"
    assert (await reject(coalition, OPERATOR, other)).claim.status is ClaimStatus.REJECTED
    assert await points(coalition, it) == 0
    await take_back(coalition)
    assert (await approve(coalition, OPERATOR, one)).claim.status is ClaimStatus.APPROVED
    assert await points(coalition, it) == 500
    await require_sound(coalition)

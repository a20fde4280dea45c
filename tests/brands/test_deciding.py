"""Deciding on claims for missing credit: what is credited, who pays, and how it is taken back."""

import asyncio
from dataclasses import replace

import pytest

from brands.adjustments import adjust
from brands.coalition import Coalition
from brands.errors import (
    ClaimNotFound,
    NotPermitted,
)
from brands.ledger.commands import Shortfall
from brands.memberships import close_membership
from brands.rejections import (
    AccrualNotCharted,
    AppealNotPossible,
    ClaimDecided,
    ClaimEarnsNothing,
    ClaimNotCredited,
    FlightAlreadyCredited,
    InsufficientPoints,
    MembershipClosed,
    PointsSpent,
    SegmentAlreadyCredited,
)
from brands.transactions import reverse
from brands.travel.bookings import SegmentStatus
from brands.travel.claiming import appeal
from brands.travel.claims import (
    ClaimStatus,
)
from brands.travel.deciding import void
from brands.travel.voiding import VoidReason
from brands.travel.voiding import void as void_booking
from tests.brands.booked import (
    booked,
    confirmed,
    errors,
    flight,
    points,
    scene,
    statuses,
)
from tests.brands.claimed import approve, claimed, reject, whole
from tests.brands.stage import (
    OPERATOR,
    all_money,
    changed,
    key,
    require_sound,
)


async def test_a_claim_is_credited_when_the_brand_approves(coalition: Coalition) -> None:
    """An open claim moves nothing; an approved one credits what the chart gives, and the brand
    that supplied the flight pays."""
    it = await scene(coalition)
    before = await all_money(coalition)
    made = await claimed(coalition, it)
    assert (made.status, made.is_linked, made.points) == (ClaimStatus.OPEN, True, None)
    assert changed(before, await all_money(coalition)) == {}
    done = await approve(coalition, it.brand("AERO"), made)
    assert (done.claim.status, done.claim.points) == (ClaimStatus.APPROVED, 500)
    assert await points(coalition, it) == 500
    await require_sound(coalition)


async def test_the_supplier_decides_and_pays(coalition: Coalition) -> None:
    """Of a partner's flight the partner decides, not the program's brand, and its settlement
    account pays."""
    it = await scene(coalition)
    shared = flight(117, operating_carrier="GR", operating_number="9")
    made = await claimed(coalition, it, shared)
    for who in (it.brand("AERO"), it.sky, it.ada.caller):
        with pytest.raises(NotPermitted):
            await approve(coalition, who, made)
    before = await all_money(coalition)
    await approve(coalition, it.brand("GROCER"), made)
    assert changed(before, await all_money(coalition)) == {
        "GROCER.SETTLEMENT": -250 * 12_000,
        "AERO.POOL": 250 * 10_000,
        "MARGIN": 250 * 2_000,
    }
    await require_sound(coalition)


@pytest.mark.parametrize("booked_first", [True, False])
async def test_a_claim_and_a_booking_are_credited_once(
    coalition: Coalition, *, booked_first: bool
) -> None:
    """A segment that a claim has credited, or whose flight it has, is not credited again."""
    it = await scene(coalition)
    booking = await booked(coalition, it) if booked_first else None
    made = await claimed(coalition, it, who=it.ada.caller)
    await approve(coalition, it.brand("AERO"), made)
    booking = booking or await booked(coalition, it)
    expected = SegmentStatus.CREDITED if booked_first else SegmentStatus.PENDING
    assert await statuses(coalition, booking) == [expected]
    done = await confirmed(coalition, it.brand("AERO"), *booking.segments)
    refused = SegmentAlreadyCredited if booked_first else FlightAlreadyCredited
    assert [type(each) for each in errors(done)] == [refused]
    assert await points(coalition, it) == 500
    await require_sound(coalition)


async def test_voiding_the_booking_takes_the_claim_back(coalition: Coalition) -> None:
    """What a claim has credited by way of a booking goes with the booking, and can be claimed and
    credited anew."""
    it = await scene(coalition)
    booking = await booked(coalition, it)
    made = await claimed(coalition, it, who=it.ada.caller)
    await approve(coalition, it.brand("AERO"), made)
    await void_booking(coalition, it.brand("AERO"), booking.id, VoidReason.REFUND, key())
    assert await points(coalition, it) == 0
    assert (await whole(coalition, made)).status is ClaimStatus.VOIDED
    with pytest.raises(ClaimNotCredited):
        await void(coalition, it.brand("AERO"), made.id, "A mistake.", key())
    again = await claimed(coalition, it, who=it.ada.caller)
    await approve(coalition, it.brand("AERO"), again, 70)
    assert await points(coalition, it) == 70
    await require_sound(coalition)


@pytest.mark.parametrize("with_booking", [True, False])
async def test_voiding_a_claim(coalition: Coalition, *, with_booking: bool) -> None:
    """What was approved by mistake is taken back to the last unit, and the booking's segment with
    it; the same key does so once."""
    it = await scene(coalition)
    before = await all_money(coalition)
    booking = await booked(coalition, it) if with_booking else None
    made = await claimed(coalition, it)
    await approve(coalition, it.brand("AERO"), made)
    for who in (it.sky, it.ada.caller):
        with pytest.raises(NotPermitted):
            await void(coalition, who, made.id, "A mistake.", key())
    same = key()
    done = await void(coalition, it.brand("AERO"), made.id, "A mistake.", same)
    assert (done.claim.status, done.replayed) == (ClaimStatus.VOIDED, False)
    again = await void(coalition, it.brand("AERO"), made.id, "A mistake.", same)
    assert (again.claim.status, again.replayed) == (ClaimStatus.VOIDED, True)
    assert await points(coalition, it) == 0
    assert changed(before, await all_money(coalition)) == {}
    if booking is not None:
        assert await statuses(coalition, booking) == [SegmentStatus.VOIDED]
    assert (await claimed(coalition, it)).status is ClaimStatus.OPEN
    await require_sound(coalition)


@pytest.mark.parametrize("clawback", list(Shortfall))
async def test_voiding_when_the_points_are_spent(coalition: Coalition, clawback: Shortfall) -> None:
    """The clawback of the program's brand decides: refused, taken below zero, or let go."""
    it = await scene(coalition, clawback)
    made = await claimed(coalition, it)
    await approve(coalition, it.brand("AERO"), made)
    account = it.ada.at["AERO"]
    await adjust(coalition, OPERATOR, account, -500, "spent", None, None, key())
    same = key()
    for _ in range(2):
        if clawback is Shortfall.REJECT:
            with pytest.raises(InsufficientPoints):
                await void(coalition, it.brand("AERO"), made.id, "A mistake.", same)
        else:
            await void(coalition, it.brand("AERO"), made.id, "A mistake.", same)
    kept = clawback is Shortfall.REJECT
    status = (await whole(coalition, made)).status
    assert status is (ClaimStatus.APPROVED if kept else ClaimStatus.VOIDED)
    below = clawback is Shortfall.ALLOW_NEGATIVE
    assert await points(coalition, it) == (-500 if below else 0)
    await require_sound(coalition)


async def test_a_supplier_gives_no_points_of_its_choice(coalition: Coalition) -> None:
    """Of another brand's points a supplier approves those of the chart, and none where the chart
    says nothing; how many there are then only the operator says."""
    it = await scene(coalition)
    supplier = it.brand("GROCER")
    charted = await claimed(coalition, it, flight(9, operating_carrier="GR", operating_number="9"))
    uncharted = await claimed(coalition, it, flight(2, carrier="GR", operating_carrier="G9"))
    for each in (charted, uncharted):
        assert each.supplier_id == supplier.brand_id
        with pytest.raises(NotPermitted):
            await approve(coalition, supplier, each, 1)
    with pytest.raises(AccrualNotCharted):
        await approve(coalition, supplier, uncharted)
    await approve(coalition, supplier, charted)
    assert await points(coalition, it) == 250
    await approve(coalition, OPERATOR, uncharted, 9)
    assert await points(coalition, it) == 259
    await require_sound(coalition)


async def test_a_supplier_is_not_told_what_a_member_has(coalition: Coalition) -> None:
    """Where points are spent, the program's brand is told how many there are; a supplier is only
    told that they are spent, again and again."""
    it = await scene(coalition, Shortfall.REJECT)
    made = await claimed(coalition, it, flight(9, operating_carrier="GR", operating_number="9"))
    await approve(coalition, it.brand("GROCER"), made)
    await adjust(coalition, OPERATOR, it.ada.at["AERO"], -200, "spent", None, None, key())
    same = key()
    for replayed in (False, True):
        with pytest.raises(PointsSpent) as refused:
            await void(coalition, it.brand("GROCER"), made.id, "A mistake.", same)
        assert refused.value == PointsSpent(replayed=replayed)
    with pytest.raises(InsufficientPoints):
        await void(coalition, it.brand("AERO"), made.id, "A mistake.", key())
    await require_sound(coalition)


async def test_voiding_what_was_reversed_by_hand(coalition: Coalition) -> None:
    """Where the operator has reversed the transaction, nothing is left to be taken back, and the
    claim ends all the same."""
    it = await scene(coalition)
    made = await claimed(coalition, it)
    done = await approve(coalition, it.brand("AERO"), made)
    assert done.claim.transaction_id is not None
    await reverse(coalition, OPERATOR, done.claim.transaction_id, None, "By hand.", key())
    same = key()
    for replayed in (False, True):
        ended = await void(coalition, it.brand("AERO"), made.id, "A mistake.", same)
        assert (ended.claim.status, ended.replayed) == (ClaimStatus.VOIDED, replayed)
    assert await points(coalition, it) == 0


async def test_one_appeal(coalition: Coalition) -> None:
    """Who has claimed appeals once against a rejection; what is decided then is final."""
    it = await scene(coalition)
    made = await claimed(coalition, it)
    with pytest.raises(AppealNotPossible):
        await appeal(coalition, it.sky, made.id, "Too early.", key())
    await reject(coalition, it.brand("AERO"), made)
    with pytest.raises(ClaimDecided):
        await approve(coalition, it.brand("AERO"), made)
    with pytest.raises(NotPermitted):
        await appeal(coalition, it.ada.caller, made.id, "I did fly.", key())
    with pytest.raises(ClaimNotFound):
        await appeal(coalition, it.sea, made.id, "He did fly.", key())
    same = key()
    done = await appeal(coalition, it.sky, made.id, "She did fly.", same)
    assert (done.claim.status, done.claim.appeal) == (ClaimStatus.APPEALED, "She did fly.")
    again = await appeal(coalition, it.sky, made.id, "She did fly.", same)
    assert again == replace(done, replayed=True)
    await reject(coalition, it.brand("AERO"), made)
    with pytest.raises(AppealNotPossible):
        await appeal(coalition, it.sky, made.id, "Once more.", key())
    with pytest.raises(ClaimDecided):
        await approve(coalition, it.brand("AERO"), made)
    assert await points(coalition, it) == 0


async def test_an_appeal_can_be_approved(coalition: Coalition) -> None:
    """On appeal the brand can approve; then the points are there."""
    it = await scene(coalition)
    made = await claimed(coalition, it)
    await reject(coalition, it.brand("AERO"), made)
    await appeal(coalition, it.sky, made.id, "She did fly.", key())
    done = await approve(coalition, it.brand("AERO"), made, 123)
    assert (done.claim.status, done.claim.is_appealed) == (ClaimStatus.APPROVED, True)
    assert await points(coalition, it) == 123


async def test_one_of_two_decisions_holds(coalition_on_postgres: Coalition) -> None:
    """Of two brands' clerks who decide at once, one does, and points are credited at most once."""
    coalition = coalition_on_postgres
    it = await scene(coalition)
    made = await claimed(coalition, it)
    clerks = (approve, reject, approve, approve)
    found = await asyncio.gather(
        *(clerk(coalition, it.brand("AERO"), made) for clerk in clerks), return_exceptions=True
    )
    assert sum(not isinstance(each, BaseException) for each in found) == 1
    status = (await whole(coalition, made)).status
    assert await points(coalition, it) == (500 if status is ClaimStatus.APPROVED else 0)
    await require_sound(coalition)


async def test_what_the_chart_says(coalition: Coalition) -> None:
    """Points that are not said come from the chart; where it has none, or none for this, they
    must be said."""
    it = await scene(coalition)
    staff = await claimed(coalition, it, flight(1, booking_class="N"))
    with pytest.raises(ClaimEarnsNothing) as nothing:
        await approve(coalition, it.brand("AERO"), staff)
    assert nothing.value.reason == "A ticket for staff."
    unknown = await claimed(coalition, it, flight(2), brand="HOTEL")
    with pytest.raises(AccrualNotCharted):
        await approve(coalition, it.brand("AERO"), unknown)
    await approve(coalition, OPERATOR, unknown, 7)
    assert await points(coalition, it, "HOTEL") == 7


async def test_a_closed_membership(coalition: Coalition) -> None:
    """A claim of a member who has left cannot be approved."""
    it = await scene(coalition)
    made = await claimed(coalition, it)
    await close_membership(coalition, OPERATOR, it.ada.at["AERO"])
    with pytest.raises(MembershipClosed):
        await approve(coalition, it.brand("AERO"), made)


async def test_an_ineligible_segment_can_be_claimed(coalition: Coalition) -> None:
    """What was confirmed without points is credited by a claim, and the segment says so."""
    it = await scene(coalition)
    booking = await booked(coalition, it, flight(1, booking_class="N"))
    await confirmed(coalition, it.brand("AERO"), *booking.segments)
    assert await statuses(coalition, booking) == [SegmentStatus.INELIGIBLE]
    made = await claimed(coalition, it, flight(1))
    await approve(coalition, it.brand("AERO"), made)
    assert await statuses(coalition, booking) == [SegmentStatus.CREDITED]
    assert await points(coalition, it) == 500

"""Deciding on claims for missing credit: what is credited, and who pays."""

from dataclasses import replace
from datetime import timedelta

import pytest

from brands.clock import now
from brands.coalition import Coalition
from brands.errors import NotPermitted
from brands.ids import new_id
from brands.memberships import close_membership
from brands.program_terms import ChartRow, Program, Programs, ProgramTerms
from brands.rejections import MembershipClosed
from brands.travel.bookings import SegmentStatus
from brands.travel.claims import ClaimStatus, claim_by_id
from brands.travel.deciding import Decision, Verdict, decide
from brands.travel.rejections import (
    AccrualNotCharted,
    ClaimEarnsNothing,
    ClaimNotLinked,
    FlightAlreadyCredited,
    SegmentAlreadyCredited,
)
from brands.travel.taking_back import void
from tests.brands.booked import (
    AERO_TERMS,
    GROCER_TERMS,
    booked,
    confirmed,
    errors,
    flight,
    points,
    scene,
    statuses,
    stay,
)
from tests.brands.claimed import approve, claimed, segment_shown, whole
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


async def test_a_supplier_gives_no_points_of_its_choice(coalition: Coalition) -> None:
    """Of another brand's points a supplier approves those of the chart, and none where the chart
    says nothing; how many there are then only the operator says."""
    it = await scene(coalition)
    supplier = it.brand("GROCER")
    charted = await claimed(coalition, it, flight(9, operating_carrier="GR", operating_number="9"))
    uncharted = await claimed(
        coalition, it, flight(2, carrier="GR", operating_carrier="G9", operating_number="2")
    )
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
    """A claim of a member who has left cannot be approved; another supplier than the program's
    brand is told what it is told of a number that is nobody's, again and again."""
    it = await scene(coalition)
    made = await claimed(coalition, it)
    shared = await claimed(coalition, it, flight(9, operating_carrier="GR", operating_number="9"))
    await close_membership(coalition, OPERATOR, it.ada.at["AERO"])
    with pytest.raises(MembershipClosed):
        await approve(coalition, it.brand("AERO"), made)
    decision = Decision(shared.id, Verdict.APPROVE, None, "Yes.", key())
    for replayed in (False, True):
        with pytest.raises(ClaimNotLinked) as refused:
            await decide(coalition, it.brand("GROCER"), decision)
        assert refused.value == ClaimNotLinked(replayed=replayed)


async def test_what_was_booked_is_credited(coalition: Coalition) -> None:
    """Where a booking has the journey, the chart is asked for what was booked, whatever the claim
    says of it; what was confirmed without points can be credited by a number of them."""
    it = await scene(coalition)
    booking = await booked(coalition, it, flight(1, booking_class="N"))
    await confirmed(coalition, it.brand("AERO"), *booking.segments)
    assert await statuses(coalition, booking) == [SegmentStatus.INELIGIBLE]
    made = await claimed(coalition, it, flight(1, booking_class="J"), it.sea)
    with pytest.raises(ClaimEarnsNothing):
        await approve(coalition, it.brand("AERO"), made)
    await approve(coalition, it.brand("AERO"), made, 70)
    assert await statuses(coalition, booking) == [SegmentStatus.CREDITED]
    assert await points(coalition, it) == 70
    await require_sound(coalition)


async def test_a_part_of_a_stay(coalition: Coalition) -> None:
    """Of a stay that was booked for more nights those that are claimed are credited, and the
    segment stays as it is; where the nights are the same, it is credited."""
    it = await scene(coalition)
    hotel = it.brand("HOTEL")
    booking = await booked(coalition, it, stay(5, chain="HOTEL"), brand="HOTEL")
    part = await claimed(coalition, it, stay(2, chain="HOTEL"), it.sea, brand="HOTEL")
    assert await segment_shown(coalition, hotel, part) is None
    await approve(coalition, hotel, part)
    assert await points(coalition, it, "HOTEL") == 600
    assert await statuses(coalition, booking) == [SegmentStatus.PENDING]
    assert [type(e) for e in errors(await confirmed(coalition, hotel, *booking.segments))] == [
        FlightAlreadyCredited
    ]
    await void(coalition, hotel, part.id, "It was five.", key())
    await approve(
        coalition,
        hotel,
        await claimed(coalition, it, stay(5, chain="HOTEL"), it.sea, brand="HOTEL"),
    )
    assert await points(coalition, it, "HOTEL") == 1_500
    assert await statuses(coalition, booking) == [SegmentStatus.CREDITED]
    await require_sound(coalition)


async def test_the_segment_is_shown(coalition: Coalition) -> None:
    """The program's brand and the operator see which segment an approval would credit, and then
    which it has credited; it would tell others whose the number is."""
    it = await scene(coalition)
    shared = flight(117, operating_carrier="GR", operating_number="9")
    (segment,) = (await booked(coalition, it, shared)).segments
    made = await claimed(coalition, it, shared, it.sea)
    for _ in range(2):
        for who in (it.brand("AERO"), OPERATOR):
            seen = await claim_by_id(coalition, who, made.id)
            shown = await segment_shown(coalition, who, seen)
            assert shown is not None
            assert shown.id == segment.id
        for who in (it.brand("GROCER"), it.sea):
            seen = await claim_by_id(coalition, who, made.id)
            assert await segment_shown(coalition, who, seen) is None
        assert await segment_shown(coalition, it.ada.caller, made) is None
        await approve(coalition, it.brand("GROCER"), made) if made.is_undecided else None
        made = await whole(coalition, made)


async def test_the_day_of_travel_counts(coalition: Coalition) -> None:
    """Who supplied a flight is who had its carrier on that day, and the chart is that of that day:
    what a brand has laid down since changes neither."""
    it = await scene(coalition)
    today, then, since = now(), now() - timedelta(days=60), now() - timedelta(days=2)
    nine = replace(AERO_TERMS, chart=(ChartRow(per_segment=9),))
    coalition.registry.snapshot.programs = Programs(
        Program(new_id(0), it.brands[code].id, terms, begins)
        for code, terms, begins in (
            ("AERO", AERO_TERMS, then),
            ("GROCER", GROCER_TERMS, then),
            ("AERO", nine, since),
            ("GROCER", ProgramTerms(), since),
            ("HOTEL", GROCER_TERMS, since),
        )
    )
    before = await claimed(coalition, it, flight(1, carrier="GR"))
    assert before.supplier_id == it.brands["GROCER"].id
    await approve(coalition, it.brand("GROCER"), before)
    assert await points(coalition, it) == 250
    made = await claimed(coalition, it, flight(2, carrier="GR", departs_on=today.date()))
    assert made.supplier_id == it.brands["HOTEL"].id
    await approve(coalition, it.brand("HOTEL"), made)
    assert await points(coalition, it) == 259
    await require_sound(coalition)

"""Confirming segments: what is credited, who pays, and that it is credited once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from brands.adjustments import adjust
from brands.clock import now
from brands.coalition import Coalition
from brands.errors import (
    DomainError,
    EventInFuture,
    IdempotencyKeyReused,
    NotPermitted,
    SegmentNotFound,
)
from brands.ledger.commands import Shortfall
from brands.memberships import close_membership
from brands.program_terms import ChartRow
from brands.publishing import BrandChanges, update_brand
from brands.travel.bookings import SegmentStatus
from brands.travel.crediting import NOT_A_MEMBER, Confirmation, confirm
from brands.travel.programs import publish_terms
from brands.travel.rejections import (
    AccrualNotCharted,
    FlightAlreadyCredited,
    PointsSpent,
    SegmentAlreadyCredited,
    SegmentClosed,
    SegmentNotTravelled,
)
from brands.travel.voiding import VoidReason, void
from tests.brands.booked import (
    AERO_TERMS,
    TOMORROW,
    after,
    booked,
    confirmed,
    errors,
    flight,
    pending,
    points,
    scene,
    statuses,
    stay,
)
from tests.brands.stage import (
    OPERATOR,
    all_money,
    changed,
    everything,
    key,
    require_sound,
)

PENDING, CREDITED = SegmentStatus.PENDING, SegmentStatus.CREDITED
VOIDED, INELIGIBLE = SegmentStatus.VOIDED, SegmentStatus.INELIGIBLE


async def test_a_flight_is_credited_by_the_chart(coalition: Coalition) -> None:
    """What is confirmed without a number of points earns what the first fitting row says."""
    it = await scene(coalition)
    booking = await booked(coalition, it, flight(1), flight(2, booking_class="J"), stay(3))
    assert await pending(coalition, it) == 1_800
    done = await confirmed(coalition, it.brand("AERO"), *booking.segments)
    assert errors(done) == [None] * 3
    assert [each.points for each in after(done)] == [500, 1_000, 300]
    assert (await points(coalition, it), await pending(coalition, it)) == (1_800, 0)
    await require_sound(coalition)


async def test_the_supplier_pays_for_another_brands_points(coalition: Coalition) -> None:
    """At a codeshare the carrier that operates the flight pays the issue price, the value of the
    points goes behind them at the program's brand, and the rest is the margin's."""
    it = await scene(coalition)
    shared = flight(117, operating_carrier="GR", operating_number="9")
    booking = await booked(coalition, it, shared)
    (segment,) = booking.segments
    assert segment.supplier_id == it.brands["GROCER"].id
    with pytest.raises(NotPermitted):
        await confirmed(coalition, it.brand("AERO"), segment)
    before = await all_money(coalition)
    assert errors(await confirmed(coalition, it.brand("GROCER"), segment)) == [None]
    assert changed(before, await all_money(coalition)) == {
        "GROCER.SETTLEMENT": -250 * 12_000,
        "AERO.POOL": 250 * 10_000,
        "MARGIN": 250 * 2_000,
    }
    await void(coalition, it.brand("AERO"), booking.id, VoidReason.REFUND, key())
    assert changed(before, await all_money(coalition)) == {}
    await require_sound(coalition)


async def test_a_stay_is_credited_to_a_partners_program(coalition: Coalition) -> None:
    """A stay at a chain that is a brand, credited to an airline's program, is the chain's to
    confirm and to pay; one at no brand's is the program's own."""
    it = await scene(coalition)
    booking = await booked(coalition, it, stay(2, chain="HOTEL"), stay(1, place="FARM"))
    assert [each.supplier_id for each in booking.segments] == [
        it.brands["HOTEL"].id,
        it.brands["AERO"].id,
    ]
    before = await all_money(coalition)
    await confirmed(coalition, it.brand("HOTEL"), booking.segments[0])
    assert changed(before, await all_money(coalition))["HOTEL.SETTLEMENT"] == -200 * 12_000
    assert await points(coalition, it) == 200


async def test_travel_earns_by_the_terms_of_its_time(coalition: Coalition) -> None:
    """What was travelled before new terms began earns by the former ones; before a brand had any,
    by its first."""
    it = await scene(coalition)
    (published,) = coalition.registry.snapshot.programs.of_brand(it.brands["AERO"].id)
    generous = replace(AERO_TERMS, chart=(ChartRow(per_segment=9),))
    await publish_terms(coalition, OPERATOR, "AERO", generous, None)
    times = (published.effective_from - timedelta(days=3), published.effective_from, None)
    days = [(at or now()).date() for at in times]
    flights = [flight(n, departs_on=day) for n, day in enumerate(days, 1)]
    booking = await booked(coalition, it, *flights)
    asked = [
        Confirmation(each.id, travelled_at=at)
        for each, at in zip(booking.segments, times, strict=True)
    ]
    done = await confirm(coalition, it.brand("AERO"), asked, key())
    assert [each.points for each in after(done)] == [500, 500, 9]


async def test_an_ineligible_product_earns_nothing_with_a_reason(coalition: Coalition) -> None:
    """With no points, by the chart or by the brand, nothing is posted and the reason is told."""
    it = await scene(coalition)
    booking = await booked(coalition, it, flight(1, booking_class="N"), flight(2))
    before = await everything(coalition)
    asked = [
        Confirmation(booking.segments[0].id),
        Confirmation(booking.segments[1].id, 0, "A bought seat."),
    ]
    done = await confirm(coalition, it.brand("AERO"), asked, key())
    assert errors(done) == [None, None]
    assert [each.status for each in after(done)] == [INELIGIBLE, INELIGIBLE]
    reasons = [each.reason for each in after(done)]
    assert reasons == ["A ticket for staff.", "A bought seat."]
    assert await everything(coalition) == before
    again = await confirmed(coalition, it.brand("AERO"), booking.segments[0])
    assert errors(again) == [SegmentClosed(status="INELIGIBLE")]
    await require_sound(coalition)


async def test_what_no_row_speaks_of_needs_a_number(coalition: Coalition) -> None:
    """Where the chart says nothing the brand must say how many points, and may."""
    it = await scene(coalition)
    booking = await booked(coalition, it, flight(1, carrier="ZZ"))
    (segment,) = booking.segments
    assert errors(await confirmed(coalition, OPERATOR, segment)) == [AccrualNotCharted()]
    assert errors(await confirmed(coalition, OPERATOR, segment, points=77)) == [None]
    assert await points(coalition, it) == 77


async def test_nobodys_number_is_not_credited(coalition: Coalition) -> None:
    """A number that is nobody's of that name, and one whose membership was closed meanwhile, end
    in the same way for the same reason."""
    it = await scene(coalition)
    wrong = await booked(coalition, it, flight(1), number="AERO00000000")
    good = await booked(coalition, it, flight(2), record_locator="XX11YY")
    await close_membership(coalition, OPERATOR, it.ada.at["AERO"])
    segments = (*wrong.segments, *good.segments)
    done = await confirmed(coalition, it.brand("AERO"), *segments)
    assert errors(done) == [None, None]
    assert {each.status for each in after(done)} == {SegmentStatus.NOT_CREDITED}
    assert {each.reason for each in after(done)} == {NOT_A_MEMBER}
    await require_sound(coalition)


async def test_a_flight_on_two_bookings_is_credited_once(coalition: Coalition) -> None:
    """The same flight, booked by two agencies, under its own and under its partner's name, for two
    programs of one member, is credited once; pending it counts once at each."""
    it = await scene(coalition)
    shared = flight(117, operating_carrier="GR", operating_number="9")
    other = flight(9, carrier="GR")
    first = await booked(coalition, it, shared)
    second = await booked(coalition, it, other, who=it.sea, record_locator="ZZ99ZZ")
    third = await booked(coalition, it, other, who=it.sea, brand="HOTEL")
    assert await pending(coalition, it) == 250
    segments = [each.segments[0] for each in (first, second, third)]
    done = [await confirmed(coalition, OPERATOR, each, points=10) for each in segments]
    assert [errors(each) for each in done] == [
        [None],
        [FlightAlreadyCredited()],
        [FlightAlreadyCredited()],
    ]
    assert (await points(coalition, it), await points(coalition, it, "HOTEL")) == (10, 0)
    assert await pending(coalition, it) == 0
    await require_sound(coalition)


async def test_a_flight_that_was_voided_can_be_credited_again(coalition: Coalition) -> None:
    """What was voided, booked again and flown after all is credited, once."""
    it = await scene(coalition)
    first = await booked(coalition, it)
    await confirmed(coalition, it.brand("AERO"), *first.segments)
    done = await void(coalition, it.brand("AERO"), first.id, VoidReason.REFUND, key())
    assert errors(done) == [None]
    assert await points(coalition, it) == 0
    again = await booked(coalition, it)
    assert again.id == first.id
    assert [each.status for each in again.segments] == [VOIDED, PENDING]
    assert errors(await confirmed(coalition, it.brand("AERO"), again.segments[1])) == [None]
    assert await points(coalition, it) == 500
    twice = await confirmed(coalition, it.brand("AERO"), *again.segments)
    assert errors(twice) == [SegmentClosed(status="VOIDED"), SegmentAlreadyCredited()]
    await require_sound(coalition)


async def test_a_journey_is_made_before_it_is_credited(coalition: Coalition) -> None:
    """Nothing is confirmed before it can have begun, nor at an instant that is to come."""
    it = await scene(coalition)
    booking = await booked(coalition, it, flight(1, departs_on=TOMORROW))
    (segment,) = booking.segments
    refused = SegmentNotTravelled(begins_on=TOMORROW.isoformat())
    assert errors(await confirmed(coalition, OPERATOR, segment)) == [refused]
    later = Confirmation(segment.id, travelled_at=now().replace(year=now().year + 1))
    with pytest.raises(EventInFuture):
        await confirm(coalition, OPERATOR, [later], key())
    assert await statuses(coalition, booking) == [PENDING]


async def test_a_request_has_one_answer(coalition: Coalition) -> None:
    """The same key gives the same results again, whatever has happened since, and is good for no
    other request."""
    it = await scene(coalition)
    booking = await booked(coalition, it, flight(1), flight(2), flight(3, departs_on=TOMORROW))
    asked = [Confirmation(each.id) for each in booking.segments]
    name = key()
    first = await confirm(coalition, it.brand("AERO"), asked, name)
    await void(coalition, OPERATOR, [booking.segments[0].id], VoidReason.MISTAKE, key())
    before = await everything(coalition)
    second = await confirm(coalition, it.brand("AERO"), asked, name)
    assert (first.replayed, second.replayed) == (False, True)
    assert errors(first)[:2] == errors(second)[:2] == [None, None]
    assert isinstance(errors(first)[2], SegmentNotTravelled)
    assert isinstance(errors(second)[2], SegmentNotTravelled)
    assert after(second)[0].status is VOIDED
    with pytest.raises(IdempotencyKeyReused):
        await confirm(coalition, it.brand("AERO"), asked[1:], name)
    assert await everything(coalition) == before


async def test_only_who_pays_may_confirm(coalition: Coalition) -> None:
    """Of what a brand does not supply it cannot confirm anything, an agency and a member nothing at
    all, and what one may not see is not there."""
    it = await scene(coalition)
    booking = await booked(coalition, it)
    (segment,) = booking.segments
    before = await everything(coalition)
    for who, refusal in (
        (it.sky, NotPermitted),
        (it.ada.caller, NotPermitted),
        (it.sea, SegmentNotFound),
        (it.brand("HOTEL"), SegmentNotFound),
    ):
        with pytest.raises(refusal):
            await confirmed(coalition, who, segment)
    assert await everything(coalition) == before
    assert await statuses(coalition, booking) == [PENDING]


@pytest.mark.parametrize("clawback", list(Shortfall))
async def test_points_that_are_spent_follow_the_policy(
    coalition: Coalition, clawback: Shortfall
) -> None:
    """When credited points are spent, the program's brand refuses to void, lets the member owe
    them, or voids with what there is."""
    it = await scene(coalition, clawback)
    booking = await booked(coalition, it)
    await confirmed(coalition, it.brand("AERO"), *booking.segments)
    await adjust(coalition, OPERATOR, it.ada.at["AERO"], -500, "spent", None, None, key())
    done = await void(coalition, it.brand("AERO"), booking.id, VoidReason.REFUND, key())
    refused = clawback is Shortfall.REJECT
    shortage = PointsSpent(available=0, required=500)
    assert errors(done) == [shortage if refused else None]
    assert await statuses(coalition, booking) == [CREDITED if refused else VOIDED]
    owed = -500 if clawback is Shortfall.ALLOW_NEGATIVE else 0
    assert await points(coalition, it) == owed
    await require_sound(coalition)


async def test_an_answer_stands_whatever_the_clawback_is_since(coalition: Coalition) -> None:
    """Who was refused because the points are spent is refused again with the same key, though the
    brand lets them go by then; with a new key they are let go."""
    it = await scene(coalition, Shortfall.REJECT)
    booking = await booked(coalition, it)
    await confirmed(coalition, it.brand("AERO"), *booking.segments)
    await adjust(coalition, OPERATOR, it.ada.at["AERO"], -500, "spent", None, None, key())
    same, let_go = key(), BrandChanges(clawback=Shortfall.UP_TO_BALANCE)

    async def asked(named: str) -> list[DomainError | None]:
        return errors(await void(coalition, it.brand("AERO"), booking.id, VoidReason.REFUND, named))

    assert await asked(same) == [PointsSpent(available=0, required=500)]
    await update_brand(coalition, OPERATOR, "AERO", let_go)
    for _ in range(2):
        assert await asked(same) == [PointsSpent(available=0, required=500)]
        assert await statuses(coalition, booking) == [CREDITED]
    assert await asked(key()) == [None]
    assert await asked(same) == [PointsSpent(available=0, required=500)]
    assert await statuses(coalition, booking) == [VOIDED]
    await require_sound(coalition)

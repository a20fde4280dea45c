"""Bookings as everybody sees them, listed and voided."""

from uuid import UUID

import pytest

from brands.agencies import agencies_by_id
from brands.callers import Caller, CallerKind
from brands.clock import to_micros
from brands.coalition import Coalition
from brands.errors import BookingNotFound, NotPermitted, SegmentNotFound
from brands.intents import claim_of
from brands.reversals import take_back
from brands.travel.attaching import detach
from brands.travel.booking_pages import (
    BookingWindow,
    Position,
    bookings_of_agency,
    bookings_of_brand,
    bookings_of_membership,
)
from brands.travel.bookings import SegmentStatus, booking_by_id
from brands.travel.rejections import SegmentAlreadyCredited
from brands.travel.voiding import VoidReason, void
from tests.brands.booked import (
    after,
    booked,
    confirmed,
    errors,
    flight,
    points,
    scene,
    statuses,
    stay,
)
from tests.brands.cast import OPERATOR_WITH_PII
from tests.brands.stage import OPERATOR, enrol, key, require_sound


async def test_everybody_sees_her_part(coalition: Coalition) -> None:
    """An agency sees no points and no member, a brand what it supplies or is credited to its
    program, a member what is linked to her, and an operator no names without the scope `pii`."""
    it = await scene(coalition)
    booking = await booked(coalition, it, flight(1), flight(2, carrier="GR"))
    await booked(coalition, it, stay(1, chain="HOTEL"), number="AERO99999999")
    await confirmed(coalition, it.brand("AERO"), booking.segments[0])

    async def seen(who: Caller) -> tuple[list[int | None], list[bool | None], bool] | None:
        try:
            found = await booking_by_id(coalition, who, booking.id)
        except BookingNotFound:
            return None
        return (
            [each.points for each in found.segments],
            [each.is_linked for each in found.segments],
            found.passenger is not None,
        )

    assert await seen(it.sky) == ([None] * 3, [None] * 3, True)
    assert await seen(it.brand("AERO")) == ([500, None, None], [True, True, False], True)
    assert await seen(it.brand("GROCER")) == ([None], [None], True)
    assert await seen(it.brand("HOTEL")) == ([None], [None], True)
    assert await seen(it.ada.caller) == ([500, None], [True, True], True)
    assert await seen(OPERATOR) == ([500, None, None], [True, True, False], False)
    assert await seen(OPERATOR_WITH_PII) == ([500, None, None], [True, True, False], True)
    bea = await enrol(coalition, "AERO", surname="Byron")
    for who in (it.sea, it.brand("COFFEE"), bea.caller, Caller(CallerKind.AGENCY, "nobody")):
        assert await seen(who) is None


async def test_bookings_are_listed(coalition: Coalition) -> None:
    """An agency's, a brand's and a member's bookings are listed, the newest first, by the page, for
    those who may see them; what no longer concerns a brand or a member is not in its list."""
    it = await scene(coalition)
    made = [await booked(coalition, it, flight(1), record_locator=f"L{n}") for n in range(5)]
    await booked(coalition, it, flight(1), record_locator="L4", number="X1", brand="COFFEE")
    aero, ada = it.brands["AERO"].id, it.ada.at["AERO"]
    agency = it.sky.agency_id
    assert agency is not None

    found = []
    window = BookingWindow(2)
    while True:
        page = await bookings_of_agency(coalition, it.sky, agency, window)
        found += [each.record_locator for each in page.bookings]
        if not page.has_next_page:
            break
        last = page.bookings[-1]
        window = BookingWindow(2, Position(to_micros(last.created_at), last.id))
    assert found == ["L4", "L3", "L2", "L1", "L0"]

    everything_of = BookingWindow(100)
    of_brand = await bookings_of_brand(coalition, it.brand("AERO"), aero, everything_of)
    of_ada = await bookings_of_membership(coalition, it.ada.caller, ada, everything_of)
    # The last is AERO's to fly, and credited elsewhere.
    assert [each.id for each in of_brand.bookings] == [each.id for each in made[::-1]]
    assert [each.id for each in of_ada.bookings] == [each.id for each in made[3::-1]]
    for page in (
        await bookings_of_agency(coalition, it.sea, agency, everything_of),
        await bookings_of_agency(coalition, it.brand("AERO"), agency, everything_of),
        await bookings_of_brand(coalition, it.brand("HOTEL"), aero, everything_of),
        await bookings_of_brand(coalition, it.sky, aero, everything_of),
        await bookings_of_membership(coalition, it.sky, ada, everything_of),
        await bookings_of_membership(coalition, it.brand("HOTEL"), ada, everything_of),
    ):
        assert page.bookings == ()
    assert await agencies_by_id(coalition, it.sky, [agency])


async def test_an_agency_voids_what_is_not_credited(coalition: Coalition) -> None:
    """Of a booking that an agency voids, what is pending ends, and what is credited stays so."""
    it = await scene(coalition)
    booking = await booked(coalition, it, flight(1), flight(2), flight(3, booking_class="N"))
    await confirmed(coalition, it.brand("AERO"), booking.segments[0], booking.segments[2])
    name = key()
    for replayed in (False, True):
        done = await void(coalition, it.sky, booking.id, VoidReason.REFUND, name)
        assert errors(done) == [SegmentAlreadyCredited(), None, None]
        assert {each.points for each in after(done)} == {None}
        assert done.replayed is replayed
    assert await points(coalition, it) == 500
    with pytest.raises(NotPermitted):
        await void(coalition, it.ada.caller, booking.id, VoidReason.VOID, key())
    with pytest.raises(BookingNotFound):
        await void(coalition, it.sea, booking.id, VoidReason.VOID, key())
    with pytest.raises(SegmentNotFound):
        await void(coalition, it.brand("HOTEL"), [booking.segments[0].id], VoidReason.VOID, key())
    assert errors(await void(coalition, it.sky, booking.id, VoidReason.VOID, key())) == [
        SegmentAlreadyCredited()
    ]
    await require_sound(coalition)


async def test_a_void_needs_no_second_reversal(coalition: Coalition) -> None:
    """What an operator has reversed already is voided without taking back anything more."""
    it = await scene(coalition)
    booking = await booked(coalition, it)
    done = await confirmed(coalition, it.brand("AERO"), *booking.segments)
    await _reversed(coalition, after(done)[0].transaction_id)
    assert await points(coalition, it) == 0
    name = key()
    for _ in range(2):
        answer = await void(coalition, it.brand("AERO"), booking.id, VoidReason.REFUND, name)
        assert errors(answer) == [None]
    assert await points(coalition, it) == 0
    again = await booked(coalition, it)
    assert errors(await confirmed(coalition, OPERATOR, again.segments[1])) == [None]
    await require_sound(coalition)


async def test_a_replay_voids_nothing_new(coalition: Coalition) -> None:
    """What is attached, or credited to her, after somebody has voided a booking is not voided when
    she asks once more with the same key; nor is anything detached so."""
    it = await scene(coalition)
    booking = await booked(coalition, it, flight(1))
    name = key()
    first = await void(coalition, it.sky, booking.id, VoidReason.VOID, name)
    assert errors(first) == [None]
    await booked(coalition, it, flight(1), flight(2))
    again = await void(coalition, it.sky, booking.id, VoidReason.VOID, name)
    assert ([each.id for each in after(again)], again.replayed) == (
        [each.id for each in after(first)],
        True,
    )
    pending = [SegmentStatus.VOIDED, SegmentStatus.PENDING, SegmentStatus.PENDING]
    assert await statuses(coalition, booking) == pending
    name = key()
    await detach(coalition, it.sky, booking.id, None, name)
    await booked(coalition, it, flight(3))
    assert (await detach(coalition, it.sky, booking.id, None, name)).replayed
    assert (await statuses(coalition, booking))[-1] is SegmentStatus.PENDING


async def test_a_replay_voids_nothing_that_is_hers_since(coalition: Coalition) -> None:
    """Nor does a brand void so what was credited elsewhere when it asked first."""
    it = await scene(coalition)
    facts = (flight(1, carrier="ZZ"), flight(2))
    booking = await booked(coalition, it, *facts)
    await booked(coalition, it, facts[0], brand="HOTEL")
    name = key()
    first = await void(coalition, it.brand("AERO"), booking.id, VoidReason.VOID, name)
    assert errors(first) == [None]
    await booked(coalition, it, facts[0])
    again = await void(coalition, it.brand("AERO"), booking.id, VoidReason.VOID, name)
    assert [each.id for each in after(again)] == [each.id for each in after(first)]
    assert await statuses(coalition, booking) == [SegmentStatus.PENDING, SegmentStatus.VOIDED]


async def _reversed(coalition: Coalition, transaction: UUID | None) -> None:
    assert transaction is not None
    claim = claim_of(OPERATOR, key(), "reverse", transaction=transaction)
    await take_back(coalition, OPERATOR, claim, transaction, None, "by hand")

"""Attaching a number to a booking, replacing it, detaching it; and what nobody learns by it."""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from brands.coalition import Coalition
from brands.errors import (
    BookingNotFound,
    BrandNotFound,
    IdempotencyKeyReused,
    InvalidInput,
    LookupsThrottled,
    NotPermitted,
    SegmentNotFound,
)
from brands.itineraries import Flight, checked_flight
from brands.memberships import close_membership
from brands.travel.attaching import attach, detach
from brands.travel.attachments import MAX_SEGMENTS
from brands.travel.bookings import Booking, Passenger, SegmentStatus
from brands.travel.rejections import NothingPending, SegmentAlreadyCredited, SegmentClosed
from brands.travel.voiding import VoidReason, void
from tests.brands.booked import (
    attachment,
    booked,
    confirmed,
    errors,
    flight,
    pending,
    points,
    scene,
    statuses,
    stay,
    whole,
)
from tests.brands.stage import OPERATOR, enrol, everything, key, require_sound

PENDING, DETACHED = SegmentStatus.PENDING, SegmentStatus.DETACHED


async def noted(coalition: Coalition) -> list[int]:
    """How many rows there are of all that bookings write."""
    tables = ("notes", "bookings", "booking_passengers", "booking_brands", "booking_segments")
    counts = []
    for table in (*tables, "booking_steps", "booking_links", "flown"):
        (row,) = await coalition.database.fetch(f"SELECT count(*) AS n FROM {table}")
        counts.append(row["n"])
    return counts


async def test_a_good_number_is_linked(coalition: Coalition) -> None:
    """A number whose member has the passenger's name is linked to her, and nothing is posted."""
    it = await scene(coalition)
    before = await everything(coalition)
    booking = await booked(coalition, it, flight(1), stay(2))
    assert [each.membership_id for each in booking.segments] == [it.ada.at["AERO"]] * 2
    assert await statuses(coalition, booking) == [PENDING, PENDING]
    assert await everything(coalition) == before
    assert await pending(coalition, it) == 700
    await require_sound(coalition)


async def test_an_agency_learns_nothing(coalition: Coalition) -> None:
    """An unknown number, a wrong name, a closed membership and a good number are answered alike but
    for what the agency itself has written."""
    it = await scene(coalition)
    other = await enrol(coalition, "AERO", surname="Lovelace")
    await close_membership(coalition, OPERATOR, other.at["AERO"])
    closed = other.named["AERO"].number
    ways = [
        attachment(it, flight()),
        attachment(it, flight(), number="AERO99999999"),
        attachment(it, flight(), passenger=Passenger("BYRON", "ADA")),
        attachment(it, flight(), number=closed, record_locator="CLOSED"),
        attachment(it, flight(), number="x", record_locator="ODD"),
    ]
    # The second is of the first's booking, but for the locator.
    ways[1] = replace(ways[1], record_locator="WRONG1")
    answers = [(await attach(coalition, it.sky, each)).booking for each in ways]
    linked = [(await whole(coalition, each.id)).segments[0].membership_id for each in answers]
    assert linked == [it.ada.at["AERO"], None, None, None, None]
    assert {_anonymous(each) for each in answers} == {_anonymous(answers[0])}


def _anonymous(booking: Booking) -> str:
    """All that an agency sees of a booking, without what it has written itself."""
    same = UUID(int=0)
    segments = tuple(
        replace(each, id=same, booking_id=same, number="", changed_at=booking.created_at)
        for each in booking.segments
    )
    plain = replace(booking, id=same, record_locator="", passenger=None, segments=segments)
    return repr(replace(plain, created_at=plain.segments[0].changed_at)).replace(
        repr(booking.created_at), ""
    )


async def test_lookups_are_guarded(coalition: Coalition) -> None:
    """Whoever attaches one wrong number after the other is made to wait; a repeated key is not."""
    it = await scene(coalition)
    first = attachment(it, flight(), number="AERO10000000", record_locator="L0")
    await attach(coalition, it.sky, first)

    async def guess() -> None:
        for n in range(1, 100):
            wrong = {"number": f"AERO1{n:07}", "record_locator": f"L{n}"}
            await attach(coalition, it.sky, attachment(it, flight(), **wrong))

    with pytest.raises(LookupsThrottled) as throttled:
        await guess()
    assert throttled.value.path == "loyalty.number"
    assert (await attach(coalition, it.sky, first)).replayed


async def test_what_is_sent_twice_is_one_segment(coalition: Coalition) -> None:
    """A flight is one in a booking, however often and in whatever form it is sent."""
    it = await scene(coalition)
    first = await booked(coalition, it, flight(117), flight(117))
    again = flight(117, carrier="ae", origin="lis")
    other: dict[str, Any] = {
        "record_locator": "ab12cd ",
        "passenger": Passenger("Lovelace", "Bea Ms"),
    }
    second = await booked(coalition, it, replace(again, number="0117"), flight(118), **other)
    assert first.id == second.id
    assert [each.id for each in second.segments][:1] == [each.id for each in first.segments]
    assert [each.facts.identity.split("/")[2] for each in second.segments] == ["117", "118"]


async def test_a_number_is_replaced_where_it_is_pending(coalition: Coalition) -> None:
    """Another number, of the same or another program, takes the place of one that is pending."""
    it = await scene(coalition)
    booking = await booked(coalition, it, flight(1), flight(2), number="AERO99999999")
    assert await pending(coalition, it) == 0
    await booked(coalition, it, flight(1), flight(2))
    assert await pending(coalition, it) == 1_000
    after = await booked(coalition, it, flight(2), brand="HOTEL")
    assert after.id == booking.id
    assert [each.membership_id for each in after.segments] == [
        it.ada.at["AERO"],
        it.ada.at["HOTEL"],
    ]
    assert await pending(coalition, it) == 500
    assert errors(await confirmed(coalition, OPERATOR, *after.segments, points=9)) == [None, None]
    assert (await points(coalition, it), await points(coalition, it, "HOTEL")) == (9, 9)
    await require_sound(coalition)


async def test_what_is_credited_keeps_its_number(coalition: Coalition) -> None:
    """Where one of the flights is credited, or closed, another number changes none of them; the
    same number changes nothing there and is no mistake."""
    it = await scene(coalition)
    booking = await booked(coalition, it, flight(1), flight(2, booking_class="N"), flight(3))
    await confirmed(coalition, it.brand("AERO"), *booking.segments[:2])
    before = await noted(coalition)
    for place, refusal in ((1, SegmentAlreadyCredited()), (2, SegmentClosed(status="INELIGIBLE"))):
        facts = flight(place, booking_class="N" if place == 2 else None)
        with pytest.raises(type(refusal)):
            await booked(coalition, it, flight(3), facts, brand="HOTEL")
    assert await noted(coalition) == before
    same = await booked(coalition, it, flight(1), flight(2, booking_class="N"), flight(4))
    assert [each.status for each in same.segments] == [
        SegmentStatus.CREDITED,
        SegmentStatus.INELIGIBLE,
        PENDING,
        PENDING,
    ]


async def test_facts_are_corrected_while_pending(coalition: Coalition) -> None:
    """A flight that is sent again with another class is the same flight in the other class."""
    it = await scene(coalition)
    booking = await booked(coalition, it, flight(1))
    after = await booked(coalition, it, flight(1, booking_class="J"))
    assert [each.id for each in after.segments] == [each.id for each in booking.segments]
    assert await pending(coalition, it) == 1_000
    await confirmed(coalition, it.brand("AERO"), *after.segments)
    assert await points(coalition, it) == 1_000


async def test_what_is_detached_is_over(coalition: Coalition) -> None:
    """A detached flight earns nothing, and the same flight attached again is another segment."""
    it = await scene(coalition)
    booking = await booked(coalition, it, flight(1), flight(2))
    gone = booking.segments[0]
    await detach(coalition, it.sky, booking.id, [gone.id], key())
    assert await pending(coalition, it) == 500
    assert errors(await confirmed(coalition, it.brand("AERO"), gone)) == [
        SegmentClosed(status="DETACHED")
    ]
    with pytest.raises(SegmentClosed):
        await detach(coalition, it.sky, booking.id, [booking.segments[1].id, gone.id], key())
    again = await booked(coalition, it, flight(1))
    assert [each.status for each in again.segments] == [DETACHED, PENDING, PENDING]
    await detach(coalition, it.sky, booking.id, None, key())
    assert await statuses(coalition, booking) == [DETACHED] * 3
    await require_sound(coalition)


async def test_a_key_is_good_for_one_request(coalition: Coalition) -> None:
    """A repeated request changes nothing and is answered with the booking; the key is good for no
    other, and a refusal sticks to it."""
    it = await scene(coalition)
    asked = attachment(it, flight(1))
    first = await attach(coalition, it.sky, asked)
    name = key()
    await detach(coalition, it.sky, first.booking.id, None, name)
    before = await noted(coalition)
    second = await attach(coalition, it.sky, asked)
    assert (second.replayed, second.booking.id) == (True, first.booking.id)
    assert (await detach(coalition, it.sky, first.booking.id, None, name)).replayed
    with pytest.raises(IdempotencyKeyReused):
        await attach(coalition, it.sky, replace(asked, flights=(flight(2),)))
    assert await noted(coalition) == before

    booking = await booked(coalition, it, flight(5))
    await confirmed(coalition, OPERATOR, booking.segments[-1])
    refused = attachment(it, flight(5), brand="HOTEL")
    for replayed in (False, True):
        with pytest.raises(SegmentAlreadyCredited) as refusal:
            await attach(coalition, it.sky, refused)
        assert refusal.value.replayed is replayed
        await void(coalition, OPERATOR, booking.id, VoidReason.MISTAKE, key())


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("recordLocator", {"record_locator": "A"}),
        ("recordLocator", {"record_locator": "A" * 21}),
        ("passenger.surname", {"passenger": Passenger(" ")}),
        ("passenger.surname", {"passenger": Passenger("\N{GRINNING FACE}")}),
        ("passenger.surname", {"passenger": Passenger("'-.")}),
        ("passenger.surname", {"passenger": Passenger("007")}),
        ("loyalty.number", {"number": ""}),
        ("agency", {"agency": ""}),
        ("segments", {"flights": ()}),
        ("segments.0.carrier", {"flights": (flight(carrier="A"),)}),
        ("segments.0.flightNumber", {"flights": (flight(12345),)}),
        ("segments.0.flightNumber", {"flights": (flight(0),)}),
        ("segments.0.origin", {"flights": (flight(origin="LISB"),)}),
        ("segments.0.bookingClass", {"flights": (flight(booking_class="7"),)}),
        ("segments.0.operatingFlightNumber", {"flights": (flight(operating_number="1"),)}),
        ("segments.0.ticketNumber", {"flights": (flight(ticket="123"),)}),
        ("stays.0.checkOut", {"stays": (stay(0),)}),
        ("stays.0.checkOut", {"stays": (stay(366),)}),
        ("stays.0.property", {"stays": (stay(place=""),)}),
        ("segments.0.departureDate", {"flights": (flight(departs_on=date(1999, 12, 31)),)}),
    ],
)
async def test_bad_input_is_refused(
    coalition: Coalition, path: str, more: dict[str, object]
) -> None:
    """What does not have its form is refused with the field's name, and nothing is written."""
    it = await scene(coalition)
    before = await noted(coalition)
    asked = attachment(it, flight(), **more)
    if path == "agency":
        asked = replace(asked, agency=None)
    with pytest.raises(InvalidInput) as refusal:
        await attach(coalition, OPERATOR if path == "agency" else it.sky, asked)
    assert refusal.value.path == path
    assert await noted(coalition) == before


@pytest.mark.parametrize("surname", ["O", "D'", "Ōe", "李", "Ñ", "Иванов", "سلام", "3rd"])
async def test_a_surname_is_of_any_script(coalition: Coalition, surname: str) -> None:
    """Whatever has a letter, of any script, is a surname."""
    it = await scene(coalition)
    booking = await booked(coalition, it, passenger=Passenger(surname))
    assert booking.passenger == Passenger(surname)


def test_a_day_out_of_range_is_told_which_days_are() -> None:
    """A day on which nobody travels is refused in a sentence that says of what it speaks."""
    with pytest.raises(InvalidInput) as refusal:
        checked_flight(flight(departs_on=date(1999, 12, 31)), "segments.0")
    assert refusal.value.reason.startswith("A day of travel is from 2000-01-01 to ")


async def test_where_nothing_is_pending_nothing_is_detached(coalition: Coalition) -> None:
    """Who detaches a booking of which nothing is pending is told so, for good; who asked when
    something was is answered as she was then."""
    it = await scene(coalition)
    booking = await booked(coalition, it, flight(1), flight(2))
    await confirmed(coalition, OPERATOR, booking.segments[0])
    name, late = key(), key()
    assert not (await detach(coalition, it.sky, booking.id, None, name)).replayed
    before = await noted(coalition)
    for replayed in (False, True):
        with pytest.raises(NothingPending) as refusal:
            await detach(coalition, it.sky, booking.id, None, late)
        assert refusal.value.replayed is replayed
    assert (await detach(coalition, it.sky, booking.id, None, name)).replayed
    with pytest.raises(InvalidInput):
        await detach(coalition, it.sky, booking.id, [], key())
    assert await noted(coalition) == before
    again = await booked(coalition, it, flight(2))
    with pytest.raises(NothingPending):
        await detach(coalition, it.sky, booking.id, None, late)
    assert await statuses(coalition, again) == [
        SegmentStatus.CREDITED,
        SegmentStatus.DETACHED,
        SegmentStatus.PENDING,
    ]


async def test_a_suffix_makes_no_other_flight(coalition: Coalition) -> None:
    """A flight with an operational suffix is the flight without: it is attached once, as it was
    written last."""
    it = await scene(coalition)
    await booked(coalition, it, flight("300A"))
    booking = await booked(coalition, it, flight(300))
    booking = await booked(coalition, it, flight("300b"))
    (segment,) = booking.segments
    assert isinstance(segment.facts, Flight)
    assert segment.facts.number == "300B"


async def test_a_booking_has_so_many_segments(coalition: Coalition) -> None:
    """A booking has at most a hundred segments, those that have ended included."""
    it = await scene(coalition)
    await booked(coalition, it, *(flight(n) for n in range(1, MAX_SEGMENTS + 1)))
    with pytest.raises(InvalidInput):
        await booked(coalition, it, flight(MAX_SEGMENTS + 1))
    with pytest.raises(BrandNotFound):
        await booked(coalition, it, brand="NOWHERE")


async def test_who_may_attach(coalition: Coalition) -> None:
    """An agency attaches for itself, an operator for one that it names; nobody else does, and what
    is another's is not there."""
    it = await scene(coalition)
    booking = await booked(coalition, it)
    named = attachment(it, flight(2), agency="SKY")
    assert (await attach(coalition, OPERATOR, named)).booking.id == booking.id
    before = await noted(coalition)
    for who in (it.brand("AERO"), it.ada.caller):
        with pytest.raises(NotPermitted):
            await attach(coalition, who, named)
        with pytest.raises(NotPermitted):
            await detach(coalition, who, booking.id, None, key())
    with pytest.raises(BookingNotFound):
        await detach(coalition, it.sea, booking.id, None, key())
    with pytest.raises(BookingNotFound):
        await detach(coalition, it.brand("HOTEL"), booking.id, None, key())
    with pytest.raises(SegmentNotFound):
        await detach(coalition, it.sky, booking.id, [booking.id], key())
    assert await noted(coalition) == before
    theirs = await booked(coalition, it, who=it.sea)
    assert theirs.id != booking.id

"""Attaching to a booking that is there: to whose segments, and what it leaves behind."""

from datetime import date, timedelta
from hashlib import blake2b
from typing import Any

import pytest

from brands.clock import now
from brands.coalition import Coalition
from brands.errors import InvalidInput, LookupsThrottled
from brands.itineraries import Flight, Stay
from brands.travel.attaching import attach
from brands.travel.bookings import Passenger
from brands.travel.pending import MAX_WAITING
from brands.verification import NumberAndName, verify
from tests.brands.booked import (
    Scene,
    agency,
    attachment,
    booked,
    flight,
    pending,
    scene,
    stay,
    whole,
)
from tests.brands.stage import enrol, everything, require_sound

TODAY = now().date()


async def rows(coalition: Coalition, table: str) -> int:
    """How many rows there are."""
    (row,) = await coalition.database.fetch(f"SELECT count(*) AS n FROM {table}")
    return int(row["n"])


async def test_two_travellers_of_one_name(coalition: Coalition) -> None:
    """Under one record locator the second traveller of a name, with a ticket of her own, takes
    nothing from the first; each number is replaced by whoever names the ticket."""
    it = await scene(coalition)
    other = await enrol(coalition, "AERO", surname="Lovelace")
    hers: dict[str, Any] = {"number": other.named["AERO"].number}
    one, two = flight(1, ticket="1" * 13), flight(1, ticket="2" * 13)
    first = await booked(coalition, it, one)
    both = await booked(coalition, it, two, **hers)
    assert both.id == first.id
    ada, bea = it.ada.at["AERO"], other.at["AERO"]
    assert [each.membership_id for each in both.segments] == [ada, bea]
    with pytest.raises(InvalidInput) as refusal:
        await booked(coalition, it, flight(1))
    assert refusal.value.path == "segments.0.ticketNumber"
    after = await booked(coalition, it, two)
    assert [each.membership_id for each in after.segments] == [ada, ada]
    await require_sound(coalition)


async def test_a_ticket_may_come_later(coalition: Coalition) -> None:
    """What was booked without a ticket gets one when it is ticketed, and stays one segment; so it
    does when it is sent without, and with, in one request or after another."""
    it = await scene(coalition)
    ticketed = flight(1, ticket="1" * 13)
    for facts in ((flight(1),), (ticketed,), (flight(1),), (flight(1), ticketed)):
        booking = await booked(coalition, it, *facts)
        assert [each.facts for each in booking.segments] == [facts[-1]]


async def test_no_name_can_be_tried_on_a_booking(coalition: Coalition) -> None:
    """What tells a booking from others is no plain digest of whose it is."""
    it = await scene(coalition)
    booking = await booked(coalition, it)
    (row,) = await coalition.database.fetch("SELECT name FROM bookings")
    told = "\n".join((booking.agency_id.hex, "AB12CD", "lovelace", "beams"))
    assert row["name"] != blake2b(told.encode(), digest_size=16).hexdigest()


async def shut(coalition: Coalition, it: Scene) -> None:
    """Others have tried so many names with Ada's number that it answers nobody any more."""
    number = it.ada.named["AERO"].number
    for letter in "ABCDEFG":
        guesser = await agency(coalition, f"GUESS{letter}")
        try:
            await verify(coalition, guesser, [NumberAndName("AERO", number, f"Byron{letter}")])
        except LookupsThrottled:
            return
    raise AssertionError("the number is not shut")


async def test_nobody_is_shut_out_by_others(coalition: Coalition) -> None:
    """While a number is shut because of what others have tried, it is attached without its member,
    answered like any other; where this passenger had it before, it stays hers."""
    it = await scene(coalition)
    await booked(coalition, it, flight(1), who=it.sea)
    await coalition.database.fetch("DELETE FROM lookups_seen")
    await shut(coalition, it)
    booking = await booked(coalition, it, flight(1))
    assert [each.membership_id for each in booking.segments] == [None]
    again = await booked(coalition, it, flight(1, booking_class="J"), flight(2), who=it.sea)
    assert [each.membership_id for each in again.segments] == [it.ada.at["AERO"]] * 2
    await require_sound(coalition)


@pytest.mark.parametrize(
    ("path", "facts"),
    [
        ("segments.0.departureDate", flight(departs_on=date.min)),
        ("segments.0.departureDate", flight(departs_on=date(1999, 12, 31))),
        ("segments.0.departureDate", flight(departs_on=TODAY + timedelta(days=733))),
        ("segments.0.departureDate", flight(departs_on=date.max)),
        ("stays.0.checkIn", Stay("LISBON 1", date.min, date.min + timedelta(days=1))),
        ("stays.0.checkIn", stay(check_in=TODAY + timedelta(days=733))),
    ],
)
async def test_nobody_travels_then(coalition: Coalition, path: str, facts: Flight | Stay) -> None:
    """Nothing is attached to what is before this century or more than two years ahead."""
    it = await scene(coalition)
    with pytest.raises(InvalidInput) as refusal:
        await attach(coalition, it.sky, attachment(it, facts))
    assert refusal.value.path == path
    assert await rows(coalition, "bookings") == 0


async def test_nothing_new_leaves_nothing(coalition: Coalition) -> None:
    """What is attached again unchanged leaves nothing but the answer to its key, and is in the way
    of nothing that comes after it."""
    it = await scene(coalition)
    first = await booked(coalition, it, flight(1))
    asked = attachment(it, flight(1))
    before = [await rows(coalition, table) for table in ("booking_steps", "booking_links")]
    spent = await tokens(coalition)
    for replayed in (False, True):
        assert (await attach(coalition, it.sky, asked)).replayed is replayed
    assert [await rows(coalition, each) for each in ("booking_steps", "booking_links")] == before
    assert await tokens(coalition) == spent
    assert await whole(coalition, first.id) == first
    after = await booked(coalition, it, flight(1), flight(2))
    assert len(after.segments) == 2


async def tokens(coalition: Coalition) -> int:
    """How many tokens of bookings are spent."""
    (row,) = await coalition.database.fetch(
        "SELECT count(*) AS n FROM idempotency_keys WHERE key LIKE 'booking:%'"
    )
    return int(row["n"])


async def test_nothing_is_pending_for_ever(coalition: Coalition) -> None:
    """What nobody has confirmed three months after it ended is pending no more."""
    it = await scene(coalition)
    await booked(coalition, it, flight(1, departs_on=TODAY - timedelta(days=93)))
    assert await pending(coalition, it) == 0
    await booked(coalition, it, flight(2, departs_on=TODAY - timedelta(days=90)))
    assert await pending(coalition, it) == 500


async def test_so_much_is_reckoned_up(coalition: Coalition) -> None:
    """Whoever has more pending than anybody travels is told the sum of the newest."""
    it = await scene(coalition)
    for n in range(MAX_WAITING // 100 + 1):
        journey = [flight(100 * n + k) for k in range(1, 101)]
        await booked(coalition, it, *journey, record_locator=f"MANY{n}")
    assert await pending(coalition, it) == MAX_WAITING * 500


@pytest.mark.parametrize(
    ("surname", "given_name", "is_hers"),
    [
        ("LOVELACE", "BEA", True),
        ("Lovelace", "Bea Dr", True),
        ("LOVELACE MRS", "BEA", True),
        ("LOVELACE", "MS BEA", True),
        ("LOVELACE", "B", False),
        ("LOVELACE", None, False),
        ("LOVELACE", "BEAMS", False),
        ("LOVELACE JR", "BEA", False),
    ],
)
async def test_titles_part_no_bookings(
    coalition: Coalition, surname: str, given_name: str | None, is_hers: bool
) -> None:
    """A passenger is the same with another title, and another with another name."""
    it = await scene(coalition)
    first = await booked(coalition, it, passenger=Passenger("LOVELACE", "BEA MS"))
    other = await booked(coalition, it, passenger=Passenger(surname, given_name))
    assert (other.id == first.id) is is_hers


async def test_a_number_that_cannot_be_is_not_attached(coalition: Coalition) -> None:
    """A number that no number of the brand looks like is refused, and nothing is looked up."""
    it = await scene(coalition)
    before = await everything(coalition)
    with pytest.raises(InvalidInput) as refusal:
        await booked(coalition, it, number="-")
    assert refusal.value.path == "loyalty.number"
    assert await everything(coalition) == before

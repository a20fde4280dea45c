"""Bookings found by their record locator and by what became of their segments."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from brands.callers import Caller
from brands.clock import to_micros
from brands.coalition import Coalition
from brands.ledger.audit import audit
from brands.travel.attaching import detach
from brands.travel.booking_pages import (
    BookingFilter,
    BookingPage,
    BookingWindow,
    Position,
    bookings_of_agency,
    bookings_of_brand,
)
from brands.travel.bookings import Booking, Passenger, SegmentStatus
from brands.travel.voiding import VoidReason, void
from tests.brands.booked import Scene, booked, confirmed, flight, scene, stay
from tests.brands.stage import OPERATOR, key

PENDING, CREDITED, VOIDED = SegmentStatus.PENDING, SegmentStatus.CREDITED, SegmentStatus.VOIDED
DETACHED = SegmentStatus.DETACHED

Listing = Callable[[BookingWindow], Awaitable[BookingPage]]


async def by_the_page(listing: Listing, size: int = 1) -> list[Booking]:
    """All of a list, read so many at a time."""
    found: list[Booking] = []
    window = BookingWindow(size)
    while True:
        page = await listing(window)
        found += page.bookings
        assert page.has_previous_page is (window.after is not None)
        if not page.has_next_page:
            return found
        assert len(page.bookings) == size
        last = page.bookings[-1]
        window = BookingWindow(size, Position(to_micros(last.created_at), last.id))


async def locators(
    coalition: Coalition,
    who: Caller,
    agency: UUID | None,
    record_locator: str | None = None,
    status: SegmentStatus | None = None,
) -> list[str]:
    """The record locators of an agency's bookings that are of a filter, one page or many."""
    assert agency is not None
    only = BookingFilter(record_locator, status)

    async def listing(window: BookingWindow) -> BookingPage:
        return await bookings_of_agency(coalition, who, agency, window, only)

    found = await by_the_page(listing)
    assert await by_the_page(listing, 100) == found
    return [each.record_locator for each in found]


async def filled(coalition: Coalition, it: Scene) -> list[Booking]:
    """L0 to L4 of one agency, of which one is credited, one voided and one detached; L1 of two
    travellers, L5 of another agency."""
    made = [
        await booked(coalition, it, flight(n + 1), flight(n + 11), record_locator=f"L{n}")
        for n in range(5)
    ]
    made.append(
        await booked(coalition, it, record_locator="L1", passenger=Passenger("LOVELACE", "C"))
    )
    await booked(coalition, it, flight(9), who=it.sea, record_locator="L5")
    await confirmed(coalition, OPERATOR, made[2].segments[0])
    await void(coalition, OPERATOR, made[3].id, VoidReason.REFUND, key())
    await detach(coalition, it.sky, made[4].id, None, key())
    return made


async def test_an_agency_finds_its_bookings(coalition: Coalition) -> None:
    """By record locator, however it is written, by the status of any segment, and by both, the
    newest first, by the page; an agency finds none of another's."""
    it = await scene(coalition)
    await filled(coalition, it)
    agency = it.sky.agency_id
    for given, found in (
        ((None, None), ["L1", "L4", "L3", "L2", "L1", "L0"]),
        (("L1", None), ["L1", "L1"]),
        ((" l3 ", None), ["L3"]),
        (("L5", None), []),
        ((None, PENDING), ["L1", "L2", "L1", "L0"]),
        ((None, CREDITED), ["L2"]),
        ((None, VOIDED), ["L3"]),
        ((None, DETACHED), ["L4"]),
        (("L2", CREDITED), ["L2"]),
        (("L2", PENDING), ["L2"]),
        (("L2", VOIDED), []),
    ):
        assert await locators(coalition, it.sky, agency, *given) == found
        assert await locators(coalition, OPERATOR, agency, *given) == found
        for who in (it.sea, it.brand("AERO"), it.ada.caller):
            assert await locators(coalition, who, agency, *given) == []
    assert await audit(coalition.database) == []


async def test_a_brand_finds_what_it_has_to_confirm(coalition: Coalition) -> None:
    """Bookings with a segment of a status, of those that its program credits or that it supplies:
    each once, though both be so; what is another brand's in the same booking does not count."""
    it = await scene(coalition)
    made = await filled(coalition, it)
    mixed = await booked(coalition, it, stay(chain="HOTEL"), flight(30), record_locator="MM")
    await confirmed(coalition, OPERATOR, mixed.segments[0])

    async def found(code: str, status: SegmentStatus, who: Caller | None = None) -> list[str]:
        brand = it.brands[code].id
        listed = await by_the_page(
            lambda window: bookings_of_brand(
                coalition, who or it.brand(code), brand, window, status
            )
        )
        return [each.record_locator for each in listed]

    assert await found("AERO", PENDING) == ["MM", "L5", "L1", "L2", "L1", "L0"]
    assert await found("AERO", CREDITED) == ["MM", "L2"]
    assert await found("HOTEL", PENDING) == ["MM"]
    assert await found("HOTEL", CREDITED) == []
    assert await found("AERO", PENDING, it.brand("HOTEL")) == []
    assert await found("AERO", PENDING, it.sky) == []
    await booked(coalition, it, flight(1), flight(11), record_locator="L0", brand="HOTEL")
    # AERO flies it still.
    assert await found("HOTEL", PENDING) == ["MM", "L0"]
    assert "L0" in await found("AERO", PENDING)
    assert made[0].record_locator == "L0"


@pytest.mark.parametrize("size", [1, 2, 100])
async def test_pages_of_any_size_come_to_the_same(coalition: Coalition, size: int) -> None:
    """However many bookings a page has, all of a filter are found, each once, in order."""
    it = await scene(coalition)
    await filled(coalition, it)
    aero = it.brands["AERO"].id
    listed = await by_the_page(
        lambda window: bookings_of_brand(coalition, it.brand("AERO"), aero, window, PENDING), size
    )
    assert [each.record_locator for each in listed] == ["L5", "L1", "L2", "L1", "L0"]


async def test_a_state_is_its_last_step(coalition: Coalition) -> None:
    """What lists are filtered by is what became of each segment, and the audit tells where not."""
    it = await scene(coalition)
    await filled(coalition, it)
    assert await audit(coalition.database) == []
    await coalition.database.fetch("UPDATE booking_states SET status = 'PENDING'")
    broken = {each.law for each in await audit(coalition.database)}
    assert broken == {"bookings are found by what their last steps say"}

"""Lists of bookings: an agency's, a brand's, a member's; the newest first, a page at a time.

Pages are found by position (keyset), never by counting, and each list, filtered or not, by an index
that is in its order: so a page costs the same wherever it stands.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from brands.callers import Caller
from brands.clock import Micros
from brands.coalition import Coalition
from brands.database import as_uuid
from brands.errors import InvalidInput
from brands.ids import book_of
from brands.travel.bookings import Booking, SegmentStatus, bookings_by_id

MAX_PAGE = 100


class Position(NamedTuple):
    """Where a booking stands in a list."""

    created_at: Micros
    id: UUID


@dataclass(frozen=True, slots=True)
class BookingWindow:
    """Which part of a list: the `first` so many (1 to 100) behind a position."""

    first: int
    after: Position | None = None


class BookingFilter(NamedTuple):
    """Only bookings of this record locator, and with a segment of this status."""

    record_locator: str | None = None
    status: SegmentStatus | None = None


ALL = BookingFilter()


@dataclass(frozen=True, slots=True)
class BookingPage:
    """A part of a list."""

    bookings: tuple[Booking, ...]
    has_next_page: bool
    has_previous_page: bool


NO_BOOKINGS = BookingPage((), has_next_page=False, has_previous_page=False)


async def bookings_of_agency(
    coalition: Coalition,
    caller: Caller,
    agency_id: UUID,
    window: BookingWindow,
    only: BookingFilter = ALL,
) -> BookingPage:
    """What an agency has booked. For itself, and for operators; else there is none."""
    if not caller.sees_agency(agency_id):
        return NO_BOOKINGS
    values: list[Any] = [agency_id]
    if only.record_locator is None:
        if only.status is None:
            source = "bookings b WHERE b.agency_id = $1"
            return await _page(coalition, caller, "b.id", [source], values, window)
        source = "booking_states b WHERE b.agency_id = $1 AND b.status = $2"
        values.append(only.status.value)
        return await _page(coalition, caller, "b.booking_id", [source], values, window)
    source = "bookings b WHERE b.agency_id = $1 AND b.record_locator = $2"
    values.append(only.record_locator.strip().upper())
    if only.status is not None:
        source += (
            " AND EXISTS (SELECT 1 FROM booking_states s"
            " WHERE s.book = b.book AND s.booking_id = b.id AND s.status = $3)"
        )
        values.append(only.status.value)
    return await _page(coalition, caller, "b.id", [source], values, window)


async def bookings_of_brand(
    coalition: Coalition,
    caller: Caller,
    brand_id: UUID,
    window: BookingWindow,
    status: SegmentStatus | None = None,
) -> BookingPage:
    """What concerns a brand: credited to its program, or supplied by it; with a status, only where
    such a segment has it. For itself, and for operators; else there is none."""
    if not caller.acts_for_brand(brand_id):
        return NO_BOOKINGS
    if status is not None:
        sources = [
            f"booking_states b WHERE b.{whose} = $1 AND b.status = $2"
            for whose in ("brand_id", "supplier_id")
        ]
        values = [brand_id, status.value]
        return await _page(coalition, caller, "b.booking_id", sources, values, window)
    concerned = _CONCERNED.format(it="(t.brand_id = $1 OR t.supplier_id = $1)")
    source = f"booking_brands b WHERE b.brand_id = $1 AND {concerned}"
    return await _page(coalition, caller, "b.booking_id", [source], [brand_id], window)


async def bookings_of_membership(
    coalition: Coalition, caller: Caller, membership_id: UUID, window: BookingWindow
) -> BookingPage:
    """What is linked to a membership. For whoever may see it; else there is none."""
    found = await coalition.parties.find([membership_id])
    party = found.get(membership_id)
    if party is None or not caller.sees_membership(party.brand_id, party.member_id):
        return NO_BOOKINGS
    source = (
        "(SELECT DISTINCT home AS book, booking_id, created_at FROM booking_links"
        " WHERE book = $2 AND membership_id = $1) b"
        f" WHERE {_CONCERNED.format(it='t.membership_id = $1')}"
    )
    values = [membership_id, book_of(membership_id)]
    return await _page(coalition, caller, "b.booking_id", [source], values, window)


_CONCERNED = """EXISTS (
    SELECT 1 FROM booking_segments s
    JOIN booking_steps t ON t.book = s.book AND t.segment_id = s.id
    WHERE s.book = b.book AND s.booking_id = b.booking_id AND {it} AND NOT EXISTS (
        SELECT 1 FROM booking_steps n
        WHERE n.book = t.book AND n.segment_id = t.segment_id AND n.step = t.step + 1))"""
"""Some segment of the booking is, as it stands now."""


async def _page(
    coalition: Coalition,
    caller: Caller,
    id: str,
    sources: Sequence[str],
    values: Sequence[Any],
    window: BookingWindow,
) -> BookingPage:
    """The page of what is in any of the sources."""
    if not 1 <= window.first <= MAX_PAGE:
        raise InvalidInput(path="first", reason=f"Give 1 to {MAX_PAGE}.")
    given = list(values)
    bounds = ""
    if window.after is not None:
        place = len(given) + 1
        bounds = f" AND (b.created_at, {id}) < (${place}, ${place + 1})"
        given += window.after
    limit = f"ORDER BY created_at DESC, id DESC LIMIT ${len(given) + 1}"
    # As many of each source as there may be of all, so that none is read to its end.
    newest = (
        f"SELECT DISTINCT b.created_at, {id} AS id FROM {source}{bounds} {limit}"
        for source in sources
    )
    both = " UNION ".join(f"SELECT created_at, id FROM ({each}) AS newest" for each in newest)
    rows = await coalition.database.fetch(f"{both} {limit}", *(*given, window.first + 1))
    ids = [as_uuid(row["id"]) for row in rows[: window.first]]
    found = await bookings_by_id(coalition, caller, ids)
    return BookingPage(
        tuple(found[id] for id in ids if id in found),
        has_next_page=len(rows) > window.first,
        has_previous_page=window.after is not None,
    )

"""Pages of bookings: between the contract's connections and the domain's windows; and what may have
become of their segments."""

from typing import Annotated
from uuid import UUID

import strawberry

from brands.clock import to_micros
from brands.travel.booking_pages import BookingPage, BookingWindow, Position
from brands.travel.bookings import Booking, SegmentStatus
from schema.connections import Connection, bad_cursor, page, window
from schema.enums import described

described(
    SegmentStatus,
    "What became of a segment of a booking.",
    {
        SegmentStatus.PENDING: "It is booked; the supplier has not confirmed it yet.",
        SegmentStatus.CREDITED: "It was travelled, and its points are credited.",
        SegmentStatus.INELIGIBLE: "It earns nothing; `reason` says why.",
        SegmentStatus.NOT_CREDITED: "It was travelled, and its points are not credited; `reason` "
        "says why.",
        SegmentStatus.DETACHED: "The agency has taken the loyalty number from it.",
        SegmentStatus.VOIDED: "It counts no more, and points credited for it were taken back.",
    },
    name="BookingSegmentStatus",
)

RecordLocator = Annotated[
    str | None,
    strawberry.argument(description="Only bookings of this record locator; all if left out."),
]
WithStatus = Annotated[
    SegmentStatus | None,
    strawberry.argument(
        description="Only bookings with a segment of this status, of those seen here; all if left "
        "out."
    ),
]


def booking_window(first: int | None, after: str | None) -> BookingWindow:
    """The first so many bookings behind a cursor. Raises `BadPage`."""
    wanted = window(first, after)
    return BookingWindow(wanted.size, _position(wanted.after))


def booking_list(found: BookingPage) -> Connection[Booking]:
    """A page as a connection."""
    return page(found.bookings, _key, before=found.has_previous_page, after=found.has_next_page)


def _key(booking: Booking) -> str:
    return f"{to_micros(booking.created_at)}.{booking.id.hex}"


def _position(key: str | None) -> Position | None:
    if key is None:
        return None
    created_at, dot, identifier = key.partition(".")
    if not (dot and created_at.isdecimal() and len(created_at) < 19 and len(identifier) == 32):
        raise bad_cursor("after")
    try:
        return Position(int(created_at), UUID(hex=identifier))
    except ValueError:
        raise bad_cursor("after") from None

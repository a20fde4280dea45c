"""Pages of bookings: between the contract's connections and the domain's windows."""

from uuid import UUID

from brands.clock import to_micros
from brands.travel.booking_pages import BookingPage, BookingWindow, Position
from brands.travel.bookings import Booking
from schema.connections import Connection, bad_cursor, page, window


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

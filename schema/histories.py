"""Pages of a history: between the contract's connections and the domain's windows."""

from uuid import UUID

from brands.histories import Page, Window
from brands.transactions import Position, Transaction
from schema.connections import Connection, bad_cursor, page, window


def history_window(first: int | None, after: str | None) -> Window:
    """The first so many transactions behind a cursor. Raises `BadPage`."""
    wanted = window(first, after)
    return Window(first=wanted.size, after=_position(wanted.after))


def history(found: Page | None, wanted: Window) -> Connection[Transaction]:
    """A page as a connection; an empty one where there is nothing to see."""
    if found is None:
        return page((), _key, before=wanted.after is not None, after=False)
    return page(found.transactions, _key, before=found.has_previous_page, after=found.has_next_page)


def _key(transaction: Transaction) -> str:
    return f"{transaction.position.recorded_at}.{transaction.position.id.hex}"


def _position(key: str | None) -> Position | None:
    if key is None:
        return None
    recorded_at, dot, identifier = key.partition(".")
    if not (dot and recorded_at.isdecimal() and len(recorded_at) < 19 and len(identifier) == 32):
        raise bad_cursor("after")
    try:
        return Position(int(recorded_at), UUID(hex=identifier))
    except ValueError:
        raise bad_cursor("after") from None

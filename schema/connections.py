"""Connections, as the GraphQL Cursor Connections Specification has them.

How many edges are wanted must be said, and is at most 100. A cursor is opaque to clients and
accepted only as it was given out.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

import strawberry
from graphql import GraphQLError, Node

MAX_EDGES = 100

Item = TypeVar("Item")

First = Annotated[
    int | None,
    strawberry.argument(
        description="How many edges from the front: 1 to 100. Required where `last` is not given."
    ),
]
FirstOnly = Annotated[
    int | None,
    strawberry.argument(description="How many edges from the front: 1 to 100. Required."),
]
After = Annotated[
    str | None,
    strawberry.argument(description="Only edges behind the one with this cursor."),
]
Last = Annotated[
    int | None,
    strawberry.argument(
        description="How many edges from the back: 1 to 100. Required where `first` is not given."
    ),
]
Before = Annotated[
    str | None,
    strawberry.argument(description="Only edges before the one with this cursor."),
]


class BadPage(GraphQLError):
    """Arguments of a connection that make no sense; `argument` is the one at fault."""

    def __init__(self, message: str, argument: str, node: Node | None = None) -> None:
        extensions = {"code": "BAD_USER_INPUT", "argument": argument}
        super().__init__(message, node, extensions=extensions)


@strawberry.federation.type(
    name="PageInfo",
    shareable=True,
    description="Where a connection's page begins and ends.",
)
class PageInfo:
    """Relay's PageInfo."""

    has_next_page: bool = strawberry.field(description="Whether more edges follow this page.")
    has_previous_page: bool = strawberry.field(description="Whether edges precede this page.")
    start_cursor: str | None = strawberry.field(description="The cursor of the page's first edge.")
    end_cursor: str | None = strawberry.field(description="The cursor of the page's last edge.")


@dataclass(frozen=True, slots=True)
class Edge(Generic[Item]):
    """An item and the cursor to find it again."""

    node: Item
    cursor: str


@dataclass(frozen=True, slots=True)
class Connection(Generic[Item]):
    """One page of edges."""

    edges: list[Edge[Item]]
    page_info: PageInfo


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of a list is wanted: `size` items from the front or from the back, between two
    cursors (exclusive). Cursors are given as read."""

    size: int
    backwards: bool
    after: str | None
    before: str | None


def window(first: Any = None, after: Any = None, last: Any = None, before: Any = None) -> Window:
    """The arguments of a connection, checked. Raises `BadPage`."""
    first, after, last, before = (
        None if given is strawberry.UNSET else given for given in (first, after, last, before)
    )
    if first is not None and last is not None:
        raise BadPage("Give `first` or `last`, not both.", "last")
    name, size = ("first", first) if first is not None else ("last", last)
    if size is None:
        raise BadPage("`first` is required, and at most 100.", "first")
    check_size(size, name)
    return Window(size, last is not None, _read(after, "after"), _read(before, "before"))


def check_size(size: int, argument: str, node: Node | None = None) -> None:
    """Raises `BadPage`, at a place of the document if need be."""
    if not 1 <= size <= MAX_EDGES:
        message = f"`{argument}` is between 1 and {MAX_EDGES}, not {size}."
        raise BadPage(message, argument, node)


def cursor_of(key: str) -> str:
    """The cursor of an item with this key."""
    return urlsafe_b64encode(b"c:" + key.encode()).decode("ascii").rstrip("=")


def bad_cursor(argument: str) -> BadPage:
    """A cursor that was never given out."""
    return BadPage(f"`{argument}` is not a cursor of this connection.", argument)


def _read(cursor: str | None, argument: str) -> str | None:
    if cursor is None:
        return None
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        key = urlsafe_b64decode(padded).removeprefix(b"c:").decode()
    except ValueError:
        raise bad_cursor(argument) from None
    if cursor_of(key) != cursor:
        raise bad_cursor(argument)
    return key


def page(
    items: Sequence[Item], key: Callable[[Item], str], *, before: bool, after: bool
) -> Connection[Item]:
    """A connection of items already chosen; `before` and `after` say whether there are more."""
    edges = [Edge(item, cursor_of(key(item))) for item in items]
    return Connection(
        edges,
        PageInfo(
            has_next_page=after,
            has_previous_page=before,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=edges[-1].cursor if edges else None,
        ),
    )


def slice_of(items: Sequence[Item], key: Callable[[Item], str], wanted: Window) -> Connection[Item]:
    """A page of a list that is wholly at hand, in the order in which it is listed."""
    keys = [key(item) for item in items]
    start = _position(keys, wanted.after, "after", -1) + 1
    stop = _position(keys, wanted.before, "before", len(items))
    low, high = (
        (max(start, stop - wanted.size), stop)
        if wanted.backwards
        else (start, min(stop, start + wanted.size))
    )
    chosen: Sequence[Any] = items[low:high] if low < high else ()
    return page(chosen, key, before=low > 0, after=high < len(items))


def _position(keys: list[str], cursor: str | None, argument: str, otherwise: int) -> int:
    if cursor is None:
        return otherwise
    try:
        return keys.index(cursor)
    except ValueError:
        raise bad_cursor(argument) from None
